/* base/options.c — see options.h: an older or newer caller's struct becomes the one we know. */
#include "base/options.h"
#include <string.h>

ocib_errc ob_options_copy(void *known, size_t known_size, const void *given, const char *what,
			  ocib_error **err)
{
	const unsigned char *bytes = given;
	size_t size = known_size;

	if (given)
		memcpy(&size, given, sizeof(size));
	if (size < sizeof(size))
		return ob_fail(err, OCIB_ERR_INVALID,
			       "%s: size is %zu; start from the OPTIONS_INIT macro", what, size);
	for (size_t i = known_size; given && i < size; i++)
		if (bytes[i])
			return ob_fail(
				err, OCIB_ERR_INVALID,
				"%s: an option that this version of the library does not know "
				"is set at offset %zu",
				what, i);
	memset(known, 0, known_size);
	if (given)
		memcpy(known, given, size < known_size ? size : known_size);
	memcpy(known, &known_size, sizeof(known_size));
	return OCIB_OK;
}
