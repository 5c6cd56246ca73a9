/* fuzz/fuzz_auth_challenge.c — any bytes as a WWW-Authenticate header.
 *
 * Property: what was understood, written out again with every value quoted, is understood the same
 * way.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "registry/auth_challenge.h"

static void format(const ob_challenges *list, ob_buffer *out)
{
	for (size_t i = 0; i < list->len; i++) {
		ob_buffer_printf(out, "%s%s", i ? ", " : "", list->items[i].scheme);
		for (size_t j = 0; j < list->items[i].params.len; j++) {
			const char *pair = list->items[i].params.items[j],
				   *value = strchr(pair, '=') + 1;

			ob_buffer_printf(out, "%s%.*s\"", j ? ", " : " ", (int)(value - pair),
					 pair);
			for (; *value; value++)
				ob_buffer_printf(out, "\\%c", *value);
			ob_buffer_append_char(out, '"');
		}
	}
}

static void assert_same(const ob_challenges *a, const ob_challenges *b)
{
	assert(a->len == b->len);
	for (size_t i = 0; i < a->len; i++) {
		assert(ob_str_eq(a->items[i].scheme, b->items[i].scheme));
		assert(a->items[i].params.len == b->items[i].params.len);
		for (size_t j = 0; j < a->items[i].params.len; j++)
			assert(ob_str_eq(a->items[i].params.items[j], b->items[i].params.items[j]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	ob_autodone(ob_challenges) first = {0};
	ob_autodone(ob_challenges) second = {0};
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(16 * OB_MIB, "fuzz");
	ob_autofree char *header = strndup((const char *)data, len);

	if (!header || ob_challenges_parse(header, &first, NULL))
		return 0;
	format(&first, &text);
	ocib_errc rc = ob_challenges_parse(text.data ? text.data : "", &second, NULL);
	assert(rc == OCIB_OK);
	assert_same(&first, &second);
	return 0;
}
