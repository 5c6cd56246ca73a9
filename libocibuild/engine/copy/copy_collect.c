/* engine/copy/copy_collect.c — what of a source directory is copied: all, or by patterns.
 *
 * --exclude and --parents use the language of ignore files on paths relative to the copied directory: a
 * pattern that matches a directory speaks of all that is in it. A directory that is not wanted itself is
 * still made when something in it is; then it comes before that, in order.
 */
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/copy/copy_inside.h"

/* A directory on the way to where the walk is. */
typedef struct crumb {
	size_t path_len; /* in crumb_path */
	void *include_state, *exclude_state;
	ob_copy_file unwanted; /* to be taken when something in it is; type 0: was taken */
} crumb;

typedef struct collector {
	ob_copy_match *match;
	size_t root_len;
	ob_ignore *include;        /* or NULL: everything */
	ob_ignore *exclude;        /* or NULL: nothing */
	const char *plain_include; /* the include pattern, where it says how deep to look */
	crumb *crumbs;             /* the first is the root */
	size_t crumb_len, crumb_cap;
	ob_buffer path; /* of the last crumb */
} collector;

static void drop_crumb(collector *c)
{
	crumb *last = &c->crumbs[--c->crumb_len];

	free(last->include_state);
	free(last->exclude_state);
	ob_copy_file_done(&last->unwanted);
}

static void collector_done(collector *c)
{
	while (c->crumb_len)
		drop_crumb(c);
	free(c->crumbs);
	ob_ignore_free(c->include);
	ob_ignore_free(c->exclude);
	ob_buffer_done(&c->path);
}

static int new_state(const ob_ignore *patterns, void **out)
{
	*out = NULL;
	if (!patterns)
		return 0;
	*out = malloc(ob_ignore_state_size(patterns) + 1);
	return *out ? 0 : -1;
}

