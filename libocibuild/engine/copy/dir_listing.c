/* engine/copy/dir_listing.c — see dir_listing.h.
 *
 * Excluded files are dropped before anything but their name is looked at more closely, so what is
 * excluded need not be readable.
 */
#include "engine/copy/dir_listing.h"
#include <fcntl.h>
#include <string.h>
#include "base/limits.h"

ocib_errc ob_ignore_state_new(const ob_context_scan *scan, void **out, ocib_error **err)
{
	*out = NULL;
	if (!scan->node->ignore)
		return OCIB_OK;
	*out = malloc(ob_ignore_state_size(scan->node->ignore) + 1);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_dir_listing_new(const char *path, void *state, unsigned depth, ob_dir_listing **out,
			     ocib_error **err)
{
	ob_autofree void *taken = state;
	ob_auto(ob_dir_listing) listing = calloc(1, sizeof(*listing));

	if (!listing)
		return ob_fail_nomem(err);
	listing->fd = -1;
	listing->self.owns_xattrs = true;
	listing->depth = depth;
	listing->state = ob_take_ptr(taken);
	listing->path = strdup(path);
	if (!listing->path)
		return ob_fail_nomem(err);
	*out = ob_take_ptr(listing);
	return OCIB_OK;
}

ob_dir_listing *ob_dir_listing_free(ob_dir_listing *listing)
{
	if (!listing)
		return NULL;
	for (size_t i = 0; i < listing->below_len; i++)
		ob_dir_listing_free(listing->below[i]);
	free(listing->below);
	ob_copy_files_done(&listing->files);
	ob_copy_file_done(&listing->self);
	ob_arena_done(&listing->texts);
	if (listing->fd >= 0)
		(void)close(listing->fd);
	ocib_error_free(listing->error);
	free(listing->state);
	free(listing->path);
	free(listing);
	return NULL;
}

ocib_errc ob_dir_listing_open(const ob_context_scan *scan, ob_dir_listing *listing,
			      ocib_error **err)
{
	ob_copy_file *self = &listing->self;

	listing->fd = ob_context_open(scan, listing->path, O_RDONLY | O_DIRECTORY);
	if (listing->fd < 0)
		return ob_fail_errno(err, "open directory '%s' of the build context",
				     listing->path);
	/* Reading attributes names the file in errors. */
	self->path = listing->path;
	ocib_errc r = ob_context_read_xattrs(listing->fd, self, err);
	self->path = NULL;
	return r;
}

/* Decide about one file; *shows false drops it. */
static ocib_errc filter(const ob_context_scan *scan, ob_dir_listing *listing, ob_copy_file *file,
			ob_dir_listing **below, bool *shows, ocib_error **err)
{
	const ob_ignore *ignore = scan->node->ignore;
	bool is_dir = file->type == OB_ENTRY_DIR;
	void *state = NULL;
	ocib_errc r = is_dir ? ob_ignore_state_new(scan, &state, err) : OCIB_OK;

	if (r)
		return r;
	file->implied = ignore && ob_ignore_step(ignore, listing->state, file->path, state);
	*shows = !file->implied || (is_dir && ob_ignore_may_reinclude(ignore, file->path, state));
	if (is_dir && *shows)
		return ob_dir_listing_new(file->path, state, listing->depth + 1, below, err);
	free(state);
	return OCIB_OK;
}

ocib_errc ob_dir_listing_read(const ob_context_scan *scan, ob_dir_listing *listing,
			      ocib_error **err)
{
	ob_copy_files *files = &listing->files;
	size_t kept = 0;
	ocib_errc r = ob_check_canceled(scan->ctx, err);

	if (r)
		return r;
	if (listing->depth == OB_LIMIT_PATH_DEPTH)
		return ob_fail(err, OCIB_ERR_LIMIT, "'%s' is more than %d directories deep",
			       listing->path, OB_LIMIT_PATH_DEPTH);
	r = ob_context_list_dir(scan, ob_take_fd(listing->fd), listing->path, &listing->texts,
				files, err);
	if (r)
		return r;
	listing->below = calloc(files->len + 1, sizeof(ob_dir_listing *));
	if (!listing->below)
		return ob_fail_nomem(err);
	listing->below_len = files->len;
	for (size_t i = 0; i < files->len; i++) {
		ob_copy_file *file = &files->items[i];
		bool shows = true;

		if (scan->node->ignore || file->type == OB_ENTRY_DIR)
			r = filter(scan, listing, file, &listing->below[kept], &shows, err);
		if (r)
			return r;
		if (!shows) {
			ob_copy_file_done(file);
			continue;
		}
		if (kept != i) {
			files->items[kept] = *file;
			*file = (ob_copy_file){0};
		}
		kept++;
	}
	files->len = kept;
	return OCIB_OK;
}
