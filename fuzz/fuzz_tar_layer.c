/* fuzz/fuzz_tar_layer.c — any bytes as a layer's tar, and as an archive for ADD.
 *
 * What can be scanned must come back from its index document, and may be written again as a layer that
 * scans to the same entries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "layer/layer_blob.h"
#include "layer/layer_stack.h"
#include "layer/layer_writer.h"

/* Content is not what this is about, and claims of much of it would take all the time. */
#define CONTENT_MAX (1 * OB_MIB)

/* An assert whose condition does work, so it is there in every build. */
#define require(holds) \
	((holds) ? (void)0 : (void)(fprintf(stderr, "line %d: %s\n", __LINE__, #holds), abort()))

static bool same_entry(const ob_entry *a, const ob_entry *b)
{
	return strcmp(a->path, b->path) == 0 && a->type == b->type && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
	       a->mtime_sec == b->mtime_sec && a->xattr_count == b->xattr_count &&
	       a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       strcmp(a->link ? a->link : "", b->link ? b->link : "") == 0;
}

static ob_layer_index *scan(const void *data, size_t len)
{
	ob_auto(ob_reader) reader = NULL;
	ob_layer_index *index = NULL;

	require(ob_reader_open_memory(data, len, &reader, NULL) == OCIB_OK);
	(void)ob_layer_index_scan(reader, "fuzz", &index, NULL);
	return index;
}

static void check_document(const ob_layer_index *index)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "index");
	ob_auto(ob_layer_index) parsed = NULL;

	require(ob_layer_index_format(index, &document, NULL) == OCIB_OK);
	require(ob_layer_index_parse(document.data, document.len, &parsed, NULL) == OCIB_OK);
	require(parsed->len == index->len);
	for (size_t i = 0; i < index->len; i++) {
		require(same_entry(&parsed->entries[i], &index->entries[i]));
		require(parsed->entries[i].tar_offset == index->entries[i].tar_offset);
		require(parsed->entries[i].data_offset == index->entries[i].data_offset);
	}
}

static int count_entry(const char *path, const ob_found *found, void *arg)
{
	(void)path;
	*(size_t *)arg += found->exists;
	return 0;
}

static void check_stack(const ob_layer_index *index)
{
	ob_auto(ob_layer_stack) stack = ob_layer_stack_new();
	size_t seen = 0;

	require(ob_layer_stack_push(stack, index) == 0 && ob_layer_stack_push(stack, index) == 0);
	require(ob_layer_stack_walk(stack, "", count_entry, &seen) == 0);
	for (size_t i = 0; i < index->len; i++) {
		ob_found found = ob_layer_stack_lookup(stack, index->entries[i].path);

		require(found.exists || ob_entry_is_mark(&index->entries[i]));
	}
}

/* The entries, with zeros as content, in our own tar. Some cannot be written: that is an error and fine. */
static ocib_errc write_again(const ob_layer_index *index, ob_buffer *tar)
{
	static const uint8_t zeros[CONTENT_MAX];
	const ob_layer_writer_options options = {.compression = OB_COMPRESSION_NONE};
	ob_auto(ob_layer_writer) writer = NULL;
	ob_auto(ob_writer) to = NULL;
	ob_layer_result result;
	ocib_errc r = OCIB_OK;

	require(ob_writer_open_buffer(tar, &to, NULL) == OCIB_OK);
	require(ob_layer_writer_open(&options, to, &writer, NULL) == OCIB_OK);
	for (size_t i = 0; i < index->len && !r; i++) {
		const ob_entry *entry = &index->entries[i];
		ob_auto(ob_reader) content = NULL;

		if (entry->size > CONTENT_MAX)
			return OCIB_ERR_LIMIT;
		require(ob_reader_open_memory(zeros, entry->size, &content, NULL) == OCIB_OK);
		r = ob_layer_writer_add(writer, entry, content, NULL);
	}
	if (!r)
		r = ob_layer_writer_finish(writer, &result, NULL);
	if (!r)
		ob_layer_result_done(&result);
	return r;
}

static void check_writing(const ob_layer_index *index)
{
	ob_autodone(ob_buffer) tar = OB_BUFFER_INIT(64 * OB_MIB, "tar");
	ob_auto(ob_layer_index) again = NULL;

	if (write_again(index, &tar) != OCIB_OK)
		return;
	again = scan(tar.data, tar.len);
	require(again && again->len == index->len);
	for (size_t i = 0; i < index->len; i++)
		require(same_entry(&again->entries[i], &index->entries[i]));
}

/* As ADD reads it. */
static void read_archive(const void *data, size_t len)
{
	const ob_tar_reader_options options = {.any_archive = true};
	ob_auto(ob_reader) reader = NULL;
	ob_auto(ob_tar_reader) tar = NULL;
	const ob_entry *entry;
	uint8_t block[4096];

	require(ob_reader_open_memory(data, len, &reader, NULL) == OCIB_OK);
	if (ob_tar_reader_open(reader, &options, &tar, NULL) != OCIB_OK)
		return;
	while (ob_tar_reader_next(tar, &entry, NULL) == OCIB_OK && entry) {
		uint64_t total = 0;
		size_t got = 1;

		while (got && total < CONTENT_MAX &&
		       ob_tar_reader_read(tar, block, sizeof(block), &got, NULL) == OCIB_OK)
			total += got;
		require(total <= entry->size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ob_auto(ob_layer_index) index = scan(data, size);

	if (index) {
		check_document(index);
		check_stack(index);
		check_writing(index);
	}
	read_archive(data, size);
	return 0;
}
