/* fuzz_reference.c — any text as an image name: what parses must format to something that parses to the
 * same, in full and in its familiar form. */
#undef NDEBUG
#include <assert.h>
#include <string.h>
#include "base/strings.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const ob_reference *ref, const char *text)
{
	ob_autodone(ob_reference) again = {0};
	ocib_errc r = ob_reference_parse(text, &again, NULL);

	assert(r == OCIB_OK);
	assert(ob_str_eq(ref->domain, again.domain) && ob_str_eq(ref->path, again.path));
	assert(!ref->tag == !again.tag && (!ref->tag || ob_str_eq(ref->tag, again.tag)));
	assert(ob_digest_eq(&ref->digest, &again.digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ob_autofree char *text = strndup((const char *)data, size);
	ob_autodone(ob_reference) ref = {0};
	ob_autofree char *full = NULL, *familiar = NULL;

	if (!text || ob_reference_parse(text, &ref, NULL) != OCIB_OK)
		return 0;
	full = ob_reference_format(&ref);
	assert(full);
	check_again(&ref, full);
	familiar = ob_reference_familiar(&ref);
	assert(familiar);
	check_again(&ref, familiar);
	(void)ob_reference_is_loopback(&ref);
	return 0;
}
