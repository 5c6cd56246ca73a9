/* engine/plan/plan_resolve.c — what needed stages stand on, opened: manifests and configs of images.
 *
 * Images are resolved side by side, since each costs round trips to a registry. ONBUILD triggers of a
 * base may need further stages and images, so this goes round until nothing new turns up.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"
#include "engine/source/parallel.h"

#define RESOLVE_THREADS 8 /* they wait for a network, so more than there are processors */

/* A source to resolve, and what came of it. */
typedef struct resolve_job {
	ob_plan_source *source;
	ocib_errc result;
	ocib_error *error;
} resolve_job;

typedef struct resolve_run {
	const ob_planner *planner;
	resolve_job *jobs;
} resolve_run;

/* What to ask for: a named context that is an image is looked up like any name, in the store first. */
static const char *lookup_name(const ob_plan_source *source)
{
	const char *name = source->context ? source->context : source->name;

	return ob_str_starts(name, OB_CONTEXT_IMAGE) ? name + strlen(OB_CONTEXT_IMAGE) : name;
}

/* A failure is kept with its job: the first of the file is reported, not the first in time. */
static ocib_errc resolve_one(size_t i, void *arg, ocib_error **err)
{
	const resolve_run *run = arg;
	const ob_planner *p = run->planner;
	resolve_job *job = &run->jobs[i];
	ob_plan_source *source = job->source;
	ocib_errc r = ob_check_canceled(p->ctx, err);

	if (r)
		return r;
	job->result = ob_image_source_resolve(p->images, lookup_name(source), &source->platform,
					      p->options->pull, &source->image, &job->error);
	return OCIB_OK;
}

/* A name that somebody chose for an image of their own: one component, none of Docker's well-known. */
static bool looks_local(const char *name)
{
	static const char *const official[] = {
		"alpine", "busybox", "centos", "debian", "fedora", "golang", "node",
		"nginx",  "php",     "python", "ruby",   "rust",   "ubuntu",
	};
	size_t len = strcspn(name, ":@");

	if (strchr(name, '/') || strchr(name, '@'))
		return false;
	for (size_t i = 0; i < OB_ARRAY_LEN(official); i++)
		if (strlen(official[i]) == len && strncmp(name, official[i], len) == 0)
			return false;
	return true;
}

/* What the person may have meant, or has to do first; NULL: nothing comes to mind. */
static char *advise(const ob_planner *p, const char *name)
{
	const char *stage = ob_planner_nearest_stage(p, name);
	int len = (int)strcspn(name, ":");

	if (stage)
		return ob_str_printf("did you mean the stage '%s'?", stage);
	if (!looks_local(name))
		return NULL;
	return ob_str_printf("if '%s' is an image of your own, it has to be built first:\n"
			     "  ocibuild build -f build/Dockerfile.%.*s -t %s%s .",
			     name, len, name, name, name[len] ? "" : ":latest");
}

static void add_hint(ocib_error **err, const char *text)
{
	const char *have = ocib_error_hint(*err);
	ob_autofree char *both = have ? ob_str_printf("%s\n%s", text, have) : NULL;

	ob_error_set_hint(err, "%s", both ? both : text);
}

/* Say at which line. A registry denies what it does not have, and so does --offline: for a name of
 * one's own both mean that there is no such image. */
static ocib_errc explain(const ob_planner *p, resolve_job *job, ocib_error **err)
{
	const ob_plan_source *source = job->source;
	ob_autofree char *hint = NULL;
	ocib_errc r = job->result;

	if (!source->context && (r == OCIB_ERR_NOTFOUND || r == OCIB_ERR_DENIED ||
				 r == OCIB_ERR_NETWORK || r == OCIB_ERR_PROTOCOL))
		hint = advise(p, source->name);
	if (r == OCIB_ERR_DENIED && hint)
		r = ob_fail(err, OCIB_ERR_NOTFOUND, "%s", ocib_error_message(job->error));
	else
		r = ob_error_move(err, &job->error);
	if (hint && err)
		add_hint(err, hint);
	return ob_source_locate(&p->dockerfile->source, source->at, r, err);
}

/* A check goes on: what the base would say is not known then. */
static ocib_errc go_without(ob_planner *p, resolve_job *job, ocib_error **err)
{
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = explain(p, job, &why);

	if (r == OCIB_ERR_NOMEM || r == OCIB_ERR_CANCELED)
		return ob_error_move(err, &why);
	job->source->missing = true;
	if (!p->plan->missing)
		p->plan->missing = ob_take_ptr(why);
	return OCIB_OK;
}

static ocib_errc refuse_context(const ob_planner *p, const ob_plan_source *source, ocib_error **err)
{
	const char *value = source->context;

	if (ob_str_starts(value, OB_CONTEXT_IMAGE) || ob_str_starts(value, OB_CONTEXT_LAYOUT))
		return OCIB_OK;
	return ob_fail_at(err, p->dockerfile, source->at, OCIB_ERR_UNSUPPORTED,
			  "build context '%s' is of an unknown kind, which is not supported: %s",
			  source->key, value);
}

/* Directories and refusals at once; images go to the list. */
static ocib_errc list_jobs(ob_planner *p, resolve_job *jobs, size_t *count, ocib_error **err)
{
	for (size_t i = 0; i < p->source_count; i++) {
		ob_plan_source *source = &p->sources[i];
		ocib_errc r = OCIB_OK;

		if (!source->wanted)
			continue;
		if (source->kind == OB_NODE_CONTEXT && !source->dir)
			r = ob_planner_open_dir(p, source, err);
		if (source->kind == OB_NODE_IMAGE && source->context)
			r = refuse_context(p, source, err);
		if (r)
			return r;
		if (source->kind == OB_NODE_IMAGE && !source->image && !source->missing)
			jobs[(*count)++].source = source;
	}
	return OCIB_OK;
}

ocib_errc ob_planner_open_sources(ob_planner *p, ocib_error **err)
{
	ob_autofree resolve_job *jobs = calloc(p->source_count + 1, sizeof(*jobs));
	resolve_run run = {.planner = p, .jobs = jobs};
	size_t count = 0;
	ocib_errc r;

	if (!jobs)
		return ob_fail_nomem(err);
	r = list_jobs(p, jobs, &count, err);
	if (r)
		return r;
	r = ob_parallel(count, RESOLVE_THREADS, resolve_one, &run, err);
	for (size_t i = 0; i < count; i++) {
		if (jobs[i].result && !r)
			r = p->options->checking ? go_without(p, &jobs[i], err)
						 : explain(p, &jobs[i], err);
		jobs[i].error = ocib_error_free(jobs[i].error);
	}
	return r;
}

ocib_errc ob_planner_resolve(ob_planner *p, ocib_error **err)
{
	bool more = true;

	while (more) {
		ocib_errc r;

		ob_planner_mark_needed(p);
		r = ob_planner_open_sources(p, err);
		if (r)
			return r;
		more = false;
		for (size_t i = 0; i < p->stage_count; i++) {
			if (!p->stages[i].needed || p->stages[i].has_triggers)
				continue;
			more = true;
			r = ob_planner_add_triggers(p, &p->stages[i], err);
			if (r)
				return r;
		}
	}
	return OCIB_OK;
}
