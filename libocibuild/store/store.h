/* store/store.h — the store's inside: blobs, references, layer indexes, step records, trees, locks.
 *
 * On disk it is an OCI image layout with our folders beside it (design in ARCHITECTURE.md):
 *   oci-layout index.json blobs/sha256/  the standard part
 *   layers/<diff id hex>                 layer indexes      cache/<key hex>   step records (JSON)
 *   trees/<chain id hex>/                unpacked layers    cache/stat/       digests of contexts' files
 *   mounts/<key hex>/                    RUN cache mounts (cache_dir.h)
 *   tmp/  locks/  version                everything under tmp/ belongs to a live process or is litter
 * Writes are temp + fsync + rename. Several processes may use one store: index.json and version are
 * changed under locks/store; a build holds locks/gc shared, prune holds it exclusive.
 * One object may be used by several threads at once.
 */
#ifndef OB_STORE_STORE_H
#define OB_STORE_STORE_H

#include <ocibuild/store.h>
#include "image/config.h"
#include "image/descriptor.h"
#include "image/manifest.h"
#include "layer/layer_index.h"

typedef struct ocib_store ob_store;
static inline ocib_store *ocib_store_free(ocib_store *store)
{
	return ocib_store_close(store);
}
OB_DEFINE_AUTO(ocib_store);

int ob_store_dirfd(const ob_store *store);        /**< borrowed */
const char *ob_store_path(const ob_store *store); /**< absolute; borrowed */

/* Blobs. */
bool ob_store_has_blob(ob_store *store, const ob_digest *digest);
/** O_RDONLY fd. Kinds: NOTFOUND, CORRUPT (not a regular file, size differs; UINT64_MAX: any size). */
ocib_errc ob_store_open_blob(ob_store *store, const ob_digest *digest, uint64_t size, int *out_fd,
			     ocib_error **err);
/** A document (manifest, config), its digest verified. */
ocib_errc ob_store_read_blob(ob_store *store, const ob_digest *digest, ob_buffer *out,
			     ocib_error **err);
/**
 * A document. This store object finds it at once; it is on disk under its name, for others to find, after
 * ob_store_set_refs(), ob_store_flush() or the end of the object.
 */
ocib_errc ob_store_write_blob(ob_store *store, const void *data, size_t len, ob_digest *out,
			      ocib_error **err);
/** All documents that were written so far under their names. */
ocib_errc ob_store_flush(ob_store *store, ocib_error **err);

/** A blob being written: a temp file until it is committed under its digest. */
typedef struct ob_blob_writer ob_blob_writer;
ocib_errc ob_blob_writer_open(ob_store *store, ob_blob_writer **out, ocib_error **err);
ob_writer *ob_blob_writer_base(ob_blob_writer *writer); /**< write here; hashed as it passes */
/** The same without hashing, for who hashes himself and commits trusted. Use one of the two. */
ob_writer *ob_blob_writer_unhashed(ob_blob_writer *writer);
/** Path of the temp file relative to the store's directory, for the worker to write to instead. */
const char *ob_blob_writer_path(const ob_blob_writer *writer);
int ob_blob_writer_fd(ob_blob_writer *writer);
/** Kinds: CORRUPT when expected is given and digest or size differ from what passed base. */
ocib_errc ob_blob_writer_commit(ob_blob_writer *writer, const ob_digest *expected, uint64_t size,
				ob_digest *out, ocib_error **err);
/** Commit a file somebody else (our worker) wrote and hashed. */
ocib_errc ob_blob_writer_commit_trusted(ob_blob_writer *writer, const ob_digest *digest,
					ocib_error **err);
ob_blob_writer *ob_blob_writer_free(
	ob_blob_writer *writer); /**< uncommitted: removes the temp file */
OB_DEFINE_AUTO(ob_blob_writer);

/* References: org.opencontainers.image.ref.name in index.json. Names are full references. */
/**
 * In the store @p name is a full reference and found exactly. In a layout it is a tag as well (found in
 * what other tools wrote, also as the tag of a full reference), or "sha256:…", or NULL: the only image,
 * else "latest". Kinds: NOTFOUND, INVALID (a layout in which the tag is not unique).
 */
