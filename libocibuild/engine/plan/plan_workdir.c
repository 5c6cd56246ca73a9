/* engine/plan/plan_workdir.c — WORKDIR: the directory is made at once, and owned by the USER so far.
 *
 * It makes a layer even where the directory exists, but none for "/". An absolute path is stored as it
 * is written; a relative one is joined to the one before and cleaned.
 */
#include <string.h>
#include "base/paths.h"
#include "base/strings.h"
#include "engine/plan/planner.h"

/* An absolute path. */
static char *resolve(const char *current, const char *path)
{
	ob_autofree char *base = ob_path_join("/", current && *current ? current : "/");

	if (!base || !*path)
		return ob_take_ptr(base);
	return *path == '/' ? strdup(path) : ob_path_join(base, path);
}

ocib_errc ob_planner_start_dir(ob_config *config, ocib_error **err)
{
	ob_autofree char *path = NULL;

	if (!config->working_dir || !*config->working_dir)
		return OCIB_OK;
	path = resolve("/", config->working_dir);
	if (!path)
		return ob_fail_nomem(err);
	free(config->working_dir);
	config->working_dir = ob_take_ptr(path);
	return OCIB_OK;
}

static ocib_errc add_step(ob_dispatch *d, const char *path, ocib_error **err)
{
	const ob_shell_options options = {.escape = d->planner->dockerfile->escape};
	const char *user = d->stage->config->user;
	ob_step *step = NULL;
	ocib_errc r = ob_dispatch_add_step(d, OB_STEP_WORKDIR, &step, err);

	if (r)
		return r;
	step->workdir.path = strdup(path);
	step->workdir.user = strdup(user ? user : "");
	if (!step->workdir.path || !step->workdir.user)
		return ob_fail_nomem(err);
	return ob_dispatch_step_text(d, d->instruction->original, &options, &step->text, err);
}

ocib_errc ob_dispatch_workdir(ob_dispatch *d, ocib_error **err)
{
	ob_config *config = d->stage->config;
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;
	ob_autofree char *written = NULL, *path = NULL;
	ocib_errc r = ob_dispatch_expand_only(d, &written, err);

	if (r)
		return r;
	ob_check_workdir(d, written);
	path = resolve(config->working_dir, written);
	if (!path)
		return ob_fail_nomem(err);
	bool has_layer = !ob_str_eq(path, "/");
	if (has_layer)
		r = add_step(d, path, err);
	if (!r)
		r = ob_config_set_text(&config->working_dir, path, err);
	if (r)
		return r;
	ob_buffer_printf(&history, "WORKDIR %s", path);
	return ob_dispatch_commit(d, &history, has_layer, err);
}
