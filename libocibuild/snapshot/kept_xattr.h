/* snapshot/kept_xattr.h — which extended attributes belong to an image. */
#ifndef OB_SNAPSHOT_KEPT_XATTR_H
#define OB_SNAPSHOT_KEPT_XATTR_H

#include <stdbool.h>
#include "base/strings.h"

/**
 * What users and programs set: user.* and trusted.* but for overlayfs's own marks, and file
 * capabilities. Labels and the like are the machine's, not the image's.
 */
static inline bool ob_xattr_is_kept(const char *name)
{
	if (ob_str_starts(name, "user.overlay.") || ob_str_starts(name, "trusted.overlay."))
		return false;
	return ob_str_starts(name, "user.") || ob_str_starts(name, "trusted.") ||
	       ob_str_eq(name, "security.capability");
}

#endif