ocib_errc ob_store_get_ref(ob_store *store, const char *name, ob_descriptor *out, ocib_error **err);
/** All names to their descriptors in one replacement of index.json. */
ocib_errc ob_store_set_refs(ob_store *store, const char *const *names,
			    const ob_descriptor *descriptors, size_t count, ocib_error **err);
ocib_errc ob_store_remove_ref(ob_store *store, const char *name, ocib_error **err);
/** An image of the store by what a person types: a name with or without tag, a digest, an image id or
 *  the beginning of one (4 hex digits or more). Kinds: NOTFOUND, INVALID (no such name can be; not unique). */
ocib_errc ob_store_find_image(ob_store *store, const char *text, ob_descriptor *out,
			      ocib_error **err);
/** A descriptor for the manifest or index of that digest. Kinds: NOTFOUND, CORRUPT. */
ocib_errc ob_store_describe(ob_store *store, const char *digest, ob_descriptor *out,
			    ocib_error **err);
/** The index document with all entries we can read; free with ob_index_free(). */
ocib_errc ob_store_list_refs(ob_store *store, ob_index **out, ocib_error **err);

/* Layer indexes. */
/** Kinds: NOTFOUND. */
ocib_errc ob_store_get_layer_index(ob_store *store, const ob_digest *diff_id, ob_layer_index **out,
				   ocib_error **err);
ocib_errc ob_store_put_layer_index(ob_store *store, const ob_digest *diff_id,
				   const ob_layer_index *index, ocib_error **err);
/** The same with a file on the store's file system that has its serialised form: it is moved in place. */
ocib_errc ob_store_adopt_layer_index(ob_store *store, const ob_digest *diff_id, const char *path,
				     ocib_error **err);
bool ob_store_has_layer_index(ob_store *store, const ob_digest *diff_id); /**< without reading it */

/* Step records: small JSON documents by key. Kinds of get: NOTFOUND (also when unreadable). */
ocib_errc ob_store_get_record(ob_store *store, const ob_digest *key, ob_json **out,
			      ocib_error **err);
ocib_errc ob_store_put_record(ob_store *store, const ob_digest *key, const ob_json *record,
			      ocib_error **err);

/* Temporary and unpacked trees. Owner ids in them may be other than ours: only the worker removes them. */
/** Make tmp/<unique>/, locked while this store object lives; *name is relative to the store, malloc'ed. */
ocib_errc ob_store_new_temp_dir(ob_store *store, char **name, ocib_error **err);
/** Remove everything under tmp/ whose process is gone, as far as our ids allow; absolute paths of what
 *  remains are appended to @p left, for the worker to remove. */
ocib_errc ob_store_sweep(ob_store *store, ob_strlist *left, ocib_error **err);
bool ob_store_has_tree(ob_store *store, const ob_digest *chain_id);
/** Relative path "trees/<hex>"; out needs 80 bytes. */
void ob_store_tree_path(const ob_digest *chain_id, char *out);

/** Hold for as long as objects are in use that prune may not take. Closing the fd releases. */
ocib_errc ob_store_lock_shared(ob_store *store, int *out_fd, ocib_error **err);

/**
 * An OCI layout directory elsewhere, made if missing where @p create: the standard part only. The same
 * type, so blobs and references are read and written with the same functions.
 */
ocib_errc ob_layout_open(const char *dir, bool create, ob_store **out, ocib_error **err);
/** Copy a blob from one store to another by reflink, link or copy; there already is fine. */
ocib_errc ob_store_copy_blob(ob_store *from, ob_store *to, const ob_descriptor *descriptor,
			     ocib_error **err);
/** Copy a manifest or index with all it refers to; *bytes (may be NULL) counts what was copied. */
ocib_errc ob_store_copy_image(ob_store *from, ob_store *to, const ob_descriptor *root,
			      uint64_t *bytes, ocib_error **err);

#endif
