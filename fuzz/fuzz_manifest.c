/* fuzz_manifest.c — any bytes as a manifest and as an index: no document is both, and what parses is
 * written so that it parses again and is written the same. */
#undef NDEBUG
#include <assert.h>
#include <string.h>
#include "base/limits.h"
#include "image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_manifest(const ob_manifest *manifest)
{
	ob_autodone(ob_buffer) first = OB_BUFFER_INIT(8 * OB_LIMIT_MANIFEST, "manifest");
	ob_autodone(ob_buffer) second = OB_BUFFER_INIT(8 * OB_LIMIT_MANIFEST, "manifest");
	ob_auto(ob_manifest) again = NULL;
	ocib_errc r = ob_manifest_format(manifest, &first, NULL);

	assert(r == OCIB_OK);
	r = ob_manifest_parse(first.data, first.len, manifest->media_type, &again, NULL);
	assert(r == OCIB_OK);
	r = ob_manifest_format(again, &second, NULL);
	assert(r == OCIB_OK && first.len == second.len);
	assert(memcmp(first.data, second.data, first.len) == 0);
	assert(ob_document_kind(first.data, first.len, NULL) == 0);
}

static void check_index(const ob_index *index)
{
	ob_autodone(ob_buffer) first = OB_BUFFER_INIT(8 * OB_LIMIT_MANIFEST, "index");
	ob_autodone(ob_buffer) second = OB_BUFFER_INIT(8 * OB_LIMIT_MANIFEST, "index");
	ob_auto(ob_index) again = NULL;
	ob_platform host;
	ocib_errc r = ob_index_format(index, &first, NULL);

	assert(r == OCIB_OK);
	r = ob_index_parse(first.data, first.len, index->media_type, &again, NULL);
	assert(r == OCIB_OK);
	r = ob_index_format(again, &second, NULL);
	assert(r == OCIB_OK && first.len == second.len);
	assert(memcmp(first.data, second.data, first.len) == 0);
	assert(ob_document_kind(first.data, first.len, NULL) == 1);
	ob_platform_host(&host);
	(void)ob_index_find(again, &host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	ob_auto(ob_manifest) manifest = NULL;
	ob_auto(ob_index) index = NULL;
	ob_auto(ocib_error) err = NULL;

	if (ob_manifest_parse(text, size, NULL, &manifest, &err) == OCIB_OK)
		check_manifest(manifest);
	if (ob_index_parse(text, size, NULL, &index, NULL) == OCIB_OK)
		check_index(index);
	assert(!manifest || !index);
	return 0;
}
