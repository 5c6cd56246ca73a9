/* tests/unit/test_engine_import.c — tarballs in any order become entries in a layer's order. */
#include <fcntl.h>
#include "layer_fixture.h"
#include "store_fixture.h"
#include "engine/transfer/import_tree.h"
#include "layer/tar_writer.h"

static ocib_context *ctx;
static ob_store *store;
static ob_import_tree tree;
static int tar_fd;

static void append_member(ob_buffer *tar, const char *spec)
{
	ob_autodone(ob_entry) entry = {.path = NULL};
	ob_autofree char *content = NULL;

	t_parse_entry(spec, &entry, &content);
	ASSERT_OK(ob_tar_header_format(&entry, tar, &t_err));
	if (entry.type != OB_ENTRY_FILE)
		return;
	ob_buffer_append(tar, content, entry.size);
	for (size_t n = ob_tar_padding(entry.size); n > 0; n--)
		ob_buffer_append_char(tar, '\0');
}

static void begin(const char *const *specs, ob_compression packing)
{
	ob_autodone(ob_buffer) tar = OB_BUFFER_INIT(OB_MIB, "test");
	ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(OB_MIB, "test");
	ob_autofree char *path = ob_str_printf("%s/in.tar", t_temp_dir());

	for (; *specs; specs++)
		append_member(&tar, *specs);
	for (size_t n = OB_TAR_END_LEN; n > 0; n--)
		ob_buffer_append_char(&tar, '\0');
	if (packing == OB_COMPRESSION_ZSTD)
		ASSERT_OK(ob_zstd_pack(tar.data, tar.len, 0, &packed, &t_err));
	const ob_buffer *content = packing == OB_COMPRESSION_ZSTD ? &packed : &tar;
	ASSERT_OK(ob_write_file_atomic(AT_FDCWD, path, content->data, content->len, 0644, &t_err));
	tar_fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(tar_fd >= 0);
	ASSERT_OK(ocib_context_new(NULL, &ctx, &t_err));
	store = fixture_store("store", false);
}

static void end(void)
{
	ob_import_tree_done(&tree);
	(void)close(tar_fd);
	(void)ocib_store_close(store);
	ctx = ocib_context_free(ctx);
}

static ocib_errc read_tree(void)
{
	return ob_import_tree_read(ctx, store, tar_fd, "in.tar", &tree, &t_err);
}

static void assert_entry(size_t i, ob_entry_type type, const char *path, const char *text)
{
	assert_true(i < tree.index->len);
	const ob_entry *entry = &tree.index->entries[i];
	ob_auto(ob_reader) content = NULL;
	ob_autodone(ob_buffer) got = OB_BUFFER_INIT(OB_MIB, "test");

	assert_string_equal(entry->path, path);
	assert_int_equal(entry->type, type);
	if (type == OB_ENTRY_FILE) {
		ASSERT_OK(ob_import_tree_content(&tree, entry, &content, &t_err));
		ASSERT_OK(ob_reader_read_all(content, &got, &t_err));
		assert_string_equal(got.data ? got.data : "", text);
	} else if (text) {
		assert_string_equal(entry->link, text);
	}
}

#define BEGIN(packing, ...) begin((const char *const[]){__VA_ARGS__, NULL}, packing)

TEST(import__sorted_and_readable_whatever_the_packing)
{
	static const ob_compression packings[] = {OB_COMPRESSION_NONE, OB_COMPRESSION_ZSTD};

	for (size_t i = 0; i < OB_ARRAY_LEN(packings); i++) {
		BEGIN(packings[i], "d z", "f z/b 0644 two", "f a 0644 one", "d .", "l k z/b",
		      "f e 0600");
		ASSERT_OK(read_tree());
		assert_int_equal(tree.is_plain, packings[i] == OB_COMPRESSION_NONE);
		assert_int_equal(tree.index->len, 6);
		assert_entry(0, OB_ENTRY_DIR, "", NULL);
		assert_entry(1, OB_ENTRY_FILE, "a", "one");
		assert_entry(3, OB_ENTRY_SYMLINK, "k", "z/b");
		assert_entry(5, OB_ENTRY_FILE, "z/b", "two");
		end();
	}
}

TEST(import__the_first_name_in_order_has_the_content_of_hard_links)
{
	BEGIN(OB_COMPRESSION_NONE, "f m 0640 text", "h z m", "h a z", "f other 0644 x");
	ASSERT_OK(read_tree());
	assert_int_equal(tree.index->len, 4);
	assert_entry(0, OB_ENTRY_FILE, "a", "text");
	assert_int_equal(tree.index->entries[0].mode, 0640);
	assert_entry(1, OB_ENTRY_HARDLINK, "m", "a");
	assert_entry(3, OB_ENTRY_HARDLINK, "z", "a");
	end();
}

TEST(import__a_link_keeps_content_whose_first_name_was_overwritten)
{
	BEGIN(OB_COMPRESSION_NONE, "f a 0644 old", "h b a", "f a 0644 new");
	ASSERT_OK(read_tree());
	assert_int_equal(tree.index->len, 2);
	assert_entry(0, OB_ENTRY_FILE, "a", "new");
	assert_entry(1, OB_ENTRY_FILE, "b", "old");
	end();
}

TEST(import__the_later_of_two_members_counts)
{
	BEGIN(OB_COMPRESSION_NONE, "f a 0644 first", "f a 0600 second");
	ASSERT_OK(read_tree());
	assert_int_equal(tree.index->len, 1);
	assert_entry(0, OB_ENTRY_FILE, "a", "second");
	end();
}

TEST(import__a_link_to_nothing_is_an_error)
{
	BEGIN(OB_COMPRESSION_NONE, "h b nothing");
	ASSERT_ERROR(read_tree(), OCIB_ERR_CORRUPT, "nothing");
	end();
}

TEST(import__a_file_with_something_below_it_is_an_error)
{
	BEGIN(OB_COMPRESSION_NONE, "d a", "f a/b 0644 x", "l a /etc");
	ASSERT_ERROR(read_tree(), OCIB_ERR_CORRUPT, "'a'");
	end();
}
