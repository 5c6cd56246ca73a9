/* image/digest.c — sha256 digests as values.
 *
 * A digest always holds both its bytes and its text, so that neither is computed twice and a digest can
 * be printed anywhere. Only sha256 is spoken: the specification's other algorithms are not seen in
 * images, and a store with two names for one blob would have to be searched twice.
 * The text is strict: lower-case hex, as the image specification demands, because texts are compared,
 * used as file names and hashed into chain ids.
 */
#include "image/digest.h"
#include <stdio.h>
#include <string.h>
#include "base/strings.h"

static const char PREFIX[] = "sha256:";

void ob_digest_from_bytes(ob_digest *digest, const uint8_t bytes[OB_SHA256_LEN])
{
	memmove(digest->bytes, bytes, OB_SHA256_LEN);
	memcpy(digest->text, PREFIX, sizeof(PREFIX) - 1);
	ob_hex_encode(digest->bytes, OB_SHA256_LEN, digest->text + sizeof(PREFIX) - 1);
}

void ob_digest_of(ob_digest *digest, const void *data, size_t len)
{
	uint8_t bytes[OB_SHA256_LEN];

	ob_sha256(data, len, bytes);
	ob_digest_from_bytes(digest, bytes);
}

bool ob_digest_parse_hex(const char *hex, ob_digest *out)
{
	uint8_t bytes[OB_SHA256_LEN];

	/* The decoder takes capitals as well. */
	if (hex[strspn(hex, "0123456789abcdef")] || !ob_hex_decode(hex, bytes, OB_SHA256_LEN))
		return false;
	ob_digest_from_bytes(out, bytes);
	return true;
}

ocib_errc ob_digest_parse(const char *text, ob_digest *out, ocib_error **err)
{
	if (!ob_str_starts(text, PREFIX) || !ob_digest_parse_hex(text + sizeof(PREFIX) - 1, out))
		return ob_fail(
			err, OCIB_ERR_CORRUPT,
			"'%.100s' is not a digest: expected sha256: and 64 lower-case hex digits",
			text);
	return OCIB_OK;
}

bool ob_digest_eq(const ob_digest *a, const ob_digest *b)
{
	return ob_digest_is_set(a) == ob_digest_is_set(b) &&
	       (!ob_digest_is_set(a) || memcmp(a->bytes, b->bytes, OB_SHA256_LEN) == 0);
}

void ob_chain_id(const ob_digest *parent, const ob_digest *diff_id, ob_digest *out)
{
	char text[2 * OB_DIGEST_TEXT_LEN + 2];
	ob_digest chain = *diff_id;

	if (parent && ob_digest_is_set(parent)) {
		int len = snprintf(text, sizeof(text), "%s %s", parent->text, diff_id->text);

		ob_digest_of(&chain, text, (size_t)len);
	}
	*out = chain;
}
