/* engine/plan/plan_run.c — RUN: the command as it will be executed, and what it will see.
 *
 * Neither the line nor a here-document is expanded: that is the shell's doing. A line that is one
 * here-document and nothing else is its body's script: a body with "#!" becomes a file that is run,
 * any other is the argument of the SHELL's -c, so that it works in shells without here-documents. In
 * all other lines the bodies are put back and the shell reads them.
 *
 * The machine's network by name and the insecure mode need an entitlement, as with BuildKit.
 */
#include <ctype.h>
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

#define PIPES_DIR    "/dev/pipes/"
#define HOSTNAME_ARG "BUILDKIT_SANDBOX_HOSTNAME"

/* What a file asks for beyond the usual must be allowed by who builds it; a check executes nothing. */
static ocib_errc need_entitlement(const ob_dispatch *d, const ob_flag *flag, const char *name,
				  bool is_allowed, ocib_error **err)
{
	if (is_allowed || d->planner->options->checking)
		return OCIB_OK;
	ocib_errc r = ob_fail_here(err, d, &flag->at, OCIB_ERR_DENIED,
				   "RUN --%s=%s needs the entitlement '%s', which was not given",
				   flag->name, flag->value, name);
	ob_error_set_hint(err, "if you trust this Dockerfile: --allow %s", name);
	return r;
}

/* Which modes there are was checked when the line was parsed. */
static ocib_errc read_security(const ob_dispatch *d, bool *insecure, ocib_error **err)
{
	const ob_flag *flag = ob_dispatch_flag(d, "security");

	*insecure = flag && ob_str_eq(flag->value, "insecure");
	if (!*insecure)
		return OCIB_OK;
	return need_entitlement(d, flag, "security.insecure", d->planner->options->allow_insecure,
				err);
}

/* As with BuildKit's stable syntax, which has no devices. */
static ocib_errc refuse_device(const ob_dispatch *d, ocib_error **err)
{
	const ob_flag *flag = ob_dispatch_flag(d, "device");

	if (!flag)
		return OCIB_OK;
	return ob_fail_here(err, d, &flag->at, OCIB_ERR_UNSUPPORTED,
			    "RUN --device is not supported: there are no CDI devices");
}

static ocib_errc read_network(const ob_dispatch *d, ob_network *out, ocib_error **err)
{
	const ob_flag *flag = ob_dispatch_flag(d, "network");

	*out = d->planner->options->network;
	if (!flag || ob_str_eq(flag->value, "default"))
		return OCIB_OK;
	if (ob_str_eq(flag->value, "none"))
		*out = OB_NETWORK_NONE;
	else if (ob_str_eq(flag->value, "host"))
		*out = OB_NETWORK_HOST;
	else
		return ob_fail_here(err, d, &flag->at, OCIB_ERR_SYNTAX,
				    "invalid network mode '%s': expected default, none or host",
				    flag->value);
	if (*out != OB_NETWORK_HOST)
		return OCIB_OK;
	return need_entitlement(d, flag, "network.host", d->planner->options->allow_host_network,
				err);
}

/* What machine it is for is a question of who executes it; another system is none that anybody can be. */
static ocib_errc check_platform(const ob_dispatch *d, ocib_error **err)
{
	const ob_platform *want = &d->stage->platform;
	char text[128];

	if (d->planner->options->checking || ob_str_eq(want->os, "linux") || !want->os[0])
		return OCIB_OK;
	ob_platform_format(want, text);
	return ob_fail_here(err, d, NULL, OCIB_ERR_UNSUPPORTED,
			    "RUN in a stage for %s: only commands for Linux can be run", text);
}

ocib_errc ob_dispatch_check_file_name(const ob_dispatch *d, const char *name, const ob_location *at,
				      ocib_error **err)
{
	if (*name && !strchr(name, '/') && !ob_str_eq(name, ".") && !ob_str_eq(name, ".."))
		return OCIB_OK;
	return ob_fail_here(err, d, at, OCIB_ERR_SYNTAX,
			    "'%s' cannot be the name of an inline file", name);
}

/* The line with the bodies of its here-documents below it, as a shell script has them. */
static ocib_errc rebuild_script(const ob_instruction *instruction, char **out, ocib_error **err)
{
	ob_autodone(ob_buffer) script = OB_HISTORY_BUFFER;

	for (size_t i = 0; i < instruction->words.len; i++)
		ob_buffer_append_str(&script, instruction->words.items[i].text);
	for (size_t i = 0; i < instruction->heredoc_count; i++) {
		const ob_heredoc *heredoc = &instruction->heredocs[i];

		ob_buffer_append_char(&script, '\n');
		ob_buffer_append(&script, heredoc->raw, heredoc->raw_len);
		ob_buffer_append_str(&script, heredoc->name);
	}
	return ob_buffer_finish(&script, out, err);
}

