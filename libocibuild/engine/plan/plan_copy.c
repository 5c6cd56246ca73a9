/* engine/plan/plan_copy.c — COPY and ADD to an ob_copy_op: everything expanded, nothing looked at.
 *
 * Paths come before inline files whatever their order in the line, and words of a JSON array expand
 * like others. Neither is --from nor --exclude expanded. --link has no effect together with --chmod:
 * BuildKit then copies in the ordinary way, and so do we. What a path or a wildcard means, and whether
 * it exists, is the copy's business.
 */
#include <ctype.h>
#include <string.h>
#include "base/paths.h"
#include "base/strings.h"
#include "engine/plan/planner.h"
#include "engine/source/git_address.h"
#include "engine/source/remote_file.h"

/* A flag's value, expanded; left NULL when it is not given or empty. */
static ocib_errc expand_flag(const ob_dispatch *d, const char *name, char **out, ocib_error **err)
{
	const ob_flag *flag = ob_dispatch_flag(d, name);
	ob_autofree char *value = NULL;
	ocib_errc r;

	if (!flag)
		return OCIB_OK;
	r = ob_dispatch_expand(d, flag->value, &flag->at, &value, err);
	if (!r && *value)
		*out = ob_take_ptr(value);
	return r;
}

/* chmod(1)'s symbolic modes: clauses of who, then operators with permissions. */
static bool is_symbolic_mode(const char *text)
{
	do {
		text += strspn(text, "augo");
		if (!*text || !strchr("+-=", *text))
			return false;
		while (*text && strchr("+-=", *text))
			text += 1 + strspn(text + 1, "rwxXstugo");
	} while (*text++ == ',');
	return text[-1] == '\0';
}

static bool is_mode(const char *text)
{
	uint64_t mode;

	return isdigit((unsigned char)*text) ? ob_parse_u64(text, 8, 07777, &mode)
					     : is_symbolic_mode(text);
}

static ocib_errc read_chmod(const ob_dispatch *d, ob_copy_op *op, ocib_error **err)
{
	ocib_errc r = expand_flag(d, "chmod", &op->chmod, err);

	if (r || !op->chmod || is_mode(op->chmod))
		return r;
	return ob_fail_here(
		err, d, &ob_dispatch_flag(d, "chmod")->at, OCIB_ERR_SYNTAX,
		"invalid chmod parameter: '%s'. it should be octal string and between 0 "
		"and 07777, or symbolic like u=rwX,go=rX",
		op->chmod);
}

