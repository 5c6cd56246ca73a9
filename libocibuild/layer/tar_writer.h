/* layer/tar_writer.h — the bytes of a tar member: ustar, and pax records only for what ustar cannot say.
 *
 * The bytes are the product (they are hashed into diff ids), so they depend on the entry alone: no
 * locale, no user names, no access times. Names go into ustar fields as they are, whatever their bytes;
 * a pax "path" or "linkpath" is used only for names that do not fit. Whole seconds: mtime_nsec is not
 * written.
 */
#ifndef OB_LAYER_TAR_WRITER_H
#define OB_LAYER_TAR_WRITER_H

#include "base/buffer.h"
#include "layer/entry.h"

#define OB_TAR_BLOCK 512
/** Two blocks of zeros end an archive. */
#define OB_TAR_END_LEN 1024
/** Longest that a member's headers can be: a pax header with its records, and the ustar block. */
#define OB_TAR_HEADER_MAX (OB_LIMIT_TAR_XATTRS + 3 * OB_LIMIT_TAR_NAME + 8 * OB_TAR_BLOCK)

/** Bytes of zeros between a content of @p size bytes and the next header. */
static inline size_t ob_tar_padding(uint64_t size)
{
	return (size_t)(-size & (OB_TAR_BLOCK - 1));
}

/**
 * Append all header blocks of @p entry; the content and its padding follow them.
 * Kinds: LIMIT (xattrs, names), UNSUPPORTED (a name, xattr name or device number no tar can hold).
 */
ocib_errc ob_tar_header_format(const ob_entry *entry, ob_buffer *out, ocib_error **err);

#endif
