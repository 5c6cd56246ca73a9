/* fuzz/fuzz_layer_index.c — any bytes as the document of a layer index.
 *
 * What does not begin as a document is taken for the payload of one, so that a fuzzer need not learn to
 * write zstd. What was parsed must come back from its own document, byte for byte the second time.
 */
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "layer/layer_index_codec.h"
#include "layer/layer_stack.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static ob_layer_index *parse(const void *data, size_t len)
{
	ob_layer_index *index = NULL;

	(void)ob_layer_index_parse(data, len, &index, NULL);
	return index;
}

static ob_layer_index *parse_payload(const void *data, size_t len)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(64 * OB_MIB, "index");

	ob_buffer_append(&document, OB_INDEX_MAGIC, OB_INDEX_HEAD_LEN);
	require(ob_zstd_pack(data, len, 1, &document, NULL) == OCIB_OK);
	return parse(document.data, document.len);
}

static void check_formats(const ob_layer_index *index)
{
	ob_autodone(ob_buffer) first = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "index");
	ob_autodone(ob_buffer) second = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "index");

	require(ob_layer_index_format(index, &first, NULL) == OCIB_OK);
	ob_auto(ob_layer_index) again = parse(first.data, first.len);
	require(again && again->len == index->len);
	require(ob_layer_index_format(again, &second, NULL) == OCIB_OK);
	require(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
}

static int look_up(const char *path, const ob_found *found, void *arg)
{
	ob_found again = ob_layer_stack_lookup(arg, path);

	require(again.exists && again.entry == found->entry);
	return 0;
}

static void check_stack(const ob_layer_index *index)
{
	ob_auto(ob_layer_stack) stack = ob_layer_stack_new();

	for (int i = 0; i < 3; i++)
		require(ob_layer_stack_push(stack, index) == 0);
	require(ob_layer_stack_walk(stack, "", look_up, stack) == 0);
	for (size_t i = 0; i < index->len; i++) {
		ob_autofree char *resolved = NULL;
		ob_found found;

		require(ob_layer_index_find(index, index->entries[i].path) != NULL);
		(void)ob_layer_stack_resolve(stack, index->entries[i].path, true, &resolved, &found,
					     NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_document = size >= 4 && memcmp(data, OB_INDEX_MAGIC, 4) == 0;
	ob_auto(ob_layer_index) index = is_document ? parse(data, size) : parse_payload(data, size);

	if (index) {
		check_formats(index);
		check_stack(index);
	}
	return 0;
}
