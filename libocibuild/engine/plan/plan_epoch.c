/* engine/plan/plan_epoch.c — SOURCE_DATE_EPOCH: a number of seconds, or something that has a time.
 *
 * As BuildKit has it: "context" is the build context, else it is the name of a named context, else that of a
 * stage that is nothing but one ADD of something remote. A commit has the time it was made, a file from a
 * server that of Last-Modified, else of an archive's latest file. What is local, or an image, has no
 * time: then there is no epoch, as with an empty value. Everybody after this sees a number.
 */
#include <inttypes.h>
#include <stdio.h>
#include "base/strings.h"
#include "engine/plan/planner.h"
#include "engine/source/git_address.h"
#include "registry/http_url.h"

#define EPOCH "SOURCE_DATE_EPOCH"

typedef struct epoch {
	bool has_time;
	int64_t time;
} epoch;

static void take_time(const ob_remote_context *remote, epoch *out)
{
	out->has_time = remote->has_time;
	out->time = remote->time;
}

static ocib_errc fail_stage(const ob_planner *p, const ob_location *at, const char *why,
			    ocib_error **err)
{
	return ob_fail_at(err, p->dockerfile, at, OCIB_ERR_SYNTAX,
			  "a stage whose time is to be " EPOCH " %s", why);
}

/* --- a stage --- */

/* What a stage says, followed as far as its source. */
typedef struct stage_reader {
	const ob_planner *p;
	ob_strlist env; /* global ARGs and the stage's own */
	char *source;   /* the address that it adds */
	const ob_location *at;
} stage_reader;

static void stage_reader_done(stage_reader *reader)
{
	ob_strlist_done(&reader->env);
	free(reader->source);
}

static ocib_errc expand(const stage_reader *reader, const char *word, const ob_location *at,
			char **out, ocib_error **err)
{
	const ob_shell_options options = {.escape = reader->p->dockerfile->escape};
	ocib_errc r = ob_shell_word(word, &reader->env, &options, NULL, out, err);

	return r ? ob_source_locate(&reader->p->dockerfile->source, at, r, err) : OCIB_OK;
}

