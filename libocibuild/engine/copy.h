/* engine/copy.h — COPY, ADD and WORKDIR: from sources straight to a layer, nothing unpacked.
 *
 * Two phases. ob_copy_prepare() finds what the sources name, with content digests, and looks at nothing
 * else: with the step and the chain of its base, the digest of that list determines the layer.
 * ob_copy_write() resolves destination and owners in the base's metadata and writes the layer.
 */
#ifndef OB_ENGINE_COPY_H
#define OB_ENGINE_COPY_H

#include "engine/plan.h"
#include "engine/source/remote_file.h"
#include "engine/tree.h"
#include "store/stat_cache.h"

/** A local directory's files, scanned once per build with its ignore patterns. Shared, thread-safe. */
typedef struct ob_context_scan ob_context_scan;
ocib_errc ob_context_scan_new(ocib_context *ctx, ob_store *store, const ob_node *node,
			      ob_context_scan **out, ocib_error **err);
ob_context_scan *ob_context_scan_free(ob_context_scan *scan); /**< saves the stat cache */
OB_DEFINE_AUTO(ob_context_scan);

/** What a source that is elsewhere has become. */
typedef struct ob_copy_remote {
	ob_remote_file file;   /**< URL: a blob of the store */
	ob_context_scan *scan; /**< GIT: the files of a commit */
} ob_copy_remote;

typedef struct ob_copy_input {
	const ob_plan *plan;
	const ob_step *step;
	ob_store *store;
	ob_context_scan *scan;         /**< when step->copy.from is a CONTEXT node */
	ob_tree *from;                 /**< when it is an image or a stage */
	const ob_copy_remote *remotes; /**< of remote sources, at the same index; else NULL */
	ob_tree *base;                 /**< the tree the layer goes on */
	bool has_epoch;
	int64_t epoch; /**< mtime of what the step itself makes (inline files, new directories) */
	bool defer_contents; /**< nothing that was made before can be used: read local files once, when they are written */
} ob_copy_input;

typedef struct ob_copy_job ob_copy_job;
/** Kinds: NOTFOUND (located; a hint names the ignore line or the nearest name), SYNTAX, UNSUPPORTED. */
ocib_errc ob_copy_prepare(ocib_context *ctx, const ob_copy_input *input, ob_copy_job **out,
			  ocib_error **err);
/** Digest of all that, beside the step itself and the base, determines the layer. With defer_contents it is
 *  known only after ob_copy_write(). */
void ob_copy_job_digest(const ob_copy_job *job, uint8_t out[OB_SHA256_LEN]);
/** Writes all entries to @p writer; the caller finishes it. */
ocib_errc ob_copy_write(ocib_context *ctx, ob_copy_job *job, ob_layer_writer *writer,
			ocib_error **err);
ob_copy_job *ob_copy_job_free(ob_copy_job *job);
OB_DEFINE_AUTO(ob_copy_job);

/** WORKDIR through the same two phases. */
ocib_errc ob_workdir_prepare(ocib_context *ctx, const ob_copy_input *input, ob_copy_job **out,
			     ocib_error **err);

#endif
