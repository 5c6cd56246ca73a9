/* registry/base64.c — base64 of credentials: `auth` members of config.json and Basic headers.
 *
 * Small inputs only. The decoder takes padding or none, and nothing else than the standard
 * alphabet, so that a damaged config.json is noticed instead of becoming a wrong password.
 */
#include "registry/base64.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *ob_base64_encode(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *out = malloc((len + 2) / 3 * 4 + 1), *p = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		uint32_t left = (uint32_t)(len - i < 3 ? len - i : 3);
		uint32_t bits = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				(left > 2 ? in[i + 2] : 0);

		*p++ = alphabet[bits >> 18];
		*p++ = alphabet[bits >> 12 & 63];
		*p++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*p++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	*p = '\0';
	return out;
}

char *ob_base64_decode(const char *text, size_t *len)
{
	size_t in_len = strlen(text), used = 0;
	uint32_t bits = 0;
	unsigned have = 0;

	for (int pad = 0; pad < 2 && in_len > 0 && text[in_len - 1] == '='; pad++)
		in_len--;
	char *out = malloc(in_len * 3 / 4 + 1);
	if (!out)
		return NULL;
	for (size_t i = 0; i < in_len; i++) {
		const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;

		if (!at) {
			free(out);
			return NULL;
		}
		bits = bits << 6 | (uint32_t)(at - alphabet);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[used++] = (char)(uint8_t)(bits >> have);
		}
	}
	out[used] = '\0';
	*len = used;
	return out;
}
