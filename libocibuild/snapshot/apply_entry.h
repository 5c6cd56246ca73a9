/* snapshot/apply_entry.h — one entry of a layer made in a directory. */
#ifndef OB_SNAPSHOT_APPLY_ENTRY_H
#define OB_SNAPSHOT_APPLY_ENTRY_H

#include "snapshot/apply.h"
#include "snapshot/apply_dirs.h"

#define OB_APPLY_BUFFER (256 * 1024)

/** What unpacking one layer needs. */
typedef struct ob_apply {
	ob_tar_reader *tar;
	const ob_apply_options *options;
	ob_apply_dirs dirs;
	uint8_t *buffer; /**< OB_APPLY_BUFFER bytes */
} ob_apply;

/** Make it, replacing what is there (a directory stays one). Kinds: as ob_snapshot_apply(). */
ocib_errc ob_apply_entry(ob_apply *a, const ob_entry *entry, ocib_error **err);
/** Remove dir/name with everything in it; absent is fine. */
ocib_errc ob_apply_remove(ob_apply *a, int dirfd, const char *name, ocib_error **err);

#endif
