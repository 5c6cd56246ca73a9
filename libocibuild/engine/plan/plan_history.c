/* engine/plan/plan_history.c — history entries and steps: what people see of an instruction.
 *
 * created_by is what BuildKit writes but for the mark that names the builder; `docker history` and
 * scanners parse it. A step's text is for progress: the line as written, with variables replaced.
 */
#include <ctype.h>
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

ocib_errc ob_dispatch_commit(ob_dispatch *d, ob_buffer *text, bool has_layer, ocib_error **err)
{
	ob_autofree char *created_by = NULL;
	ocib_errc r = ob_buffer_finish(text, &created_by, err);

	if (!r)
		r = ob_planner_spend(d->planner, sizeof(ob_history) + strlen(created_by),
				     d->command->at, err);
	if (r)
		return r;
	if (ob_config_add_history(d->stage->config, NULL, created_by, NULL, OB_HISTORY_COMMENT,
				  !has_layer) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* Steps are few for most stages and many for some: grown by doubling. */
static ocib_errc grow_steps(ob_plan_stage *stage, ocib_error **err)
{
	size_t count = stage->step_count;

	if (count & (count - 1))
		return OCIB_OK;
	ob_step *grown = reallocarray(stage->steps, count ? count * 2 : 1, sizeof(*stage->steps));
	if (!grown)
		return ob_fail_nomem(err);
	stage->steps = grown;
	return OCIB_OK;
}

ocib_errc ob_dispatch_add_step(ob_dispatch *d, ob_step_op op, ob_step **out, ocib_error **err)
{
	ob_plan_stage *stage = d->stage;
	ocib_errc r = ob_planner_spend(d->planner, sizeof(ob_step), d->command->at, err);

	if (!r)
		r = grow_steps(stage, err);
	if (r)
		return r;
	*out = &stage->steps[stage->step_count++];
	**out = (ob_step){
		.op = op,
		.number = ++stage->counted,
		.at = *d->command->at,
		.history = stage->config->history_count,
	};
	return OCIB_OK;
}

ocib_errc ob_dispatch_step_text(const ob_dispatch *d, const char *source,
				const ob_shell_options *options, char **out, ocib_error **err)
{
	return ob_dispatch_step_text_of(d, source, &d->stage->env, options, out, err);
}

ocib_errc ob_dispatch_step_text_of(const ob_dispatch *d, const char *source, const ob_strlist *env,
				   const ob_shell_options *options, char **out, ocib_error **err)
{
	ob_autofree char *expanded = NULL;
	ocib_errc r = ob_shell_word(source, env, options, NULL, &expanded, NULL);

	if (r == OCIB_ERR_NOMEM)
		return ob_fail_nomem(err);
	/* Text that does not expand is shown as it is: whether that is an error is not decided here. */
	const char *text = expanded ? expanded : source;
	while (isspace((unsigned char)*text))
		text++;
	*out = ob_str_printf("%s%s", d->command->is_trigger ? "ONBUILD " : "", text);
	if (!*out)
		return ob_fail_nomem(err);
	char *word = *out + (d->command->is_trigger ? strlen("ONBUILD ") : 0);
	for (; *word && !isspace((unsigned char)*word); word++)
		*word = (char)toupper((unsigned char)*word);
	return ob_planner_spend(d->planner, strlen(*out), d->command->at, err);
}
