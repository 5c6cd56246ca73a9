/* store/store_check_files.c — fsck of files: blobs are hashed, caches parsed, strange names told. */
#include "store/store_check.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"

#define CHUNK     (1 * OB_MIB)
#define MAX_NAMED 3 /* users that are named in a message */

/** " (used by a, b and 3 more)", or nothing. */
static void append_users(ob_buffer *text, const ob_checked_blob *blob)
{
	size_t count = blob ? blob->users.len : 0;

	for (size_t i = 0; i < count && i < MAX_NAMED; i++)
		ob_buffer_printf(text, "%s%s", i ? ", " : "; used by ", blob->users.items[i]);
	if (count > MAX_NAMED)
		ob_buffer_printf(text, " and %zu more", count - MAX_NAMED);
}

static ocib_errc tell_blob(ob_store_check_run *run, const char *digest, const char *what,
			   ocib_error **err)
{
	ob_autodone(ob_buffer) users = OB_BUFFER_INIT(OB_LIMIT_JSON, "problem");

	append_users(&users, ob_map_get(run->blobs, digest));
	return ob_check_tell(run, err, "blob %s %s%s", digest, what, users.data ? users.data : "");
}

static ocib_errc check_presence(ob_store_check_run *run, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; r == OCIB_OK && i < ob_map_len(run->blobs); i++) {
		const char *text;
		const ob_checked_blob *blob = ob_map_at(run->blobs, i, &text);
		ob_digest digest;

		if (blob->may_be_absent || ob_digest_parse(text, &digest, NULL) != OCIB_OK ||
		    ob_store_has_blob(run->store, &digest))
			continue;
		r = tell_blob(run, text, "is missing", err);
	}
	return r;
}

/** Digest of a file; progress is told on the way. */
static ocib_errc hash_file(ob_store_check_run *run, int fd, uint64_t size, const char *id,
			   ob_digest *out, ocib_error **err)
{
	ob_auto(ob_hash) hash = NULL;
	ob_autofree char *chunk = malloc(CHUNK);
	uint8_t bytes[OB_SHA256_LEN];
	uint64_t done = 0;
	ssize_t n;
	ocib_errc r = chunk ? ob_hash_new(&hash, err) : ob_fail_nomem(err);

	if (r != OCIB_OK)
		return r;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while ((n = ob_read_full(fd, chunk, CHUNK)) > 0) {
		ob_hash_update(hash, chunk, (size_t)n);
		done += (uint64_t)n;
		r = ob_check_canceled(run->ctx, err);
		if (r != OCIB_OK)
			return r;
		if (run->ctx && size > CHUNK)
			ob_emit_progress(run->ctx, 0, id, "verifying", done, size);
	}
	if (n < 0)
		return ob_fail_errno(err, "read blob sha256:%s", id);
	ob_hash_final(hash, bytes);
	ob_digest_from_bytes(out, bytes);
	return OCIB_OK;
}

static ocib_errc check_blob(ob_store_check_run *run, int dirfd, const char *name, ocib_error **err)
{
	ob_autofd int fd = -1;
	ob_auto(ocib_error) why = NULL;
	const ob_checked_blob *known;
	ob_digest digest, actual;
	struct stat st;
	char what[160];
	ocib_errc r;

	if (!ob_digest_parse_hex(name, &digest))
		return ob_check_tell(run, err, "'" OB_BLOBS_DIR "/%s' is no blob", name);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? OCIB_OK : ob_fail_errno(err, "stat blob '%s'", name);
	if (!S_ISREG(st.st_mode))
		return tell_blob(run, digest.text, "is not a regular file", err);
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	r = fd < 0 ? ob_fail_errno(&why, "open")
		   : hash_file(run, fd, (uint64_t)st.st_size, name, &actual, &why);
	if (r == OCIB_ERR_SYSTEM) {
		(void)snprintf(what, sizeof(what), "cannot be read: %.100s",
			       ocib_error_message(why));
		return tell_blob(run, digest.text, what, err);
	}
	if (r != OCIB_OK)
		return ob_error_move(err, &why);
	known = ob_map_get(run->blobs, digest.text);
	if (!ob_digest_eq(&digest, &actual))
		(void)snprintf(what, sizeof(what), "is damaged: its content has digest %s",
			       actual.text);
	else if (known && known->size != (uint64_t)st.st_size)
		(void)snprintf(what, sizeof(what),
			       "has %" PRIu64 " bytes, but its descriptor says %" PRIu64,
			       (uint64_t)st.st_size, known->size);
	else
		return OCIB_OK;
	return tell_blob(run, digest.text, what, err);
}

