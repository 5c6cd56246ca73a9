/* store/cache_dir.c — see cache_dir.h.
 *
 * Directories of a cache are tried in order, so the first, which is the fullest, is used whenever it can
 * be. A lock file stays when its directory is let go: who waits for it must not lock a file that has
 * lost its name. Only prune removes any of this, when no build is under way.
 */
#include "store/cache_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "store/store_inside.h"

struct ob_cache_dir {
	ob_store *store; /* borrowed */
	char *path;      /* absolute */
	int lock;
};

ob_cache_dir *ob_cache_dir_free(ob_cache_dir *dir)
{
	if (!dir)
		return NULL;
	free(dir->path);
	ob_closep(&dir->lock);
	free(dir);
	return NULL;
}

const char *ob_cache_dir_path(const ob_cache_dir *dir)
{
	return dir->path;
}

bool ob_cache_dir_exists(const ob_cache_dir *dir)
{
	return faccessat(AT_FDCWD, dir->path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The folder of a cache, and what it is about. */
static ocib_errc make_folder(ob_store *store, const char *folder, const ob_json *about,
			     ocib_error **err)
{
	ob_autofree char *path = ob_str_printf("%s/" OB_CACHE_ABOUT, folder);
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "description of a cache");

	if (!path)
		return ob_fail_nomem(err);
	if (faccessat(store->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return OCIB_OK;
	ocib_errc r = ob_mkdir_parents(store->dirfd, folder, 0755, err);
	if (r == OCIB_OK)
		r = ob_json_dump(about, OB_JSON_CANONICAL, &text, err);
	if (r == OCIB_OK)
		r = ob_store_replace(store, path, text.data, text.len, OB_SURVIVES_CRASH, err);
	return r;
}

static ocib_errc hold(ob_store *store, const char *folder, unsigned number, int lock,
		      ob_cache_dir **out, ocib_error **err)
{
	ob_auto(ob_cache_dir) dir = calloc(1, sizeof(*dir));
	ob_autofd int fd = lock;

	if (!dir)
		return ob_fail_nomem(err);
	*dir = (ob_cache_dir){.store = store, .lock = -1};
	dir->path = ob_str_printf("%s/%s/%u", store->path, folder, number);
	if (!dir->path)
		return ob_fail_nomem(err);
	dir->lock = ob_take_fd(fd);
	(void)futimens(dir->lock, NULL); /* when it was used last, for prune */
	*out = ob_take_ptr(dir);
	return OCIB_OK;
}

/* One directory; *out stays NULL when it is in use, or when it would be another of a locked cache. */
static ocib_errc try_number(ob_store *store, const char *folder, unsigned number,
			    ob_cache_sharing sharing, ob_cache_dir **out, bool *is_new,
			    ocib_error **err)
{
	ob_autofree char *lock_name = ob_str_printf("%s/%u" OB_CACHE_LOCK, folder, number);
	ob_auto(ocib_error) why = NULL;
	int lock = -1;

	if (!lock_name)
		return ob_fail_nomem(err);
	*is_new = faccessat(store->dirfd, lock_name, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	if (*is_new && number > 0 && sharing == OB_CACHE_LOCKED)
		return OCIB_OK;
	ocib_errc r = ob_lock_file(store->dirfd, lock_name, sharing != OB_CACHE_SHARED, false,
				   &lock, &why);
	if (r == OCIB_ERR_EXISTS)
		return OCIB_OK;
	if (r < 0)
		return ob_error_move(err, &why);
	return hold(store, folder, number, lock, out, err);
}

ocib_errc ob_cache_dir_take(ob_store *store, const ob_digest *key, const ob_json *about,
			    ob_cache_sharing sharing, ob_cache_dir **out, ocib_error **err)
{
	char folder[OB_STORE_PATH_LEN];
	bool is_new = false;

	ob_store_object_path(OB_MOUNTS_DIR, key, folder);
	ocib_errc r = make_folder(store, folder, about, err);
	for (unsigned i = 0; i < OB_LIMIT_CACHE_DIRS && r == OCIB_OK && !*out; i++) {
		r = try_number(store, folder, i, sharing, out, &is_new, err);
		if (r == OCIB_OK && !*out && is_new && sharing == OB_CACHE_LOCKED)
			return OCIB_OK;
	}
	if (r == OCIB_OK && !*out && sharing != OB_CACHE_LOCKED)
		r = ob_fail(err, OCIB_ERR_LIMIT,
			    "a cache mount has %d directories in use (limit OB_LIMIT_CACHE_DIRS)",
			    OB_LIMIT_CACHE_DIRS);
	return r;
}

ocib_errc ob_cache_dir_take_first(ob_store *store, const ob_digest *key, ob_cache_dir **out,
				  bool *is_busy, ocib_error **err)
{
	char folder[OB_STORE_PATH_LEN];
	bool is_new = false;

	ob_store_object_path(OB_MOUNTS_DIR, key, folder);
	ob_autofree char *first = ob_str_printf("%s/0", folder);
	if (!first)
		return ob_fail_nomem(err);
	*is_busy = false;
	if (faccessat(store->dirfd, first, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return OCIB_OK;
	ocib_errc r = try_number(store, folder, 0, OB_CACHE_LOCKED, out, &is_new, err);
	*is_busy = r == OCIB_OK && !*out;
	return r;
}
