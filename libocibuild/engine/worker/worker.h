/* engine/worker/worker.h — the engine's side of the worker: a spawned executable that enters namespaces.
 *
 * One worker serves one request at a time; the engine keeps as many as it runs steps side by side. A
 * request is a frame {type, length} with a JSON body on a socket; answers are frames too; a command's
 * output comes through pipes of its own. End of file on the socket, or the engine's death, ends the
 * worker and all in it.
 * The wire format is in worker_protocol.h. All paths sent are absolute.
 * Thread rule: one worker, one thread.
 */
#ifndef OB_ENGINE_WORKER_H
#define OB_ENGINE_WORKER_H

#include "base/context.h"
#include "io/compress.h"
#include "layer/layer_writer.h"
#include "sandbox/sandbox.h"

typedef struct ob_worker ob_worker;

/**
 * Ask a short-lived worker what this machine allows. @param store_dir an existing directory on the file
 * system where trees will be: trials are made in it.
 */
ocib_errc ob_worker_probe(ocib_context *ctx, const char *store_dir, ob_probe *out,
			  ocib_error **err);

/** Spawn a worker standing on the best rung that works. Kinds: DENIED (no rung; with hint), NOTFOUND
 *  (the executable is missing). */
ocib_errc ob_worker_spawn(ocib_context *ctx, const char *store_dir, ob_worker **out,
			  ocib_error **err);
ob_rung ob_worker_rung(const ob_worker *worker);
/** From when @p fd (borrowed) is readable, requests end with CANCELED, as they do with the context. */
void ob_worker_set_stop_fd(ob_worker *worker, int fd);
ob_worker *ob_worker_free(ob_worker *worker); /**< ends it and waits */
OB_DEFINE_AUTO(ob_worker);

/** What the top directory of a tree shall be like. */
typedef struct ob_tree_root {
	uint32_t mode, uid, gid;
} ob_tree_root;

/**
 * Unpack one layer blob as the tree @p target on top of @p lowers. The tree appears complete or not at
 * all; where somebody else has made it meanwhile, his is kept.
 */
typedef struct ob_unpack_request {
	const char *blob;         /**< path of the packed or plain tar; NULL: an empty tree */
	const char *index;        /**< of its layer index, or NULL: inflates on all cores */
	const char *target;       /**< directory to make */
	const char *temp;         /**< an empty directory on the same file system */
	const ob_strlist *lowers; /**< trees below, topmost first */
	uint32_t step;            /**< for progress events, with @ref id */
	const char *id;
	uint64_t size;            /**< unpacked bytes if known, else 0 */
	const ob_digest *diff_id; /**< what the tar must have, else CORRUPT; NULL: it has */
	const ob_tree_root *root; /**< NULL: as the tar says */
} ob_unpack_request;
ocib_errc ob_worker_unpack(ob_worker *worker, const ob_unpack_request *request, ocib_error **err);

typedef void (*ob_worker_output)(int stream, const char *data, size_t len, void *arg);
/** Run to the end, or to cancellation (then everything in it is killed: CANCELED). */
ocib_errc ob_worker_run(ob_worker *worker, const ob_run_spec *spec, ob_worker_output output,
			void *arg, ob_run_status *status, ocib_error **err);
/** The same with standard streams of the caller's choice (borrowed) and somebody who attends to the
 *  command: see worker_link.h. */
typedef struct ob_attendant ob_attendant;
ocib_errc ob_worker_run_attended(ob_worker *worker, const ob_run_spec *spec, const int stdio[3],
				 const ob_attendant *attendant, ob_run_status *status,
				 ocib_error **err);
/** What an attendant may ask for. A probe is a command beside the running one, one at a time; its answer
 *  is a frame. @p output (borrowed) takes what it writes. */
ocib_errc ob_worker_signal(ob_worker *worker, int number, ocib_error **err);
ocib_errc ob_worker_probe_command(ob_worker *worker, const ob_strlist *argv, int output,
				  ocib_error **err);
ocib_errc ob_worker_kill_probe(ob_worker *worker, ocib_error **err);

/** Write a RUN's changes as a layer blob to @p blob_path (made by the caller), the index to index_path. */
typedef struct ob_diff_request {
	const char *upper;
	const ob_strlist *lowers; /**< topmost first */
	const ob_strlist *skip;   /**< stubs of the run */
	const char *blob_path;
	const char *index_path; /**< file to write the formatted layer index to; or NULL */
	ob_layer_writer_options writer;
	uint32_t step;      /**< for progress events */
	ob_tree_root *root; /**< gets what the top directory is like; or NULL */
} ob_diff_request;
/** *result's index is NULL: read it from index_path if it is wanted. *entries: 0 means nothing changed. */
ocib_errc ob_worker_diff(ob_worker *worker, const ob_diff_request *request, ob_layer_result *result,
			 uint64_t *entries, ocib_error **err);

/** rm -rf of trees whose owners are not ours. */
ocib_errc ob_worker_remove(ob_worker *worker, const ob_strlist *paths, ocib_error **err);

#endif