ocib_errc ob_check_blobs(ob_store_check_run *run, ocib_error **err)
{
	ocib_errc r = check_presence(run, err);

	return r == OCIB_OK ? ob_check_each_name(run, OB_BLOBS_DIR, check_blob, err) : r;
}

/** Every descriptor in a record, wherever it is, is something the record stands on. */
static ocib_errc use_descriptors(ob_store_check_run *run, const ob_json *json, const char *user,
				 ocib_error **err)
{
	ob_autodone(ob_descriptor) d = {0};
	const ob_json *value;
	const char *key;
	ocib_errc r = OCIB_OK;

	if (ob_json_get_str(json, "digest") && ob_json_get_str(json, "mediaType")) {
		if (ob_descriptor_from_json(json, &d, NULL) != OCIB_OK)
			return ob_check_tell(run, err, "%s has a bad descriptor", user);
		return ob_check_use(run, &d, user, false, err);
	}
	for (size_t i = 0; ob_json_is_array(json) && r == OCIB_OK && i < ob_json_len(json); i++)
		r = use_descriptors(run, ob_json_at(json, i), user, err);
	ob_json_foreach (json, key, value) {
		(void)key;
		if (r == OCIB_OK)
			r = use_descriptors(run, value, user, err);
	}
	return r;
}

static ocib_errc check_record(ob_store_check_run *run, int dirfd, const char *name,
			      ocib_error **err)
{
	ob_auto(ob_json) record = NULL;
	char user[96];
	ob_digest key;

	(void)dirfd;
	if (ob_str_eq(name, "stat"))
		return OCIB_OK;
	if (!ob_digest_parse_hex(name, &key))
		return ob_check_tell(run, err, "'" OB_RECORDS_DIR "/%s' is no step record", name);
	if (ob_store_get_record(run->store, &key, &record, NULL) != OCIB_OK)
		return ob_check_tell(run, err, "step record %s is damaged", name);
	(void)snprintf(user, sizeof(user), "step record %.16s", name);
	return use_descriptors(run, record, user, err);
}

static ocib_errc check_layer_index(ob_store_check_run *run, int dirfd, const char *name,
				   ocib_error **err)
{
	ob_auto(ob_layer_index) index = NULL;
	ob_digest diff_id;

	(void)dirfd;
	if (!ob_digest_parse_hex(name, &diff_id))
		return ob_check_tell(run, err, "'" OB_LAYERS_DIR "/%s' is no layer index", name);
	if (ob_store_read_layer_index(run->store, &diff_id, &index, NULL) != OCIB_OK)
		return ob_check_tell(run, err, "the index of layer %s is damaged", diff_id.text);
	return OCIB_OK;
}

static ocib_errc check_tree(ob_store_check_run *run, int dirfd, const char *name, ocib_error **err)
{
	struct stat st;
	ob_digest chain_id;

	if (!ob_digest_parse_hex(name, &chain_id))
		return ob_check_tell(run, err, "'" OB_TREES_DIR "/%s' is no unpacked layer", name);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
		return ob_check_tell(run, err, "'" OB_TREES_DIR "/%s' is not a directory", name);
	return OCIB_OK;
}

