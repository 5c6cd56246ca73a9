/* engine/copy/context_source.c — looking things up in a local context, and walking it.
 *
 * What the ignore patterns exclude is not there. A directory that is excluded while something in it is
 * re-included is there with just that; it is announced when the first such thing is met, so that a
 * directory of which nothing remains never shows.
 *
 * Directories are read as the walk comes to them, or ahead of it where it will want nearly all.
 * Sockets are skipped: no layer can hold them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "engine/copy/context_source.h"
#include "engine/copy/dir_listing.h"

typedef struct context_source {
	ob_copy_source_reader base;
	ob_context_scan *scan;
	ob_arena texts;     /* of all files that were handed out */
	ob_context_dir dir; /* of the file that was written last */
} context_source;

static ob_context_scan *scan_of(ob_copy_source_reader *self)
{
	return ((context_source *)self)->scan;
}

static ob_arena *texts_of(ob_copy_source_reader *self)
{
	return &((context_source *)self)->texts;
}

/* --- the ignore patterns --- */

/* The state of an existing or possible directory path, from the root down. */
static ocib_errc state_of_path(const ob_context_scan *scan, const char *path, void **out,
			       bool *excluded, ocib_error **err)
{
	ob_autofree char *part = strdup(path);
	ob_autofree void *parent = NULL;
	ocib_errc r = part ? ob_ignore_state_new(scan, &parent, err) : ob_fail_nomem(err);

	*excluded = false;
	if (r)
		return r;
	if (parent)
		ob_ignore_root(scan->node->ignore, parent);
	for (size_t len = 0; parent && part[len];) {
		ob_autofree void *state = NULL;

		len += part[len] == '/';
		len += strcspn(part + len, "/");
		char cut = part[len];
		part[len] = '\0';
		r = ob_ignore_state_new(scan, &state, err);
		if (r)
			return r;
		*excluded = ob_ignore_step(scan->node->ignore, parent, part, state);
		part[len] = cut;
		void *old = parent;
		parent = ob_take_ptr(state);
		free(old);
	}
	*out = ob_take_ptr(parent);
	return OCIB_OK;
}

/* --- walking --- */

typedef struct frame {
	struct frame *up;
	ob_copy_file *dir; /* not yet announced, or NULL */
	bool skip;         /* the visitor does not want what is below */
} frame;

typedef struct context_walk {
	ob_context_scan *scan;
	ob_arena *texts;
	ob_dir_lister *lister; /* or NULL */
	ob_source_visit visit;
	void *arg;
	bool stopped;
} context_walk;

static ocib_errc visit_file(context_walk *w, ob_copy_file *file, bool *skip, ocib_error **err)
{
	ob_walk_next next = OB_WALK_ENTER;
	ocib_errc r = w->visit(w->arg, file, &next, err);

	*skip = next != OB_WALK_ENTER;
	if (next == OB_WALK_STOP)
		w->stopped = true;
	return r;
}

/* Show the excluded directories on the way to something that is not. */
static ocib_errc announce(context_walk *w, frame *f, ocib_error **err)
{
	ocib_errc r = f->up ? announce(w, f->up, err) : OCIB_OK;

	if (r || w->stopped || !f->dir)
		return r;
	if (f->up && f->up->skip) {
		f->skip = true;
		return OCIB_OK;
	}
	ob_copy_file *dir = f->dir;
	f->dir = NULL;
	return visit_file(w, dir, &f->skip, err);
}

static ocib_errc walk_listing(context_walk *w, frame *f, ob_dir_listing *listing, ocib_error **err);

/* A directory that shows, or that may show for what is in it. */
static ocib_errc walk_child_dir(context_walk *w, frame *f, ob_copy_file *file,
				ob_dir_listing *listing, ocib_error **err)
{
	frame below = {.up = f};
	ocib_errc r = w->lister ? ob_dir_lister_wait(w->lister, listing, err)
				: ob_dir_listing_open(w->scan, listing, err);

	if (r)
		return r;
	file->xattrs = ob_take_ptr(listing->self.xattrs);
	file->xattr_count = listing->self.xattr_count;
	listing->self.xattr_count = 0;
	if (file->implied)
		below.dir = file;
	else
		r = visit_file(w, file, &below.skip, err);
	if (r || w->stopped || below.skip)
		return r;
	if (!w->lister)
		r = ob_dir_listing_read(w->scan, listing, err);
	return r ? r : walk_listing(w, &below, listing, err);
}

static ocib_errc walk_listing(context_walk *w, frame *f, ob_dir_listing *listing, ocib_error **err)
{
	ob_copy_files *files = &listing->files;
	ocib_errc r = OCIB_OK;

	ob_arena_take(w->texts, &listing->texts);

	for (size_t i = 0; i < files->len && !r && !w->stopped && !f->skip; i++) {
		ob_copy_file *file = &files->items[i];
		bool skip;

		if (!file->implied)
			r = announce(w, f, err);
		if (r || w->stopped || f->skip)
			break;
		if (listing->below[i])
			r = walk_child_dir(w, f, file, listing->below[i], err);
		else
			r = visit_file(w, file, &skip, err);
	}
	/* All of it is the visitor's now: what was listed need not be there twice. */
	ob_copy_files_done(files);
	return r;
}

