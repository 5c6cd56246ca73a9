/* store/store_open.c — opening a store or an OCI layout, and making it where it is missing.
 *
 * A store is known by its version file, which is written last: a directory that has it is complete, but
 * for empty folders, which archives and caches of other tools do not keep: they are made again. A directory that has none is made into a store only when it is empty or holds
 * nothing but what an interrupted attempt of ours left; anything else is refused and not touched. The
 * folder locks/ is made first and locked, so that two processes can make the same store at once.
 */
#include "store/store_inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"

#define LAYOUT_VERSION "1.0.0"
#define SMALL_FILE     4096

const char ob_empty_index[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" OB_MEDIA_OCI_INDEX "\",\"manifests\":[]}";
static const char LAYOUT_TEXT[] = "{\"imageLayoutVersion\":\"" LAYOUT_VERSION "\"}";
static const char VERSION_TEXT[] = "{\"version\":1}\n";

/** In the order in which they are made; parents first. */
static const char *const STORE_DIRS[] = {"locks", "tmp",        "blobs", "blobs/sha256", "layers",
					 "cache", "cache/stat", "trees", "mounts"};
static const char *const LAYOUT_DIRS[] = {"blobs", "blobs/sha256"};

static ocib_errc open_dir(const char *path, bool create, mode_t mode, int *out, ocib_error **err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && create) {
		ocib_errc r = ob_mkdir_parents(AT_FDCWD, path, mode, err);

		if (r != OCIB_OK)
			return r;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 && errno == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "directory '%s' does not exist", path);
	if (fd < 0)
		return ob_fail_errno(err, "open directory '%s'", path);
	*out = fd;
	return OCIB_OK;
}

/** What is in a directory that is not a store or layout yet. */
typedef struct content {
	bool is_empty;
	bool has_start;   /* the name that is made first */
	bool has_foreign; /* a name that is not ours */
} content;

static bool is_ours(const char *name, const char *const *dirs, size_t count)
{
	static const char *const FILES[] = {OB_INDEX_FILE, OB_LAYOUT_FILE, ".ocibuild-tmp"};

	for (size_t i = 0; i < count; i++)
		if (ob_str_eq(name, dirs[i]))
			return true;
	for (size_t i = 0; i < OB_ARRAY_LEN(FILES); i++)
		if (ob_str_eq(name, FILES[i]))
			return true;
	return false;
}

