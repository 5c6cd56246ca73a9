/* engine/transfer/import_changes.c — `import --change` by the planner.
 *
 * The instructions are planned as a Dockerfile on an empty base: so quoting, variables and every
 * check are those of a build, and nothing is written twice. What they say is all in the stage's
 * configuration.
 */
#include "engine/transfer/import_changes.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/plan.h"

static bool is_configuration(ob_instruction_type type)
{
	switch (type) {
	case OB_INSTRUCTION_ADD:
	case OB_INSTRUCTION_ARG:
	case OB_INSTRUCTION_COPY:
	case OB_INSTRUCTION_RUN: return false;
	default: return true;
	}
}

static ocib_errc check_instructions(const ob_dockerfile *dockerfile, ocib_error **err)
{
	for (size_t i = 0; i < dockerfile->len; i++) {
		const ob_instruction *one = &dockerfile->instructions[i];

		if (is_configuration(one->type) && (one->type != OB_INSTRUCTION_FROM || i == 0))
			continue;
		return ob_fail_at(err, dockerfile, &one->at, OCIB_ERR_UNSUPPORTED,
				  "%s cannot be a change: it is more than configuration",
				  one->original);
	}
	return OCIB_OK;
}

static void drop_history(ob_config *config)
{
	for (size_t i = 0; i < config->history_count; i++) {
		free(config->history[i].created);
		free(config->history[i].created_by);
		free(config->history[i].author);
		free(config->history[i].comment);
	}
	config->history_count = 0;
}

static ocib_errc plan_config(ocib_context *ctx, ob_store *store, const ob_dockerfile *dockerfile,
			     const ob_platform *platform, ob_config **out, ocib_error **err)
{
	const ob_plan_options options = {
		.context_dir = "/", .platform = *platform, .platform_given = true};
	ob_auto(ob_image_sources) sources = NULL;
	ob_auto(ob_plan) plan = NULL;

	ocib_errc rc = ob_image_sources_new(ctx, store, NULL, &sources, err);
	if (!rc)
		rc = ob_plan_make(ctx, sources, dockerfile, &options, &plan, err);
	if (rc)
		return rc;
	ob_auto(ob_config) config = ob_config_copy(plan->targets[0].config);
	if (!config)
		return ob_fail_nomem(err);
	drop_history(config);
	*out = ob_take_ptr(config);
	return OCIB_OK;
}

ocib_errc ob_import_changes(ocib_context *ctx, ob_store *store, const ob_platform *platform,
			    const char *const *changes, ob_config **out, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "changes");
	ob_auto(ob_dockerfile) dockerfile = NULL;

	ob_buffer_append_str(&text, "FROM scratch\n");
	for (; changes && *changes; changes++)
		ob_buffer_printf(&text, "%s\n", *changes);
	ocib_errc rc = ob_buffer_check(&text, err);
	if (!rc)
		rc = ob_dockerfile_parse("changes", text.data, text.len, &dockerfile, err);
	if (!rc)
		rc = check_instructions(dockerfile, err);
	return rc ? rc : plan_config(ctx, store, dockerfile, platform, out, err);
}
