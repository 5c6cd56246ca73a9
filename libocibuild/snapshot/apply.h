/* snapshot/apply.h — unpack a layer's tar into a directory. Runs in the worker.
 *
 * Every path is resolved with openat2 inside the root. Two ways, same result seen through overlayfs:
 *  - onto a merged tree (a mounted overlay, or a plain copy): whiteouts delete, opaques empty;
 *  - the first layer of a stack, into an empty directory: there is nothing to delete.
 * The caller's umask must be 0.
 */
#ifndef OB_SNAPSHOT_APPLY_H
#define OB_SNAPSHOT_APPLY_H

#include "layer/tar_reader.h"

typedef struct ob_apply_options {
	bool keep_owner; /**< chown to the entry's ids; else everything stays ours */
	/** How far we are in the tar; not 0 makes it end with CANCELED. May be NULL. */
	int (*progress)(uint64_t tar_bytes, void *arg);
	/** Something that the tree will not have: a device that may not be made here. May be NULL. */
	void (*warning)(const char *text, void *arg);
	void *arg;
} ob_apply_options;

/** Kinds: CORRUPT (climbs out, file in the way), LIMIT, DENIED (an id that is not mapped), CANCELED. */
ocib_errc ob_snapshot_apply(ob_tar_reader *tar, int rootfd, const ob_apply_options *options,
			    ocib_error **err);

#endif
