/* image/digest.h — "sha256:<64 hex>" as a value (OCI image specification, descriptor.md, Digests). */
#ifndef OB_IMAGE_DIGEST_H
#define OB_IMAGE_DIGEST_H

#include <stdbool.h>
#include "base/error.h"
#include "io/hash.h"

#define OB_DIGEST_TEXT_LEN 71 /* strlen("sha256:") + 64 */

typedef struct ob_digest {
	uint8_t bytes[OB_SHA256_LEN];
	char text[OB_DIGEST_TEXT_LEN + 1]; /**< "" : no digest */
} ob_digest;

void ob_digest_from_bytes(ob_digest *digest, const uint8_t bytes[OB_SHA256_LEN]);
void ob_digest_of(ob_digest *digest, const void *data, size_t len);
/** Kinds: CORRUPT (not a sha256 digest). */
ocib_errc ob_digest_parse(const char *text, ob_digest *out, ocib_error **err);
/** From the 64 hex digits alone, as in a blob's file name; false: they are none. */
bool ob_digest_parse_hex(const char *hex, ob_digest *out);
static inline const char *ob_digest_hex(const ob_digest *digest)
{
	return digest->text + 7;
}
static inline bool ob_digest_is_set(const ob_digest *digest)
{
	return digest->text[0] != '\0';
}
bool ob_digest_eq(const ob_digest *a, const ob_digest *b);
/** ChainID(parent, diff_id) of the image specification; parent NULL or unset for the first layer. */
void ob_chain_id(const ob_digest *parent, const ob_digest *diff_id, ob_digest *out);

#endif