/** "<n>", "<n>.lock" or the description; what the directories hold is nobody's to judge. */
static ocib_errc check_cache_dir(ob_store_check_run *run, int dirfd, const char *name,
				 ocib_error **err)
{
	size_t digits = strspn(name, "0123456789");
	struct stat st;

	if (ob_str_eq(name, OB_CACHE_ABOUT) || (digits && ob_str_eq(name + digits, OB_CACHE_LOCK)))
		return OCIB_OK;
	if (!digits || name[digits])
		return ob_check_tell(run, err,
				     "'%s' in a folder of '" OB_MOUNTS_DIR "' is not ours", name);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
		return ob_check_tell(run, err,
				     "'%s' in a folder of '" OB_MOUNTS_DIR "' is not a directory",
				     name);
	return OCIB_OK;
}

static ocib_errc check_cache_mount(ob_store_check_run *run, int dirfd, const char *name,
				   ocib_error **err)
{
	char folder[OB_STORE_PATH_LEN];
	ob_digest key;

	(void)dirfd;
	if (!ob_digest_parse_hex(name, &key))
		return ob_check_tell(run, err, "'" OB_MOUNTS_DIR "/%s' is no cache mount", name);
	ob_store_object_path(OB_MOUNTS_DIR, &key, folder);
	return ob_check_each_name(run, folder, check_cache_dir, err);
}

ocib_errc ob_check_caches(ob_store_check_run *run, ocib_error **err)
{
	ocib_errc r = ob_check_each_name(run, OB_RECORDS_DIR, check_record, err);

	if (r == OCIB_OK)
		r = ob_check_each_name(run, OB_LAYERS_DIR, check_layer_index, err);
	if (r == OCIB_OK)
		r = ob_check_each_name(run, OB_TREES_DIR, check_tree, err);
	return r == OCIB_OK ? ob_check_each_name(run, OB_MOUNTS_DIR, check_cache_mount, err) : r;
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && !ob_str_eq(*names, name))
		names++;
	return *names != NULL;
}

static ocib_errc check_top(ob_store_check_run *run, int dirfd, const char *name, ocib_error **err)
{
	static const char *const OURS[] = {OB_LAYOUT_FILE, OB_INDEX_FILE, OB_VERSION_FILE, "blobs",
					   "layers",       "cache",       "trees",         "mounts",
					   "tmp",          "locks",       "lost+found",    NULL};

	(void)dirfd;
	return is_one_of(name, OURS) ? OCIB_OK : ob_check_tell(run, err, "'%s' is not ours", name);
}

static ocib_errc check_algorithm(ob_store_check_run *run, int dirfd, const char *name,
				 ocib_error **err)
{
	(void)dirfd;
	return ob_str_eq(name, "sha256") ? OCIB_OK
					 : ob_check_tell(run, err, "'blobs/%s' is not ours", name);
}

/** "<16 hex>" or "<16 hex>.lock" */
static ocib_errc check_temp(ob_store_check_run *run, int dirfd, const char *name, ocib_error **err)
{
	size_t hex = strspn(name, "0123456789abcdef");

	(void)dirfd;
	if (hex == 16 && (name[hex] == '\0' || ob_str_eq(name + hex, ".lock")))
		return OCIB_OK;
	return ob_check_tell(run, err, "'tmp/%s' is not ours", name);
}

static ocib_errc check_stat_cache(ob_store_check_run *run, int dirfd, const char *name,
				  ocib_error **err)
{
	ob_digest ignored;

	(void)dirfd;
	return ob_digest_parse_hex(name, &ignored)
		       ? OCIB_OK
		       : ob_check_tell(run, err, "'" OB_STATS_DIR "/%s' is not ours", name);
}

ocib_errc ob_check_litter(ob_store_check_run *run, ocib_error **err)
{
	ocib_errc r = ob_check_each_name(run, ".", check_top, err);

	if (r == OCIB_OK)
		r = ob_check_each_name(run, "blobs", check_algorithm, err);
	if (r == OCIB_OK)
		r = ob_check_each_name(run, "tmp", check_temp, err);
	return r == OCIB_OK ? ob_check_each_name(run, OB_STATS_DIR, check_stat_cache, err) : r;
}
