/* tests/support/layer_fixture.h — layers written down as text, one entry a line of words.
 *
 *   d PATH [MODE]   f PATH [MODE [CONTENT]]   l PATH TARGET   h PATH TARGET   w PATH   o PATH
 *   c PATH MAJOR MINOR   b PATH MAJOR MINOR   p PATH
 *
 * The path "." is the root. No blanks in words.
 */
#ifndef OB_TESTS_LAYER_FIXTURE_H
#define OB_TESTS_LAYER_FIXTURE_H

#include <stdlib.h>
#include <string.h>
#include "harness.h"
#include "base/limits.h"
#include "base/strings.h"
#include "layer/layer_writer.h"
#include "layer/tar_reader.h"

#define T_WORDS 4

/* A word of the spec, or NULL. */
static inline char *t_word(char **rest)
{
	char *word;

	do
		word = strsep(rest, " ");
	while (word && !*word);
	return word;
}

/* *content is malloc'ed, "" for all but files. */
static inline void t_parse_entry(const char *spec, ob_entry *entry, char **content)
{
	static const char letters[] = "fdlhcbpwo"; /* in the order of ob_entry_type */
	ob_autofree char *copy = strdup(spec);
	char *rest = copy, *words[T_WORDS];

	assert_non_null(copy);
	for (size_t i = 0; i < T_WORDS; i++)
		words[i] = t_word(&rest);
	assert_true(words[0] && words[1] && strchr(letters, words[0][0]));
	memset(entry, 0, sizeof(*entry));
	entry->type = (ob_entry_type)(strchr(letters, words[0][0]) - letters + OB_ENTRY_FILE);
	entry->path = strdup(ob_str_eq(words[1], ".") ? "" : words[1]);
	entry->mtime_sec = 1700000000;
	*content = strdup("");
	switch (entry->type) {
	case OB_ENTRY_FILE:
		free(*content);
		*content = strdup(words[2] && words[3] ? words[3] : "");
		entry->size = strlen(*content);
		entry->mode = words[2] ? (uint32_t)strtoul(words[2], NULL, 8) : 0644;
		break;
	case OB_ENTRY_DIR:
		entry->mode = words[2] ? (uint32_t)strtoul(words[2], NULL, 8) : 0755;
		break;
	case OB_ENTRY_SYMLINK: entry->mode = 0777; /* fallthrough */
	case OB_ENTRY_HARDLINK: entry->link = strdup(words[2]); break;
	case OB_ENTRY_CHAR:
	case OB_ENTRY_BLOCK:
		entry->dev_major = (uint32_t)strtoul(words[2], NULL, 10);
		entry->dev_minor = (uint32_t)strtoul(words[3], NULL, 10);
		break;
	default: break;
	}
}

/* An index as if its tar had the entries in this order. */
static inline ob_layer_index *t_index(const char *const *specs)
{
	ob_layer_index *index = ob_layer_index_new();

	assert_non_null(index);
	for (uint64_t offset = 0; *specs; specs++, offset += 4096) {
		ob_autofree char *content = NULL;
		ob_entry entry;

		t_parse_entry(*specs, &entry, &content);
		entry.tar_offset = offset;
		assert_int_equal(ob_layer_index_take(index, &entry), 0);
		index->tar_size = offset + 8192;
	}
	ASSERT_OK(ob_layer_index_settle(index, &t_err));
	return index;
}
#define T_INDEX(...) t_index((const char *const[]){__VA_ARGS__, NULL})

static inline ocib_errc t_add(ob_layer_writer *writer, const char *spec, ocib_error **err)
{
	ob_autofree char *content = NULL;
	ob_auto(ob_reader) reader = NULL;
	ob_autodone(ob_entry) entry = {.path = NULL};

	t_parse_entry(spec, &entry, &content);
	ASSERT_OK(ob_reader_open_memory(content, strlen(content), &reader, &t_err));
	return ob_layer_writer_add(writer, &entry, entry.type == OB_ENTRY_FILE ? reader : NULL,
				   err);
}

/* The blob of a whole layer. */
static inline void t_write_layer(const ob_layer_writer_options *options, const char *const *specs,
				 ob_buffer *blob, ob_layer_result *result)
{
	ob_auto(ob_writer) to = NULL;
	ob_auto(ob_layer_writer) writer = NULL;

	ASSERT_OK(ob_writer_open_buffer(blob, &to, &t_err));
	ASSERT_OK(ob_layer_writer_open(options, to, &writer, &t_err));
	for (; *specs; specs++)
		ASSERT_OK(t_add(writer, *specs, &t_err));
	ASSERT_OK(ob_layer_writer_finish(writer, result, &t_err));
}
#define T_LAYER(options, blob, result, ...) \
	t_write_layer(options, (const char *const[]){__VA_ARGS__, NULL}, blob, result)

static inline void t_assert_entry_equal(const ob_entry *a, const ob_entry *b)
{
	assert_string_equal(a->path, b->path);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->size, b->size);
	assert_true(a->mtime_sec == b->mtime_sec);
	assert_int_equal(a->mtime_nsec, b->mtime_nsec);
	assert_string_equal(a->link ? a->link : "-", b->link ? b->link : "-");
	assert_int_equal(a->dev_major, b->dev_major);
	assert_int_equal(a->dev_minor, b->dev_minor);
	assert_int_equal(a->xattr_count, b->xattr_count);
	for (size_t i = 0; i < a->xattr_count; i++) {
		assert_string_equal(a->xattrs[i].name, b->xattrs[i].name);
		assert_int_equal(a->xattrs[i].len, b->xattrs[i].len);
		assert_memory_equal(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].len);
	}
	assert_int_equal(a->has_digest, b->has_digest);
	assert_memory_equal(a->digest, b->digest, sizeof(a->digest));
	assert_int_equal(a->tar_offset, b->tar_offset);
	assert_int_equal(a->data_offset, b->data_offset);
}

static inline void t_assert_index_equal(const ob_layer_index *a, const ob_layer_index *b)
{
	assert_int_equal(a->len, b->len);
	for (size_t i = 0; i < a->len; i++)
		t_assert_entry_equal(&a->entries[i], &b->entries[i]);
	assert_int_equal(a->tar_size, b->tar_size);
}

#endif
