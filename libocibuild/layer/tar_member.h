/* layer/tar_member.h — a libarchive entry to one of ours. Private to the tar reader. */
#ifndef OB_LAYER_TAR_MEMBER_H
#define OB_LAYER_TAR_MEMBER_H

#include "layer/entry.h"

struct archive_entry;

typedef struct ob_tar_member_rules {
	bool strict;    /**< absolute names and ".." are refused, else clipped */
	bool whiteouts; /**< ".wh." names are deletions */
} ob_tar_member_rules;

/**
 * Everything about the member but its place in the tar. *skip: it is to be ignored.
 * Call in the C locale. Kinds: CORRUPT, LIMIT.
 */
ocib_errc ob_tar_member_parse(struct archive_entry *member, const ob_tar_member_rules *rules,
			      ob_entry *out /* empty */, bool *skip, ocib_error **err);

#endif
