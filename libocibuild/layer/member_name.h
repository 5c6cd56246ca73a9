/* layer/member_name.h — between a tar member's name and what it means in a layer.
 *
 * A member is called "./etc/", "etc/.wh.passwd" or "etc/.wh..wh..opq"; an entry has a clean path and a
 * type. docs/internals/whiteouts.md has the rules.
 */
#ifndef OB_LAYER_MEMBER_NAME_H
#define OB_LAYER_MEMBER_NAME_H

#include "base/buffer.h"
#include "layer/entry.h"

#define OB_WHITEOUT_PREFIX ".wh."
#define OB_WHITEOUT_OPAQUE ".wh..wh..opq"

typedef enum ob_member_kind {
	OB_MEMBER_PLAIN,
	OB_MEMBER_WHITEOUT,
	OB_MEMBER_OPAQUE,
	OB_MEMBER_METADATA /**< what AUFS kept for itself (".wh..wh.plnk"): to be ignored */
} ob_member_kind;

/**
 * A member's name or hard link target to an entry path (malloc'ed). With @p strict an absolute name or a
 * ".." is refused, without it both are clipped to the root. Kinds: CORRUPT, LIMIT.
 */
ocib_errc ob_member_name_parse(const char *name, bool strict, char **path, ocib_error **err);
/**
 * Recognise a whiteout and rewrite @p path in place to the path it speaks of. Kinds: CORRUPT (a whiteout
 * of nothing, or of "." or "..", or something below a whiteout).
 */
ocib_errc ob_member_whiteout_parse(char *path, ob_member_kind *kind, ocib_error **err);
/** The inverse of both: the name that the entry has in a tar. Kinds: UNSUPPORTED (a file ".wh.x"). */
ocib_errc ob_member_name_format(const ob_entry *entry, ob_buffer *out, ocib_error **err);

#define OB_MEMBER_SHOWN 160
/** A name as an error may show it: control and non-ASCII bytes escaped, long ones cut. Returns out. */
const char *ob_member_show(const char *name, char out[OB_MEMBER_SHOWN]);

#endif
