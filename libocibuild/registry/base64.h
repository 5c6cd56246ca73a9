/* registry/base64.h — standard base64 (RFC 4648 section 4), for Basic credentials. */
#ifndef OB_REGISTRY_BASE64_H
#define OB_REGISTRY_BASE64_H

#include <stddef.h>

/** malloc'ed text; NULL: no memory. */
char *ob_base64_encode(const void *data, size_t len);
/**
 * malloc'ed, NUL added after *len bytes; padding may be missing. NULL: not base64, or no
 * memory.
 */
char *ob_base64_decode(const char *text, size_t *len);

#endif
