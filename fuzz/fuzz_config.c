/* fuzz_config.c — any bytes as an image configuration: what parses is written so that it parses again
 * and is written the same, also by way of a copy. */
#undef NDEBUG
#include <assert.h>
#include <string.h>
#include "base/limits.h"
#include "image/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void format(const ob_config *config, ob_buffer *out)
{
	ocib_errc r = ob_config_format(config, out, NULL);

	assert(r == OCIB_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ob_auto(ob_config) config = NULL;
	ob_auto(ob_config) again = NULL;
	ob_auto(ob_config) copy = NULL;
	ob_auto(ocib_error) err = NULL;
	ob_autodone(ob_buffer) first = OB_BUFFER_INIT(8 * OB_LIMIT_CONFIG, "config");
	ob_autodone(ob_buffer) second = OB_BUFFER_INIT(8 * OB_LIMIT_CONFIG, "config");
	ocib_errc r;

	if (ob_config_parse((const char *)data, size, &config, &err) != OCIB_OK)
		return 0;
	format(config, &first);
	r = ob_config_parse(first.data, first.len, &again, NULL);
	assert(r == OCIB_OK);
	copy = ob_config_copy(again);
	assert(copy);
	format(copy, &second);
	assert(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	return 0;
}
