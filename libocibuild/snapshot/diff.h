/* snapshot/diff.h — what a step changed, as layer entries. Runs in the worker.
 *
 * From overlayfs: the upper directory is the diff. Whiteout devices become OB_ENTRY_WHITEOUT, opaque
 * directories OB_ENTRY_OPAQUE; what was copied up without a change is left out (compared with the lower
 * directories); overlay's own xattrs are dropped; whiteouts of what no lower has are dropped.
 */
#ifndef OB_SNAPSHOT_DIFF_H
#define OB_SNAPSHOT_DIFF_H

#include "layer/layer_writer.h"

typedef struct ob_diff_options {
	const int *lower_fds; /**< directories, topmost first */
	size_t lower_count;
	const char *const
		*skip; /**< entry paths that are not the step's doing (mount point stubs) */
	size_t skip_count;
	bool userxattr; /**< overlay's marks are user.overlay.*, else trusted.overlay.* */
	int (*check)(
		void *arg); /**< asked now and then: not 0 makes it end with CANCELED; may be NULL */
	void *arg;
} ob_diff_options;

/** Writes all changes, in order, to @p writer; does not finish it. Kinds: CANCELED. */
ocib_errc ob_snapshot_diff(int upper_fd, const ob_diff_options *options, ob_layer_writer *writer,
			   ocib_error **err);

#endif
