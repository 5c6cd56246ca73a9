/* engine/plan/plan_config.c — instructions that only set a field of the configuration.
 *
 * Each changes the field as BuildKit does and leaves a history entry without a layer; ONBUILD leaves
 * none. What looks odd is BuildKit's: CMD sets ArgsEscaped in either form, ENTRYPOINT drops a CMD that
 * the base brought but not one of the same stage, MAINTAINER and SHELL are taken as written.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/plan/go_text.h"
#include "engine/plan/planner.h"
#include "engine/signal_name.h"

ocib_errc ob_config_set_text(char **field, const char *value, ocib_error **err)
{
	char *copy = strdup(value);

	if (!copy)
		return ob_fail_nomem(err);
	free(*field);
	*field = copy;
	return OCIB_OK;
}

/* The words of an instruction as they stand, joined by spaces. */
static char *join_words(const ob_words *words)
{
	ob_autodone(ob_buffer) text = OB_HISTORY_BUFFER;
	char *out = NULL;

	for (size_t i = 0; i < words->len; i++)
		ob_buffer_printf(&text, "%s%s", i ? " " : "", words->items[i].text);
	return ob_buffer_finish(&text, &out, NULL) ? NULL : out;
}

static ocib_errc copy_words(const ob_words *words, ob_strlist *out, ocib_error **err)
{
	for (size_t i = 0; i < words->len; i++)
		if (ob_strlist_add(out, words->items[i].text) < 0)
			return ob_fail_nomem(err);
	return OCIB_OK;
}

ocib_errc ob_dispatch_command_line(const ob_dispatch *d, const char *script, ob_strlist *out,
				   ocib_error **err)
{
	const ob_strlist *shell = &d->stage->config->shell.args;

	if (d->instruction->json_form)
		return copy_words(&d->instruction->words, out, err);
	if (shell->len ? ob_strlist_copy(out, shell) < 0
		       : ob_strlist_add(out, "/bin/sh") < 0 || ob_strlist_add(out, "-c") < 0)
		return ob_fail_nomem(err);
	if (ob_strlist_take(out, script ? strdup(script) : join_words(&d->instruction->words)) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

static void set_command(ob_command *command, ob_strlist *args)
{
	ob_strlist_done(&command->args);
	*command = (ob_command){.is_set = true, .args = *args};
	*args = (ob_strlist){0};
}

static void unset_command(ob_command *command)
{
	ob_strlist_done(&command->args);
	command->is_set = false;
}

/* "CMD" or "ENTRYPOINT" with the arguments as Go quotes them. */
static ocib_errc commit_command(ob_dispatch *d, const char *name, const ob_strlist *args,
				ocib_error **err)
{
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;

	ob_buffer_printf(&history, "%s ", name);
	ob_go_quote_list(args, &history);
	return ob_dispatch_commit(d, &history, false, err);
}

ocib_errc ob_dispatch_cmd(ob_dispatch *d, ocib_error **err)
{
	ob_autodone(ob_strlist) args = {0};
	ocib_errc r = ob_dispatch_command_line(d, NULL, &args, err);

	if (!r)
		r = commit_command(d, "CMD", &args, err);
	if (r)
		return r;
	set_command(&d->stage->config->cmd, &args);
	d->stage->config->args_escaped = true;
	d->stage->has_cmd = true;
	return OCIB_OK;
}

ocib_errc ob_dispatch_entrypoint(ob_dispatch *d, ocib_error **err)
{
	ob_config *config = d->stage->config;
	ob_autodone(ob_strlist) args = {0};
	ocib_errc r = ob_dispatch_command_line(d, NULL, &args, err);

	if (!r)
		r = commit_command(d, "ENTRYPOINT", &args, err);
	if (r)
		return r;
	if (args.len)
		set_command(&config->entrypoint, &args);
	else
		unset_command(&config->entrypoint);
	if (!d->stage->has_cmd)
		unset_command(&config->cmd);
	return OCIB_OK;
}

ocib_errc ob_dispatch_shell(ob_dispatch *d, ocib_error **err)
{
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;
	ob_autodone(ob_strlist) args = {0};
	ocib_errc r = copy_words(&d->instruction->words, &args, err);

	if (r)
		return r;
	ob_buffer_append_str(&history, "SHELL ");
	ob_go_list(&args, &history);
	set_command(&d->stage->config->shell, &args);
	return ob_dispatch_commit(d, &history, false, err);
}

/* NAME value, the value expanded or not. */
static ocib_errc commit_value(ob_dispatch *d, const char *name, const char *value, ocib_error **err)
{
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;

	ob_buffer_printf(&history, "%s %s", name, value);
	return ob_dispatch_commit(d, &history, false, err);
}

ocib_errc ob_dispatch_maintainer(ob_dispatch *d, ocib_error **err)
{
	ob_autofree char *author = join_words(&d->instruction->words);
	ocib_errc r;

	if (!author)
		return ob_fail_nomem(err);
	r = ob_config_set_text(&d->stage->config->author, author, err);
	return r ? r : commit_value(d, "MAINTAINER", author, err);
}

ocib_errc ob_dispatch_user(ob_dispatch *d, ocib_error **err)
{
	ob_autofree char *user = NULL;
	ocib_errc r = ob_dispatch_expand_only(d, &user, err);

	if (!r)
		r = ob_config_set_text(&d->stage->config->user, user, err);
	return r ? r : commit_value(d, "USER", user, err);
}

ocib_errc ob_dispatch_stopsignal(ob_dispatch *d, ocib_error **err)
{
	ob_autofree char *name = NULL;
	int number;
	ocib_errc r = ob_dispatch_expand_only(d, &name, err);

	if (r)
		return r;
	if (!ob_signal_parse(name, &number))
		return ob_fail_here(err, d, &d->instruction->words.items[0].at, OCIB_ERR_SYNTAX,
				    "invalid signal: %s", name);
	r = ob_config_set_text(&d->stage->config->stop_signal, name, err);
	return r ? r : commit_value(d, "STOPSIGNAL", name, err);
}

ocib_errc ob_dispatch_volume(ob_dispatch *d, ocib_error **err)
{
	ob_strlist *volumes = &d->stage->config->volumes;
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;
	ob_autodone(ob_strlist) paths = {0};

	for (size_t i = 0; i < d->instruction->words.len; i++) {
		const ob_word *word = &d->instruction->words.items[i];
		ob_autofree char *path = NULL;
		ocib_errc r = ob_dispatch_expand(d, word->text, &word->at, &path, err);

		if (!r)
			r = ob_planner_spend(d->planner, volumes->len, d->command->at, err);
		if (r)
			return r;
		if (!*path)
			return ob_fail_here(err, d, &word->at, OCIB_ERR_SYNTAX,
					    "VOLUME specified can not be an empty string");
		if ((!ob_strlist_contains(volumes, path) && ob_strlist_add(volumes, path) < 0) ||
		    ob_strlist_take(&paths, ob_take_ptr(path)) < 0)
			return ob_fail_nomem(err);
	}
	ob_strlist_sort(volumes);
	ob_buffer_append_str(&history, "VOLUME ");
	ob_go_list(&paths, &history);
	return ob_dispatch_commit(d, &history, false, err);
}

ocib_errc ob_dispatch_onbuild(ob_dispatch *d, ocib_error **err)
{
	const char *text = d->instruction->onbuild;
	ocib_errc r = ob_planner_spend(d->planner, strlen(text), d->command->at, err);

	if (r)
		return r;
	return ob_strlist_add(&d->stage->config->on_build, text) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}