static ocib_errc push_crumb(collector *c, crumb **out, ocib_error **err)
{
	crumb new = {0};

	if (c->crumb_len == c->crumb_cap) {
		size_t cap = c->crumb_cap ? c->crumb_cap * 2 : 16;
		crumb *grown = reallocarray(c->crumbs, cap, sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		c->crumbs = grown;
		c->crumb_cap = cap;
	}
	c->crumbs[c->crumb_len] = new;
	*out = &c->crumbs[c->crumb_len++];
	if (new_state(c->include, &(*out)->include_state) < 0 ||
	    new_state(c->exclude, &(*out)->exclude_state) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* Leave the directories that the walk has left. */
static void pop_crumbs(collector *c, const char *relative)
{
	while (c->crumb_len > 1) {
		size_t len = c->crumbs[c->crumb_len - 1].path_len;

		if (strncmp(relative, c->path.data, len) == 0 && relative[len] == '/')
			break;
		drop_crumb(c);
		c->path.len = c->crumbs[c->crumb_len - 1].path_len;
		c->path.data[c->path.len] = '\0';
	}
}

static ocib_errc take(collector *c, ob_copy_file *file, ocib_error **err)
{
	for (size_t i = 0; i < c->crumb_len; i++) {
		ob_copy_file *dir = &c->crumbs[i].unwanted;

		if (!dir->type)
			continue;
		dir->implied = true;
		if (ob_copy_files_take(&c->match->files, dir) < 0)
			return ob_fail_nomem(err);
	}
	return ob_copy_files_take(&c->match->files, file) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

/* A file or directory that is not wanted: need the walk go into it, and is it to be kept in mind? */
static bool leads_on(const collector *c, const ob_copy_file *file, const char *relative,
		     const crumb *own, bool included, bool excluded)
{
	bool whole;

	if (file->type != OB_ENTRY_DIR)
		return false;
	if (excluded && !ob_ignore_may_reinclude(c->exclude, relative, own->exclude_state))
		return false;
	if (!included && c->plain_include)
		return ob_pattern_may_match(c->plain_include, relative, &whole);
	return true;
}

static ocib_errc collect_one(void *arg, ob_copy_file *file, ob_walk_next *next, ocib_error **err)
{
	collector *c = arg;
	const char *relative = file->path + c->root_len + (c->root_len > 0);
	crumb *up, *own = NULL;

	pop_crumbs(c, relative);
	/* The crumb is pushed for files as well and dropped at once: one way for all. */
	ocib_errc r = push_crumb(c, &own, err);
	if (r)
		return r;
	up = &c->crumbs[c->crumb_len - 2];
	own->path_len = strlen(relative);
	bool included = !c->include ||
			ob_ignore_step(c->include, up->include_state, relative, own->include_state);
	bool excluded = c->exclude &&
			ob_ignore_step(c->exclude, up->exclude_state, relative, own->exclude_state);
	bool wanted = included && !excluded, is_dir = file->type == OB_ENTRY_DIR;
	bool enter = is_dir && (wanted || leads_on(c, file, relative, own, included, excluded));

	if (enter) {
		ob_buffer_clear(&c->path);
		ob_buffer_append_str(&c->path, relative);
		r = ob_buffer_check(&c->path, err);
	}
	if (!r && wanted)
		r = take(c, file, err);
	else if (!r && enter) {
		own->unwanted = *file;
		*file = (ob_copy_file){0};
	}
	if (r)
		return r;
	if (!enter) {
		drop_crumb(c);
		*next = OB_WALK_SKIP;
	}
	return OCIB_OK;
}

/* Without patterns, which is nearly always. */
static ocib_errc collect_all(void *arg, ob_copy_file *file, ob_walk_next *next, ocib_error **err)
{
	ob_copy_match *match = arg;

	(void)next;
	return ob_copy_files_take(&match->files, file) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

static ocib_errc compile(const ob_strlist *patterns, ob_ignore **out, ocib_error **err)
{
	return patterns->len ? ob_ignore_new(patterns, out, err) : OCIB_OK;
}

static ocib_errc start(collector *c, const ob_copy_op *op, const char *include, ocib_error **err)
{
	ob_autodone(ob_strlist) includes = {0};
	crumb *root = NULL;
	ocib_errc r = compile(&op->exclude, &c->exclude, err);

	if (!r && include) {
		if (ob_strlist_add(&includes, include) < 0)
			return ob_fail_nomem(err);
		r = compile(&includes, &c->include, err);
		if (!strstr(include, "**"))
			c->plain_include = include;
	}
	ob_buffer_append_str(&c->path, "");
	if (!r)
		r = ob_buffer_check(&c->path, err);
	if (!r)
		r = push_crumb(c, &root, err);
	if (r)
		return r;
	if (c->include)
		ob_ignore_root(c->include, root->include_state);
	if (c->exclude)
		ob_ignore_root(c->exclude, root->exclude_state);
	return OCIB_OK;
}

bool ob_pattern_may_match(const char *pattern, const char *path, bool *whole)
{
	ob_autofree char *segment = malloc(strlen(pattern) + 1);
	ob_autofree char *name = malloc(strlen(path) + 1);
	bool bad = false;

	*whole = false;
	if (!segment || !name)
		return true;
	for (;;) {
		size_t pattern_len = strcspn(pattern, "/"), len = strcspn(path, "/");

		memcpy(segment, pattern, pattern_len);
		segment[pattern_len] = '\0';
		memcpy(name, path, len);
		name[len] = '\0';
		if (!ob_glob_match(segment, name, &bad))
			return false;
		pattern += pattern_len + (pattern[pattern_len] == '/');
		path += len + (path[len] == '/');
		if (!*pattern || !*path)
			break;
	}
	/* A longer path is below what the pattern matches, a shorter one on the way to it. */
	*whole = !*pattern && !*path;
	return *whole || *pattern;
}

ocib_errc ob_copy_collect(ob_copy_job *job, ob_copy_match *match, const char *include,
			  ocib_error **err)
{
	__attribute__((cleanup(collector_done))) collector c = {
		.match = match,
		.root_len = strlen(match->root),
		.path = OB_BUFFER_INIT(OB_LIMIT_TAR_NAME, "a path"),
	};
	ocib_errc r = start(&c, ob_job_op(job), include, err);

	if (r)
		return r;
	if (!c.include && !c.exclude)
		return match->source->ops->walk(match->source, match->root, true, collect_all,
						match, err);
	return match->source->ops->walk(match->source, match->root, false, collect_one, &c, err);
}