static ocib_errc look_into(const ob_store *store, const char *const *dirs, size_t count,
			   content *out, ocib_error **err)
{
	ob_autofd int fd = openat(store->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ob_autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *one;
	content c = {.is_empty = true};

	if (!dir)
		return ob_fail_errno(err, "read directory '%s'", store->path);
	(void)ob_take_fd(fd);
	while ((one = readdir(dir))) {
		if (ob_str_eq(one->d_name, ".") || ob_str_eq(one->d_name, "..") ||
		    ob_str_eq(one->d_name, "lost+found"))
			continue;
		c.is_empty = false;
		if (ob_str_eq(one->d_name, dirs[0]))
			c.has_start = true;
		else if (!is_ours(one->d_name, dirs, count))
			c.has_foreign = true;
	}
	*out = c;
	return OCIB_OK;
}

static ocib_errc make_dirs(ob_store *store, const char *const *dirs, size_t count, ocib_error **err)
{
	for (size_t i = 0; i < count; i++)
		if (mkdirat(store->dirfd, dirs[i], 0755) < 0 && errno != EEXIST)
			return ob_fail_errno(err, "create directory '%s/%s'", store->path, dirs[i]);
	return OCIB_OK;
}

static ocib_errc make_file(ob_store *store, const char *name, const char *text, ocib_error **err)
{
	if (faccessat(store->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return OCIB_OK;
	return ob_store_replace(store, name, text, strlen(text), OB_SURVIVES_CRASH, err);
}

/** The number in a version file, or -1. */
static int64_t parse_version(const ob_buffer *text)
{
	ob_auto(ob_json) json = NULL;
	int64_t version;

	if (!text->len || ob_json_parse(text->data, text->len, &json, NULL) != OCIB_OK ||
	    !ob_json_get_i64(json, "version", &version) || version < 0)
		return -1;
	return version;
}

/** *is_store tells whether there is a version file at all. Kinds: UNSUPPORTED. */
static ocib_errc check_version(const ob_store *store, bool *is_store, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(SMALL_FILE, "version file");
	ob_auto(ocib_error) why = NULL;
	int64_t version;
	ocib_errc r = ob_read_file(store->dirfd, OB_VERSION_FILE, &text, &why);

	*is_store = r != OCIB_ERR_NOTFOUND;
	if (r == OCIB_ERR_NOTFOUND)
		return OCIB_OK;
	if (r != OCIB_OK && r != OCIB_ERR_LIMIT)
		return ob_error_move(err, &why);
	version = r == OCIB_OK ? parse_version(&text) : -1;
	if (version == OB_STORE_VERSION)
		return OCIB_OK;
	if (version < 0)
		ob_fail(err, OCIB_ERR_UNSUPPORTED, "the store '%s' has a version file that is none",
			store->path);
	else
		ob_fail(err, OCIB_ERR_UNSUPPORTED,
			"the store '%s' was written as version %" PRId64
			"; this ocibuild knows version %d",
			store->path, version, OB_STORE_VERSION);
	ob_error_set_hint(err, "use the ocibuild that wrote it, or another directory with --store");
	return OCIB_ERR_UNSUPPORTED;
}

/** Called with locks/store held. */
static ocib_errc fill_store(ob_store *store, ocib_error **err)
{
	bool is_store;
	ocib_errc r = check_version(store, &is_store, err);

	if (r != OCIB_OK || is_store) /* another process was faster */
		return r;
	r = make_dirs(store, STORE_DIRS, OB_ARRAY_LEN(STORE_DIRS), err);
	if (r == OCIB_OK)
		r = make_file(store, OB_INDEX_FILE, ob_empty_index, err);
	if (r == OCIB_OK)
		r = make_file(store, OB_LAYOUT_FILE, LAYOUT_TEXT, err);
	if (r == OCIB_OK)
		r = make_file(store, OB_VERSION_FILE, VERSION_TEXT, err);
	return r;
}

static ocib_errc make_store(ob_store *store, ocib_error **err)
{
	ob_autofd int lock = -1;
	bool is_store;
	content found;
	ocib_errc r = look_into(store, STORE_DIRS, OB_ARRAY_LEN(STORE_DIRS), &found, err);

	if (r != OCIB_OK)
		return r;
	if (found.has_foreign || (!found.is_empty && !found.has_start)) {
		/* The version file may have come between our two looks. */
		r = check_version(store, &is_store, err);
		if (r != OCIB_OK || is_store)
			return r;
		ob_fail(err, OCIB_ERR_UNSUPPORTED, "'%s' is not empty and is no ocibuild store",
			store->path);
		ob_error_set_hint(err, "name an empty or new directory with --store; an OCI layout "
				       "of another tool is read as oci:DIR");
		return OCIB_ERR_UNSUPPORTED;
	}
	r = make_dirs(store, STORE_DIRS, 1, err);
	if (r == OCIB_OK)
		r = ob_lock_file(store->dirfd, store->lock_name, true, true, &lock, err);
	return r == OCIB_OK ? fill_store(store, err) : r;
}

ocib_errc ocib_store_open(ocib_context *ctx, const char *path, ocib_store **out, ocib_error **err)
{
	ob_autofree char *own = NULL;
	ob_auto(ocib_store) store = NULL;
	bool is_store;
	int fd = -1;
	ocib_errc r = path ? OCIB_OK : ob_store_default_path(&own, err);

	(void)ctx;
	if (r == OCIB_OK && (path ? path : own)[0] == '\0')
		r = ob_fail(err, OCIB_ERR_INVALID, "the store's path is empty");
	if (r == OCIB_OK)
		r = open_dir(path ? path : own, true, 0700, &fd, err);
	if (r == OCIB_OK)
		r = ob_store_new(path ? path : own, fd, false, &store, err);
	if (r != OCIB_OK)
		return ob_wrap(err, r, "open the store");
	r = check_version(store, &is_store, err);
	if (r == OCIB_OK && is_store) {
		r = make_dirs(store, STORE_DIRS, OB_ARRAY_LEN(STORE_DIRS), err);
	} else if (r == OCIB_OK) {
		r = make_store(store, err);
		ob_store_end_session(store);
	}
	if (r == OCIB_OK)
		*out = ob_take_ptr(store);
	return r;
}

/** *is_layout tells whether there is an oci-layout file at all. Kinds: CORRUPT, UNSUPPORTED. */
static ocib_errc check_layout(const ob_store *store, bool *is_layout, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(SMALL_FILE, OB_LAYOUT_FILE);
	ob_auto(ob_json) json = NULL;
	ob_auto(ocib_error) why = NULL;
	const char *version;
	ocib_errc r = ob_read_file(store->dirfd, OB_LAYOUT_FILE, &text, &why);

	*is_layout = r != OCIB_ERR_NOTFOUND;
	if (r == OCIB_ERR_NOTFOUND)
		return OCIB_OK;
	if (r == OCIB_OK)
		r = ob_json_parse(text.data ? text.data : "", text.len, &json, &why);
	if (r != OCIB_OK) {
		r = ob_error_move(err, &why);
		return ob_wrap(err, r, "'%s/%s'", store->path, OB_LAYOUT_FILE);
	}
	version = ob_json_get_str(json, "imageLayoutVersion");
	if (!version)
		return ob_fail(err, OCIB_ERR_CORRUPT, "'%s/%s' has no imageLayoutVersion",
			       store->path, OB_LAYOUT_FILE);
	if (!ob_str_eq(version, LAYOUT_VERSION))
		return ob_fail(
			err, OCIB_ERR_UNSUPPORTED,
			"'%s' is an OCI layout of version '%.40s'; this ocibuild knows " LAYOUT_VERSION,
			store->path, version);
	return OCIB_OK;
}

static ocib_errc make_layout(ob_store *store, ocib_error **err)
{
	content found;
	ocib_errc r = look_into(store, LAYOUT_DIRS, OB_ARRAY_LEN(LAYOUT_DIRS), &found, err);

	if (r != OCIB_OK)
		return r;
	if (found.has_foreign)
		return ob_fail(err, OCIB_ERR_EXISTS, "'%s' is not empty and is no OCI layout",
			       store->path);
	r = make_dirs(store, LAYOUT_DIRS, OB_ARRAY_LEN(LAYOUT_DIRS), err);
	if (r == OCIB_OK)
		r = make_file(store, OB_INDEX_FILE, ob_empty_index, err);
	if (r == OCIB_OK)
		r = make_file(store, OB_LAYOUT_FILE, LAYOUT_TEXT, err);
	return r;
}

ocib_errc ob_layout_open(const char *dir, bool create, ob_store **out, ocib_error **err)
{
	ob_auto(ocib_store) store = NULL;
	bool is_layout;
	int fd = -1;
	ocib_errc r = open_dir(dir, create, 0755, &fd, err);

	if (r == OCIB_OK)
		r = ob_store_new(dir, fd, true, &store, err);
	if (r != OCIB_OK)
		return ob_wrap(err, r, "open the OCI layout");
	r = check_layout(store, &is_layout, err);
	if (r == OCIB_OK && !is_layout && create) {
		r = make_layout(store, err);
		ob_store_end_session(store);
	} else if (r == OCIB_OK && !is_layout) {
		r = ob_fail(err, OCIB_ERR_NOTFOUND, "'%s' is no OCI layout: it has no %s file", dir,
			    OB_LAYOUT_FILE);
	}
	if (r == OCIB_OK)
		*out = ob_take_ptr(store);
	return r;
}