/* What stands after -c, where it is not the line itself; NULL: the line. */
static ocib_errc read_script(const ob_dispatch *d, ob_run_op *op, char **script, ocib_error **err)
{
	const ob_instruction *instruction = d->instruction;

	if (!instruction->heredoc_count)
		return OCIB_OK;
	if (!instruction->heredoc_only)
		return rebuild_script(instruction, script, err);
	const ob_heredoc *heredoc = &instruction->heredocs[0];
	if (ob_str_starts(heredoc->content, "#!")) {
		ocib_errc r = ob_dispatch_check_file_name(d, heredoc->name, NULL, err);

		if (r)
			return r;
		op->files = instruction->heredocs;
		op->file_count = 1;
		*script = ob_str_printf(PIPES_DIR "%s", heredoc->name);
	} else {
		*script = strndup(heredoc->content, heredoc->len);
	}
	return *script ? OCIB_OK : ob_fail_nomem(err);
}

static uint64_t list_bytes(const ob_strlist *list)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < list->len; i++)
		bytes += sizeof(char *) + strlen(list->items[i]) + 1;
	return bytes;
}

static ocib_errc read_surroundings(const ob_dispatch *d, ob_run_op *op, ocib_error **err)
{
	const ob_config *config = d->stage->config;
	const char *hostname = ob_env_get(&d->planner->build_args, HOSTNAME_ARG);
	ocib_errc r = ob_planner_spend(d->planner, list_bytes(&d->stage->env), d->command->at, err);

	if (r)
		return r;
	op->cwd = strdup(config->working_dir && *config->working_dir ? config->working_dir : "/");
	op->user = strdup(config->user ? config->user : "");
	if (hostname && *hostname && !(op->hostname = strdup(hostname)))
		return ob_fail_nomem(err);
	if (!op->cwd || !op->user || ob_strlist_copy(&op->env, &d->stage->env) < 0 ||
	    ob_strlist_copy(&op->secret_env, &d->planner->proxy_env) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* "RUN |2 A=b C=d /bin/sh -c …": the ARGs so far as they stand, then the command. */
static ocib_errc commit(ob_dispatch *d, const ob_strlist *argv, ocib_error **err)
{
	const ob_strlist *args = &d->stage->args;
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;

	ob_buffer_append_str(&history, "RUN");
	if (args->len)
		ob_buffer_printf(&history, " |%zu", args->len);
	for (size_t i = 0; i < args->len; i++) {
		const char *value = ob_env_get(&d->stage->env, args->items[i]);

		ob_buffer_printf(&history, " %s=%s", args->items[i], value ? value : "");
	}
	for (size_t i = 0; i < argv->len; i++)
		ob_buffer_printf(&history, " %s", argv->items[i]);
	ob_buffer_append_str(&history, OB_HISTORY_MARK);
	return ob_dispatch_commit(d, &history, true, err);
}

/* " (first line...)" of a script that is not in the line itself. */
static char *summarize(const ob_heredoc *heredoc)
{
	const char *text = heredoc->content;
	size_t len = heredoc->len;

	while (len && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	const char *end = memchr(text, '\n', len);
	size_t line = end ? (size_t)(end - text) : len;
	if (end && line && text[line - 1] == '\r')
		line--;
	return ob_str_printf(" (%.*s%s)", (int)line, text, end ? "..." : "");
}

/* Variables as the text shows them: of a secret, that it is one. */
static ocib_errc masked_env(const ob_dispatch *d, const ob_run_op *op, ob_strlist *out,
			    ocib_error **err)
{
	if (ob_strlist_copy(out, &d->stage->env) < 0)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < op->mount_count; i++)
		if (op->mounts[i].env && ob_env_set(out, op->mounts[i].env, "****") < 0)
			return ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc describe(const ob_dispatch *d, ob_step *step, ocib_error **err)
{
	ob_autodone(ob_strlist) env = {0};
	const ob_instruction *instruction = d->instruction;
	const ob_shell_options options = {
		.escape = d->planner->dockerfile->escape,
		.raw_quotes = true,
		.skip_unset = true,
	};
	ob_autofree char *summary =
		instruction->heredoc_only ? summarize(&instruction->heredocs[0]) : strdup("");
	ob_autofree char *text =
		summary ? ob_str_printf("%s%s", instruction->original, summary) : NULL;

	if (!text)
		return ob_fail_nomem(err);
	ocib_errc r = masked_env(d, &step->run, &env, err);
	return r ? r : ob_dispatch_step_text_of(d, text, &env, &options, &step->text, err);
}

ocib_errc ob_dispatch_run(ob_dispatch *d, ocib_error **err)
{
	ob_autofree char *script = NULL;
	ob_step *step = NULL;
	ocib_errc r = refuse_device(d, err);

	if (!r)
		r = check_platform(d, err);
	if (!r)
		r = ob_dispatch_add_step(d, OB_STEP_RUN, &step, err);
	if (!r)
		r = read_network(d, &step->run.network, err);
	if (!r)
		r = read_security(d, &step->run.insecure, err);
	if (!r)
		r = read_script(d, &step->run, &script, err);
	if (!r)
		r = ob_dispatch_command_line(d, script, &step->run.argv, err);
	if (!r && !step->run.argv.len)
		return ob_fail_here(err, d, NULL, OCIB_ERR_SYNTAX, "RUN needs a command");
	if (!r)
		r = read_surroundings(d, &step->run, err);
	if (!r)
		r = ob_dispatch_mounts(d, &step->run, err);
	if (!r)
		r = describe(d, step, err);
	return r ? r : commit(d, &step->run.argv, err);
}
