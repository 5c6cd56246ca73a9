/* store/store_inside.h — the fields of a store and what only store/ uses.
 *
 * A store and an OCI layout elsewhere are one type. They differ in what lies beside the standard part:
 * a layout has no caches, no version file and no locks folder; its oci-layout file is what is locked, and
 * its folder for temporary files is there only while somebody writes.
 */
#ifndef OB_STORE_STORE_INSIDE_H
#define OB_STORE_STORE_INSIDE_H

#include <pthread.h>
#include "base/context.h"
#include "store/store.h"

#define OB_STORE_VERSION  1
#define OB_INDEX_FILE     "index.json"
#define OB_LAYOUT_FILE    "oci-layout"
#define OB_VERSION_FILE   "version"
#define OB_BLOBS_DIR      "blobs/sha256"
#define OB_LAYERS_DIR     "layers"
#define OB_RECORDS_DIR    "cache"
#define OB_STATS_DIR      "cache/stat"
#define OB_TREES_DIR      "trees"
#define OB_MOUNTS_DIR     "mounts"
#define OB_CACHE_ABOUT    "about.json"
#define OB_CACHE_LOCK     ".lock"
#define OB_STORE_PATH_LEN 80 /* room for any of our relative paths to one object */

#define OB_ANNOTATION_REF_NAME   "org.opencontainers.image.ref.name"
#define OB_ANNOTATION_IMAGE_NAME "io.containerd.image.name"

struct ocib_store {
	char *path; /* absolute */
	int dirfd;
	bool is_layout;
	const char *lock_name; /* held exclusive while index.json changes */
	const char *temp_root;

	pthread_mutex_t lock; /* of what follows */
	char *session;  /* our folder "<temp_root>/<unique>", made at the first use; or NULL */
	int session_fd; /* its lock */
	uint64_t temp_count;
	struct ob_pending_blob *pending; /* blob_pending.c */
	size_t pending_count;
};

/** What ocib_store_open() says about a path of NULL; malloc'ed. Kinds: NOTFOUND. */
ocib_errc ob_store_default_path(char **out, ocib_error **err);
/** An object without anything on disk yet; takes @p dirfd also on failure. */
ocib_errc ob_store_new(const char *path, int dirfd, bool is_layout, ob_store **out,
		       ocib_error **err);

/** A name for a new temporary file or directory, in a folder that is ours while @p store lives. */
ocib_errc ob_store_temp_name(ob_store *store, char **out, ocib_error **err);
/** Remove our folder; called when the store is closed. */
void ob_store_end_session(ob_store *store);

/** A document: written now, found by this object from now on, under its name after ob_store_flush(). */
ocib_errc ob_store_add_pending(ob_store *store, const ob_digest *digest, const void *data,
			       size_t len, ocib_error **err);
bool ob_store_is_pending(ob_store *store, const ob_digest *digest);
/** O_RDONLY fd, or -1: it is not pending. */
int ob_store_open_pending(ob_store *store, const ob_digest *digest);
void ob_store_drop_pending(
	ob_store *store); /**< what could not be flushed; the session removes the files */
/** Rename a finished temporary file to a blob's path. 0, or -1 and errno. */
int ob_store_rename_blob(ob_store *store, const char *from, const char *to);

/** What a write must survive. Everything survives the death of the process. */
typedef enum ob_durability {
	OB_SURVIVES_CRASH,      /* of the machine too: fsync before the rename */
	OB_MAY_BE_LOST_OR_TORN, /* a cache whose reader notices */
} ob_durability;
/** Replace @p path as a whole. */
ocib_errc ob_store_replace(ob_store *store, const char *path, const void *data, size_t len,
			   ob_durability durability, ocib_error **err);
/** "<dir>/<hex of digest>" */
void ob_store_object_path(const char *dir, const ob_digest *digest, char out[OB_STORE_PATH_LEN]);

/** As get, but a damaged one is CORRUPT or LIMIT, and stays. */
ocib_errc ob_store_read_layer_index(ob_store *store, const ob_digest *diff_id, ob_layer_index **out,
				    ocib_error **err);

/** index.json as it is. Kinds: CORRUPT. */
ocib_errc ob_store_read_index(ob_store *store, ob_json **out, ocib_error **err);
/** An annotation of an entry of index.json, NULL if absent. */
const char *ob_index_entry_annotation(const ob_json *entry, const char *key);
/** The empty index.json. */
extern const char ob_empty_index[];

#endif