static ocib_errc context_walk_below(ob_copy_source_reader *self, const char *dir, bool eager,
				    ob_source_visit visit, void *arg, ocib_error **err)
{
	context_walk w = {
		.scan = scan_of(self), .texts = texts_of(self), .visit = visit, .arg = arg};
	ob_auto(ob_dir_listing) root = NULL; /* freed after the lister */
	ob_auto(ob_dir_lister) lister = NULL;
	void *state = NULL;
	frame top = {0};
	bool excluded;
	ocib_errc r = state_of_path(w.scan, dir, &state, &excluded, err);

	if (r)
		return r;
	bool empty = excluded && !ob_ignore_may_reinclude(w.scan->node->ignore, dir, state);
	r = ob_dir_listing_new(dir, state, 0, &root, err);
	if (r || empty)
		return r;
	if (eager) {
		r = ob_dir_lister_new(w.scan, &lister, err);
		w.lister = lister;
		if (!r)
			r = ob_dir_lister_wait(lister, root, err);
	} else {
		r = ob_dir_listing_open(w.scan, root, err);
		if (!r)
			r = ob_dir_listing_read(w.scan, root, err);
	}
	return r ? r : walk_listing(&w, &top, root, err);
}

/* --- lookup --- */

static ocib_errc stop_at_first(void *arg, ob_copy_file *file, ob_walk_next *next, ocib_error **err)
{
	(void)file, (void)err;
	*(bool *)arg = true;
	*next = OB_WALK_STOP;
	return OCIB_OK;
}

/* Is an excluded path there after all: a directory in which something is re-included? */
static ocib_errc has_reincluded(ob_copy_source_reader *self, const ob_copy_file *file, bool *out,
				ocib_error **err)
{
	*out = false;
	if (file->type != OB_ENTRY_DIR)
		return OCIB_OK;
	return context_walk_below(self, file->path, false, stop_at_first, out, err);
}

static ocib_errc context_lookup(ob_copy_source_reader *self, const char *path, ob_copy_file *out,
				ocib_error **err)
{
	ob_context_scan *scan = scan_of(self);
	ob_autodone(ob_copy_file) file = {0};
	ob_autofree char *parent = strndup(path, ob_path_parent_len(path));
	ob_autofree void *state = NULL;
	bool excluded = false, shows = true;
	ocib_errc r =
		parent ? state_of_path(scan, path, &state, &excluded, err) : ob_fail_nomem(err);

	if (r)
		return r;
	ob_autofd int dirfd = ob_context_open(scan, parent, O_PATH | O_DIRECTORY);
	if (dirfd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
		*out = (ob_copy_file){0};
		return OCIB_OK;
	}
	if (dirfd < 0)
		return ob_fail_errno(err, "open '%s' of the build context", parent);
	r = ob_context_read_file(scan, dirfd, *path ? ob_path_base(path) : ".", path,
				 texts_of(self), &file, err);
	if (!r && excluded)
		r = has_reincluded(self, &file, &shows, err);
	if (r)
		return r;
	if (!shows)
		ob_copy_file_done(&file);
	*out = file;
	file = (ob_copy_file){0};
	return OCIB_OK;
}

/* --- why something is not there --- */

static ocib_errc collect_name(void *arg, ob_copy_file *file, ob_walk_next *next, ocib_error **err)
{
	(void)err;
	*next = OB_WALK_SKIP;
	(void)ob_strlist_add((ob_strlist *)arg, ob_path_base(file->path));
	return OCIB_OK;
}

static bool explain_ignored(const ob_context_scan *scan, const char *path, ocib_error **err)
{
	const ob_node *node = scan->node;
	struct stat st;
	int i = node->ignore ? ob_ignore_explain(node->ignore, path) : -1;
	ob_autofd int fd = ob_context_open(scan, path, O_PATH);

	if (i < 0 || fd < 0 || fstat(fd, &st) < 0 || (size_t)i >= node->ignore_patterns.len)
		return false;
	const char *name = node->ignore_file ? node->ignore_file : ".dockerignore";
	const char *pattern = node->ignore_patterns.items[i];
	if (node->ignore_lines && node->ignore_lines[i])
		ob_error_set_hint(err, "it is there, but line %u of %s ('%s') excludes it",
				  node->ignore_lines[i], name, pattern);
	else
		ob_error_set_hint(err, "it is there, but '%s' in %s excludes it", pattern, name);
	return true;
}

static void context_explain(ob_copy_source_reader *self, const char *path, ocib_error **err)
{
	ob_autodone(ob_strlist) names = {0};
	size_t parent_len = ob_path_parent_len(path);
	ob_autofree char *parent = strndup(path, parent_len);

	if (!parent || explain_ignored(scan_of(self), path, err))
		return;
	if (context_walk_below(self, parent, false, collect_name, &names, NULL))
		return;
	const char *nearest =
		ob_nearest(ob_path_base(path), (const char *const *)names.items, names.len);
	if (nearest)
		ob_error_set_hint(err, "did you mean '%s%s%s'?", parent, parent_len ? "/" : "",
				  nearest);
}

/* --- the object --- */

static ocib_errc context_write(ob_copy_source_reader *self, ob_copy_file *file,
			       const ob_entry *entry, ob_layer_writer *writer, ocib_error **err)
{
	context_source *source = (context_source *)self;

	return ob_context_write_file(source->scan, &source->dir, file, entry, writer, err);
}

static void context_destroy(ob_copy_source_reader *self)
{
	context_source *source = (context_source *)self;

	ob_context_dir_done(&source->dir);
	ob_arena_done(&source->texts);
	free(self);
}

ocib_errc ob_context_source_new(ob_context_scan *scan, ob_copy_source_reader **out,
				ocib_error **err)
{
	static const ob_copy_source_ops ops = {
		context_lookup, context_walk_below, context_write, context_explain, context_destroy,
	};
	context_source *source = calloc(1, sizeof(*source));

	if (!source)
		return ob_fail_nomem(err);
	source->base.ops = &ops;
	source->scan = scan;
	source->dir.fd = -1;
	*out = &source->base;
	return OCIB_OK;
}
