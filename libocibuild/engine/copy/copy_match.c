/* engine/copy/copy_match.c — from the sources that a COPY names to the files that it means.
 *
 * A source is a path from the root of the context or tree; what would climb out stops there. The part
 * before the first wildcard must exist and its links are followed; what a wildcard matches may be nothing.
 * A match that is a link is followed too; links further down are copied as they are.
 */
#include <string.h>
#include "base/paths.h"
#include "base/strings.h"
#include "engine/copy/context_source.h"
#include "engine/copy/copy_inside.h"

ocib_errc ob_copy_locate(const ob_copy_job *job, const ob_location *at, ocib_errc code,
			 ocib_error **err)
{
	const ob_dockerfile *dockerfile = job->input.plan->dockerfile;

	return code && dockerfile ? ob_source_locate(&dockerfile->source, at, code, err) : code;
}

/* "the build context", "stage 'build'", "image 'x'": where a path is not. */
static ocib_errc fail_missing(const ob_copy_job *job, const char *path, ocib_error **err)
{
	const ob_node *node = &job->input.plan->nodes[ob_job_op(job)->from];
	ocib_errc r;

	if (node->kind == OB_NODE_CONTEXT || node->kind == OB_NODE_TREE)
		r = ob_fail(err, OCIB_ERR_NOTFOUND, "'/%s' not found in the build context", path);
	else
		r = ob_fail(err, OCIB_ERR_NOTFOUND, "'/%s' not found in %s '%s'", path,
			    node->kind == OB_NODE_STAGE ? "stage" : "image",
			    node->name ? node->name : "");
	job->source->ops->explain(job->source, path, err);
	return r;
}