static ocib_errc read_excludes(const ob_dispatch *d, ob_copy_op *op, ocib_error **err)
{
	for (size_t i = 0; i < d->instruction->flag_count; i++) {
		const ob_flag *flag = &d->instruction->flags[i];

		if (ob_str_eq(flag->name, "exclude") &&
		    ob_strlist_add(&op->exclude, flag->value) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static ocib_errc read_flags(const ob_dispatch *d, ob_copy_op *op, ocib_error **err)
{
	ocib_errc r = expand_flag(d, "chown", &op->chown, err);

	if (!r)
		r = read_chmod(d, op, err);
	if (!r)
		r = expand_flag(d, "checksum", &op->checksum, err);
	if (!r)
		r = read_excludes(d, op, err);
	op->unpack = ob_dispatch_flag_bool(d, "unpack");
	op->keep_git_dir = ob_dispatch_flag_bool(d, "keep-git-dir") == 1;
	op->link = ob_dispatch_flag_bool(d, "link") == 1 && !op->chmod;
	op->parents = ob_dispatch_flag_bool(d, "parents") == 1;
	return r;
}

/* Where paths are from: another stage, an image, a directory. */
static ocib_errc find_from(const ob_dispatch *d, ob_copy_op *op, ocib_error **err)
{
	ob_planner *p = d->planner;
	ob_input from = {0};
	ocib_errc r = OCIB_OK;

	if (d->command->from_count)
		from = ob_planner_real_input(p, d->command->from[0]);
	if (from.kind == OB_INPUT_STAGE) {
		const ob_plan_stage *stage = &p->stages[from.index];

		op->from = stage->node;
		if (op->from == OB_NO_INDEX)
			return ob_fail_here(
				err, d, &ob_dispatch_flag(d, "from")->at, OCIB_ERR_SYNTAX,
				"cannot copy from stage '%s', it needs to be defined before "
				"current stage '%s'",
				stage->label, d->stage->label);
	} else {
		if (from.kind == OB_INPUT_NONE)
			r = ob_planner_main_context(p, ob_dispatch_place(d, NULL), &from.index,
						    err);
		if (!r)
			r = ob_planner_source_node(p, from.index, &op->from, err);
		if (r)
			return r;
	}
	op->keep_owner = p->plan->nodes[op->from].kind != OB_NODE_CONTEXT;
	return OCIB_OK;
}

static ocib_errc read_url(const ob_dispatch *d, ob_copy_source *source, const ob_location *at,
			  ocib_error **err)
{
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = ob_remote_file_name(source->path, &source->name, &why);

	source->kind = OB_COPY_URL;
	if (r != OCIB_ERR_INVALID)
		return r ? ob_error_move(err, &why) : OCIB_OK;
	return ob_fail_here(err, d, at, OCIB_ERR_SYNTAX, "'%s' is no URL of a file: %s",
			    source->path, ocib_error_message(why));
}

/* The flags and the address must not contradict each other. */
static ocib_errc compare_flags(const ob_dispatch *d, ob_copy_op *op, const ob_git_address *address,
			       const ob_location *at, ocib_error **err)
{
	int keep = ob_dispatch_flag_bool(d, "keep-git-dir");

	if (keep >= 0 && address->keep_git_dir >= 0 && keep != address->keep_git_dir)
		return ob_fail_here(err, d, at, OCIB_ERR_SYNTAX,
				    "inconsistent keep-git-dir configuration");
	if (op->checksum && address->checksum && !ob_str_eq_nocase(op->checksum, address->checksum))
		return ob_fail_here(err, d, at, OCIB_ERR_SYNTAX,
				    "--checksum '%s' is not the URL's checksum '%s'", op->checksum,
				    address->checksum);
	return OCIB_OK;
}

static ocib_errc read_git(const ob_dispatch *d, ob_copy_op *op, ob_copy_source *source,
			  const ob_location *at, ocib_error **err)
{
	ob_autodone(ob_git_address) address = {0};
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = ob_git_address_parse(source->path, &address, &why);

	source->kind = OB_COPY_GIT;
	if (r == OCIB_ERR_INVALID)
		return ob_fail_here(err, d, at, OCIB_ERR_SYNTAX, "%s", ocib_error_message(why));
	return r ? ob_error_move(err, &why) : compare_flags(d, op, &address, at, err);
}

/* A path, or an address, which is ADD's alone. */
static ocib_errc find_kind(const ob_dispatch *d, ob_copy_op *op, ob_copy_source *source,
			   const ob_location *at, ocib_error **err)
{
	bool is_git = ob_is_git_address(source->path), is_url = ob_is_file_url(source->path);

	source->kind = OB_COPY_PATHS;
	if (!is_git && !is_url)
		return OCIB_OK;
	if (d->instruction->type == OB_INSTRUCTION_COPY)
		return ob_fail_here(err, d, at, OCIB_ERR_SYNTAX, "source can't be %s for COPY",
				    is_git ? "a git ref" : "a URL");
	return is_git ? read_git(d, op, source, at, err) : read_url(d, source, at, err);
}

static ocib_errc add_path(const ob_dispatch *d, const ob_word *word, ob_copy_op *op,
			  ob_buffer *history, ocib_error **err)
{
	ob_copy_source *source = &op->sources[op->source_count++];
	ocib_errc r = ob_dispatch_expand(d, word->text, &word->at, &source->path, err);

	if (r)
		return r;
	source->at = *ob_dispatch_place(d, &word->at);
	ob_buffer_printf(history, " %s", source->path);
	return find_kind(d, op, source, &word->at, err);
}

/* The body as it stands, or with the stage's variables; quotes and comments are text to it. */
static ocib_errc expand_body(const ob_dispatch *d, const ob_heredoc *heredoc, char **out,
			     ocib_error **err)
{
	static const ob_shell_options options = {.escape = '\\', .skip_process_quotes = true};

	if (!heredoc->expand) {
		*out = strndup(heredoc->content, heredoc->len);
		return *out ? OCIB_OK : ob_fail_nomem(err);
	}
	return ob_dispatch_expand_as(d, &options, heredoc->content, &heredoc->at, out, err);
}

static ocib_errc add_inline(const ob_dispatch *d, const ob_word *word, ob_copy_op *op,
			    ob_buffer *history, ocib_error **err)
{
	const ob_heredoc *heredoc = word->heredoc;
	ob_copy_source *source = &op->sources[op->source_count++];
	ocib_errc r = ob_dispatch_check_file_name(d, heredoc->name, &word->at, err);

	if (!r)
		r = expand_body(d, heredoc, &source->data, err);
	if (!r)
		r = ob_planner_spend(d->planner, strlen(source->data), d->command->at, err);
	if (r)
		return r;
	source->kind = OB_COPY_INLINE;
	source->at = *ob_dispatch_place(d, &word->at);
	source->data_len = strlen(source->data);
	source->path = strdup(heredoc->name);
	ob_buffer_printf(history, " <<%s", heredoc->name);
	return source->path ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc read_sources(const ob_dispatch *d, ob_copy_op *op, ob_buffer *history,
			      ocib_error **err)
{
	size_t count = d->instruction->words.len - 1;

	op->sources = calloc(count + 1, sizeof(*op->sources));
	if (!op->sources)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < 2 * count; i++) {
		const ob_word *word = &d->instruction->words.items[i % count];
		bool want_inline = i >= count;
		ocib_errc r = OCIB_OK;

		if (want_inline && word->heredoc)
			r = add_inline(d, word, op, history, err);
		else if (!want_inline && !word->heredoc)
			r = add_path(d, word, op, history, err);
		if (r)
			return r;
	}
	return OCIB_OK;
}

static ocib_errc check_checksum(const ob_dispatch *d, const ob_copy_op *op, ocib_error **err)
{
	const char *wrong = NULL, *sum = op->checksum;
	ob_digest digest;

	if (!op->checksum)
		return OCIB_OK;
	if (d->instruction->words.len != 2)
		wrong = "checksum can't be specified for multiple sources";
	else if (op->sources[0].kind != OB_COPY_URL && op->sources[0].kind != OB_COPY_GIT)
		wrong = "checksum requires HTTP(S) or Git sources";
	else if (op->sources[0].kind == OB_COPY_GIT)
		wrong = sum[strspn(sum, "0123456789abcdefABCDEF")]
				? "checksum of a git repository is the beginning of a commit's id"
				: NULL;
	else if (ob_digest_parse(sum, &digest, NULL))
		wrong = "checksum of a URL is a digest like sha256:0123… with 64 hexadecimal digits";
	if (!wrong)
		return OCIB_OK;
	return ob_fail_here(err, d, &ob_dispatch_flag(d, "checksum")->at, OCIB_ERR_SYNTAX, "%s",
			    wrong);
}

/* Absolute; a trailing '/' says that it is a directory, and so do "." and nothing at all. */
static char *image_path(const char *current, const char *written)
{
	bool is_dir = !*written || ob_str_eq(written, ".") || ob_str_ends(written, "/") ||
		      ob_str_ends(written, "/.");
	ob_autofree char *base = ob_path_join("/", current ? current : "");
	ob_autofree char *path = base ? ob_path_join(base, *written ? written : ".") : NULL;

	if (!path || !is_dir || ob_str_ends(path, "/"))
		return ob_take_ptr(path);
	return ob_str_printf("%s/", path);
}

static ocib_errc read_dest(const ob_dispatch *d, ob_copy_op *op, ob_buffer *history,
			   ocib_error **err)
{
	const ob_words *words = &d->instruction->words;
	const ob_word *word = &words->items[words->len - 1];
	ob_autofree char *written = NULL;
	ocib_errc r = ob_dispatch_expand(d, word->text, &word->at, &written, err);

	if (r)
		return r;
	ob_buffer_printf(history, " %s", written);
	op->dest = image_path(d->stage->config->working_dir, written);
	return op->dest ? OCIB_OK : ob_fail_nomem(err);
}

static void begin_history(const ob_copy_op *op, ob_buffer *history)
{
	ob_buffer_append_str(history, op->is_add ? "ADD" : "COPY");
	if (op->parents)
		ob_buffer_append_str(history, " --parents");
	if (op->chown)
		ob_buffer_printf(history, " --chown=%s", op->chown);
	if (op->chmod)
		ob_buffer_printf(history, " --chmod=%s", op->chmod);
}

ocib_errc ob_dispatch_copy(ob_dispatch *d, ocib_error **err)
{
	const ob_shell_options options = {.escape = d->planner->dockerfile->escape};
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;
	ob_step *step = NULL;
	ocib_errc r = ob_dispatch_add_step(d, OB_STEP_COPY, &step, err);

	if (r)
		return r;
	ob_copy_op *op = &step->copy;
	op->is_add = d->instruction->type == OB_INSTRUCTION_ADD;
	r = read_flags(d, op, err);
	if (r)
		return r;
	begin_history(op, &history);
	r = read_sources(d, op, &history, err);
	if (!r)
		r = check_checksum(d, op, err);
	if (!r)
		r = read_dest(d, op, &history, err);
	if (!r)
		r = find_from(d, op, err);
	if (!r)
		r = ob_dispatch_step_text(d, d->instruction->original, &options, &step->text, err);
	if (r)
		return r;
	ob_buffer_append_str(&history, OB_HISTORY_MARK);
	return ob_dispatch_commit(d, &history, true, err);
}