static ocib_errc read_arg(stage_reader *reader, const ob_instruction *arg, ocib_error **err)
{
	for (size_t i = 0; i < arg->pair_count; i++) {
		const ob_pair *pair = &arg->pairs[i];
		const char *given = ob_env_get(&reader->p->build_args, pair->key);
		ob_autofree char *value = NULL;

		if (!given && !pair->value)
			continue;
		if (!given) {
			ocib_errc r = expand(reader, pair->value, &pair->at, &value, err);
			if (r)
				return r;
		}
		if (ob_env_set(&reader->env, pair->key, given ? given : value) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static ocib_errc read_add(stage_reader *reader, const ob_instruction *add, ocib_error **err)
{
	if (reader->source || add->heredoc_count || add->words.len != 2)
		return fail_stage(reader->p, &add->at, "has exactly one ADD, of one source", err);
	ocib_errc r = expand(reader, add->words.items[0].text, &add->at, &reader->source, err);
	if (r)
		return r;
	reader->at = &add->at;
	if (ob_is_file_url(reader->source) || ob_is_git_address(reader->source))
		return OCIB_OK;
	return fail_stage(reader->p, &add->at, "adds a URL or a git repository", err);
}

static ocib_errc read_instruction(stage_reader *reader, const ob_instruction *one, ocib_error **err)
{
	if (one->type == OB_INSTRUCTION_ARG)
		return read_arg(reader, one, err);
	if (one->type == OB_INSTRUCTION_ADD)
		return read_add(reader, one, err);
	return fail_stage(reader->p, &one->at, "has ARGs and one ADD, nothing else", err);
}

static ocib_errc read_stage(stage_reader *reader, const ob_stage_source *stage, ocib_error **err)
{
	ob_autofree char *base = NULL;

	if (ob_strlist_copy(&reader->env, &reader->p->global_args) < 0)
		return ob_fail_nomem(err);
	ob_env_unset(&reader->env, EPOCH);
	ocib_errc r = expand(reader, stage->from->from, &stage->from->at, &base, err);
	if (!r && !ob_str_eq(base, "scratch"))
		r = fail_stage(reader->p, &stage->from->at, "is FROM scratch", err);
	for (size_t i = 0; !r && i < stage->len; i++)
		r = read_instruction(reader, &stage->instructions[i], err);
	if (!r && !reader->source)
		r = fail_stage(reader->p, &stage->from->at, "has exactly one ADD, of one source",
			       err);
	return r;
}

static const ob_stage_source *find_stage(const ob_dockerfile *dockerfile, const char *name)
{
	for (size_t i = 0; i < dockerfile->stage_count; i++) {
		const char *as = dockerfile->stages[i].from->as;

		if (as && ob_str_eq_nocase(as, name))
			return &dockerfile->stages[i];
	}
	return NULL;
}

static ocib_errc ask_stage(ob_planner *p, const ob_stage_source *stage, epoch *out,
			   ocib_error **err)
{
	ob_autodone(stage_reader) reader = {.p = p};
	const ob_remote_context *remote = NULL;
	ocib_errc r = read_stage(&reader, stage, err);

	if (r)
		return r;
	r = ob_planner_fetch_context(p, reader.source, true, &remote, err);
	if (r)
		return ob_source_locate(&p->dockerfile->source, reader.at, r, err);
	take_time(remote, out);
	return OCIB_OK;
}

/* --- what has a time --- */

static ocib_errc ask_named(ob_planner *p, size_t source, epoch *out, ocib_error **err)
{
	const char *address = p->sources[source].context;
	const ob_remote_context *remote = NULL;

	if (!ob_is_remote_context(address))
		return OCIB_OK;
	ocib_errc r = ob_planner_fetch_context(p, address, true, &remote, err);
	if (r)
		return ob_wrap(err, r, "build context '%s'", p->sources[source].key);
	take_time(remote, out);
	return OCIB_OK;
}

static ocib_errc ask(ob_planner *p, const char *text, epoch *out, ocib_error **err)
{
	const ob_location *at = &p->dockerfile->stages[0].from->at;
	const ob_stage_source *stage = find_stage(p->dockerfile, text);
	ob_input named = {0};

	if (ob_str_eq(text, "context")) {
		*out = (epoch){p->options->has_context_time, p->options->context_time};
		return OCIB_OK;
	}
	ocib_errc r = ob_planner_find_stand_in(p, text, &p->options->platform, at, &named, err);
	if (r)
		return r;
	if (named.kind == OB_INPUT_SOURCE)
		return ask_named(p, named.index, out, err);
	if (stage)
		return ask_stage(p, stage, out, err);
	return ob_fail(err, OCIB_ERR_INVALID,
		       EPOCH
		       " is '%s': neither a number of seconds nor 'context', nor the name of a "
		       "named context or of a stage",
		       text);
}

/* --- the decision --- */

static ocib_errc set_everywhere(ob_planner *p, const char *value, ocib_error **err)
{
	ob_strlist *const lists[] = {&p->build_args, &p->global_args};

	for (size_t i = 0; i < OB_ARRAY_LEN(lists); i++)
		if (ob_env_get(lists[i], EPOCH) && ob_env_set(lists[i], EPOCH, value) < 0)
			return ob_fail_nomem(err);
	return OCIB_OK;
}

static void forget(ob_planner *p)
{
	ob_env_unset(&p->build_args, EPOCH);
	ob_env_unset(&p->global_args, EPOCH);
}

ocib_errc ob_planner_decide_epoch(ob_planner *p, ocib_error **err)
{
	const char *text = ob_env_get(&p->build_args, EPOCH);
	epoch found = {0};
	char number[24];

	if (!text)
		text = ob_env_get(&p->global_args, EPOCH);
	if (!text)
		return OCIB_OK;
	found.has_time = ob_parse_i64(text, &found.time);
	/* Who only checks fetches nothing. */
	if (*text && !found.has_time && !p->options->checking) {
		ocib_errc r = ask(p, text, &found, err);

		if (r)
			return r;
	}
	p->plan->has_epoch = found.has_time;
	p->plan->epoch = found.time;
	if (!found.has_time) {
		forget(p);
		return OCIB_OK;
	}
	(void)snprintf(number, sizeof(number), "%" PRId64, found.time);
	return set_everywhere(p, number, err);
}