static ocib_errc new_match(ob_copy_job *job, const ob_copy_source *from, ob_copy_match **out,
			   ocib_error **err)
{
	if (job->match_count == job->match_cap) {
		size_t cap = job->match_cap ? job->match_cap * 2 : 8;
		ob_copy_match *grown = reallocarray(job->matches, cap, sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		job->matches = grown;
		job->match_cap = cap;
	}
	*out = &job->matches[job->match_count++];
	**out = (ob_copy_match){.from = from};
	return OCIB_OK;
}

/* One path, links followed; with @p include only what it matches is copied, not the directory itself. */
static ocib_errc add_path(ob_copy_job *job, const ob_copy_source *from, const char *path,
			  const char *include, ocib_error **err)
{
	ob_autodone(ob_copy_file) file = {0};
	ob_copy_match *match = NULL;
	ocib_errc r = new_match(job, from, &match, err);

	if (r)
		return r;
	match->source = job->source;
	match->scan = job->input.scan;
	match->name = strdup(ob_path_base(path));
	if (!match->name)
		return ob_fail_nomem(err);
	r = ob_copy_source_resolve(job->source, path, &match->root, &file, err);
	if (r)
		return ob_wrap(err, r, "'/%s'", path);
	if (!file.type)
		return fail_missing(job, path, err);
	bool is_dir = file.type == OB_ENTRY_DIR;
	if (ob_copy_files_take(&match->files, &file) < 0)
		return ob_fail_nomem(err);
	if (is_dir)
		r = ob_copy_collect(job, match, include, err);
	return r ? r : ob_copy_group_links(job, match, err);
}

/* --- wildcards --- */

typedef struct glob_walk {
	const char *pattern;
	size_t root_len;
	ob_strlist found;
} glob_walk;

static ocib_errc glob_one(void *arg, ob_copy_file *file, ob_walk_next *next, ocib_error **err)
{
	glob_walk *g = arg;
	bool whole = false;

	if (!ob_pattern_may_match(g->pattern, file->path + g->root_len + (g->root_len > 0),
				  &whole)) {
		*next = OB_WALK_SKIP;
		return OCIB_OK;
	}
	if (!whole)
		return OCIB_OK;
	*next = OB_WALK_SKIP;
	return ob_strlist_add(&g->found, file->path) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

static bool has_wildcard(const char *segment, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (segment[i] == '\\')
			i++;
		else if (strchr("*?[", segment[i]))
			return true;
	}
	return false;
}

/* Length of the leading segments without wildcards; the whole length when no segment has one. */
static size_t plain_length(const char *path)
{
	size_t at = 0;

	for (;;) {
		size_t len = strcspn(path + at, "/");

		if (has_wildcard(path + at, len))
			return at ? at - 1 : 0;
		at += len;
		if (!path[at])
			return at;
		at++;
	}
}

/* All that a path with wildcards names, in order, as paths in which the plain part's links are followed. */
static ocib_errc expand_wildcards(ob_copy_job *job, const char *path, ob_strlist *out,
				  ocib_error **err)
{
	size_t plain = plain_length(path);
	ob_autofree char *dir = strndup(path, plain);
	ob_autofree char *root = NULL;
	ob_autodone(ob_copy_file) file = {0};
	glob_walk g = {.pattern = path + plain + (path[plain] == '/')};

	if (!dir)
		return ob_fail_nomem(err);
	if (!path[plain])
		return ob_strlist_add(out, path) < 0 ? ob_fail_nomem(err) : OCIB_OK;
	ocib_errc r = ob_copy_source_resolve(job->source, dir, &root, &file, err);
	if (r)
		return ob_wrap(err, r, "'/%s'", dir);
	if (!file.type)
		return fail_missing(job, dir, err);
	if (file.type != OB_ENTRY_DIR)
		return OCIB_OK;
	g.root_len = strlen(root);
	g.found = *out;
	r = job->source->ops->walk(job->source, root, false, glob_one, &g, err);
	*out = g.found;
	return r;
}

static ocib_errc add_wildcards(ob_copy_job *job, const ob_copy_source *from, const char *path,
			       const char *include, ocib_error **err)
{
	ob_autodone(ob_strlist) paths = {0};
	ocib_errc r = expand_wildcards(job, path, &paths, err);

	for (size_t i = 0; i < paths.len && !r; i++)
		r = add_path(job, from, paths.items[i], include, err);
	return r;
}

/* --- --parents --- */

/* What has no wildcard must be there. */
static ocib_errc require(ob_copy_job *job, const char *dir, const char *pattern, ocib_error **err)
{
	ob_autodone(ob_copy_file) file = {0};
	ob_autofree char *path = ob_str_printf("%s/%s", dir, pattern);
	ob_autofree char *clean = path ? ob_path_to_entry(path) : NULL;
	ob_autofree char *resolved = NULL;

	if (!clean)
		return ob_fail_nomem(err);
	if (plain_length(clean) != strlen(clean))
		return OCIB_OK;
	ocib_errc r = ob_copy_source_resolve(job->source, clean, &resolved, &file, err);
	if (r)
		return ob_wrap(err, r, "'/%s'", clean);
	return file.type ? OCIB_OK : fail_missing(job, clean, err);
}

/* Copies the directory before "/./" (or the root), but of it only what the rest of the path matches. */
static ocib_errc add_with_parents(ob_copy_job *job, const ob_copy_source *from, ocib_error **err)
{
	const char *pivot = strstr(from->path, "/./");
	const char *rest = pivot ? pivot + 3 : from->path;
	ob_autofree char *before = strndup(from->path, pivot ? (size_t)(pivot - from->path) : 0);
	ob_autofree char *dir = before ? ob_path_to_entry(before) : NULL;
	ob_autofree char *pattern = ob_path_to_entry(rest);

	if (!dir || !pattern)
		return ob_fail_nomem(err);
	ocib_errc r = require(job, dir, pattern, err);
	if (r)
		return r;
	return add_wildcards(job, from, dir, *pattern ? pattern : NULL, err);
}

/* --- all sources --- */

/* A file that is not in any tree. */
static ocib_errc add_single(ob_copy_job *job, const ob_copy_source *from, const char *name,
			    ob_copy_match **out, ocib_error **err)
{
	ocib_errc r = new_match(job, from, out, err);

	if (r)
		return r;
	(*out)->name = strdup(name);
	return (*out)->name ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc add_inline(ob_copy_job *job, const ob_copy_source *from, ocib_error **err)
{
	ob_autofree char *path = ob_path_to_entry(from->path);
	ob_copy_match *match = NULL;

	return path ? add_single(job, from, ob_path_base(path), &match, err) : ob_fail_nomem(err);
}

static ocib_errc add_url(ob_copy_job *job, const ob_copy_source *from, ocib_error **err)
{
	ob_copy_match *match = NULL;
	ocib_errc r = add_single(job, from, from->name, &match, err);

	if (!r)
		match->remote = &job->input.remotes[from - ob_job_op(job)->sources].file;
	return r;
}

/* A reader of the checkout that the job keeps. */
static ocib_errc open_checkout(ob_copy_job *job, size_t i, ob_copy_source_reader **out,
			       ocib_error **err)
{
	if (!job->checkouts)
		job->checkouts =
			calloc(ob_job_op(job)->source_count, sizeof(ob_copy_source_reader *));
	if (!job->checkouts)
		return ob_fail_nomem(err);
	ocib_errc r = ob_context_source_new(job->input.remotes[i].scan, &job->checkouts[i], err);
	*out = job->checkouts[i];
	return r;
}

/* All files of a commit, as the content of a directory. */
static ocib_errc add_git(ob_copy_job *job, const ob_copy_source *from, ocib_error **err)
{
	size_t i = (size_t)(from - ob_job_op(job)->sources);
	ob_autodone(ob_copy_file) file = {0};
	ob_copy_match *match = NULL;
	ocib_errc r = add_single(job, from, "", &match, err);

	if (!r)
		r = open_checkout(job, i, &match->source, err);
	if (!r)
		r = ob_copy_source_resolve(match->source, "", &match->root, &file, err);
	if (r)
		return r;
	match->scan = job->input.remotes[i].scan;
	if (ob_copy_files_take(&match->files, &file) < 0)
		return ob_fail_nomem(err);
	r = ob_copy_collect(job, match, NULL, err);
	return r ? r : ob_copy_group_links(job, match, err);
}

static ocib_errc add_source(ob_copy_job *job, const ob_copy_source *from, ocib_error **err)
{
	ob_autofree char *path = NULL;

	switch (from->kind) {
	case OB_COPY_INLINE: return add_inline(job, from, err);
	case OB_COPY_URL: return add_url(job, from, err);
	case OB_COPY_GIT: return add_git(job, from, err);
	case OB_COPY_PATHS: break;
	}
	if (ob_job_op(job)->parents)
		return add_with_parents(job, from, err);
	path = ob_path_to_entry(from->path);
	if (path && ob_job_op(job)->as_mount)
		return add_path(job, from, path, NULL, err);
	return path ? add_wildcards(job, from, path, NULL, err) : ob_fail_nomem(err);
}

ocib_errc ob_copy_find_matches(ob_copy_job *job, ocib_error **err)
{
	const ob_copy_op *op = ob_job_op(job);

	for (size_t i = 0; i < op->source_count; i++) {
		ocib_errc r = add_source(job, &op->sources[i], err);

		if (r)
			return ob_copy_locate(job, &op->sources[i].at, r, err);
	}
	return OCIB_OK;
}
