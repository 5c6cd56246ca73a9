/* test_engine_copy_archive.c — ADD of local archives: unpacked by content, as tar -x would. */
#include "copy_fixture.h"
#include "layer/tar_writer.h"

/* A tar with the entries in this order, whatever they say. */
static void archive(copy_fixture *f, const char *name, ob_compression kind,
		    const char *const *specs)
{
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(1 << 20, "tar");
	ob_autodone(ob_buffer) header = OB_BUFFER_INIT(1 << 20, "header");
	ob_auto(ob_writer) end = NULL;
	ob_auto(ob_compress_writer) to = NULL;
	static const char zeros[1024];

	ASSERT_OK(ob_writer_open_buffer(&out, &end, &t_err));
	ASSERT_OK(ob_compress_writer_new(end, kind, 0, 1, &to, &t_err));
	ob_writer *w = ob_compress_writer_base(to);
	for (; *specs; specs++) {
		ob_autofree char *content = NULL;
		ob_autodone(ob_entry) entry = {0};

		t_parse_entry(*specs, &entry, &content);
		entry.uid = 11;
		entry.gid = 12;
		ob_buffer_clear(&header);
		ASSERT_OK(ob_tar_header_format(&entry, &header, &t_err));
		ASSERT_OK(ob_writer_write(w, header.data, header.len, &t_err));
		ASSERT_OK(ob_writer_write(w, content, entry.size, &t_err));
		ASSERT_OK(ob_writer_write(w, zeros, (512 - entry.size % 512) % 512, &t_err));
	}
	ASSERT_OK(ob_writer_write(w, zeros, sizeof(zeros), &t_err));
	ASSERT_OK(ob_writer_finish(w, &t_err));
	copy_bytes(f, name, out.data, out.len);
}
#define ARCHIVE(f, name, kind, ...) \
	archive((f), (name), (kind), (const char *const[]){__VA_ARGS__, NULL})

TEST(archive__is_recognised_by_its_content)
{
	static const ob_compression kinds[] = {OB_COMPRESSION_NONE, OB_COMPRESSION_GZIP,
					       OB_COMPRESSION_ZSTD};

	for (size_t i = 0; i < OB_ARRAY_LEN(kinds); i++) {
		ob_autodone(copy_fixture) f = {0};

		ARCHIVE(&f, "name.txt", kinds[i], "f z 0600 last", "d a 0711",
			"f a/b 0644 content");
		copy_ok(&f, "ADD name.txt /x");
		ASSERT_LAYER(&f, "d x 0755 0:0", "d x/a 0711 11:12", "f x/a/b 0644 11:12 content",
			     "f x/z 0600 11:12 last");
		copy_fixture_done(&f);
		f = (copy_fixture){0};
		(void)ob_remove_tree(AT_FDCWD, t_temp_dir(), NULL);
		assert_int_equal(mkdir(t_temp_dir(), 0700), 0);
	}
}

TEST(archive__is_copied_by_copy_and_by_unpack_false)
{
	ob_autodone(copy_fixture) f = {0};

	ARCHIVE(&f, "a.tar", OB_COMPRESSION_NONE, "f z 0600 last");
	copy_ok(&f, "COPY a.tar /x/");
	ASSERT_LAYER(&f, "d x 0755 0:0", "f x/a.tar 0644 0:0");
	copy_ok(&f, "ADD --unpack=false a.tar /y/");
	ASSERT_LAYER(&f, "d y 0755 0:0", "f y/a.tar 0644 0:0");
	copy_file(&f, "plain.tar", "no archive");
	copy_ok(&f, "ADD plain.tar /z/");
	ASSERT_LAYER(&f, "d z 0755 0:0", "f z/plain.tar 0644 0:0 no archive");
}

TEST(archive__root_entry_leaves_the_destination_alone_and_chown_is_for_all)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d x 1777");
	ARCHIVE(&f, "a.tar", OB_COMPRESSION_NONE, "d . 0700", "f z 0600 1", "f deep/er/z 0600 2");
	copy_ok(&f, "ADD --chown=5:6 a.tar /x");
	ASSERT_LAYER(&f, "d x/deep 0755 0:0", "d x/deep/er 0755 0:0", "f x/deep/er/z 0600 5:6 2",
		     "f x/z 0600 5:6 1");
}

TEST(archive__goes_through_links_inside_the_destination)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d real", "d x", "l x/abs /real", "d x/real", "l x/up ../../../..");
	ARCHIVE(&f, "a.tar", OB_COMPRESSION_NONE, "f abs/f 0644 1", "f up/g 0644 2");
	copy_ok(&f, "ADD a.tar /x");
	ASSERT_LAYER(&f, "f x/g 0644 11:12 2", "f x/real/f 0644 11:12 1");
}

TEST(archive__replaces_what_is_there_and_joins_directories)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d d 0700", "f d/kept", "d file", "f file/lost", "l link d", "f was");
	ARCHIVE(&f, "a.tar", OB_COMPRESSION_NONE, "d d 0755", "f d/new 0644 1", "f file 0644 2",
		"d link 0755", "f link/x 0644 3", "d was 0755", "f was 0644 again");
	copy_ok(&f, "ADD a.tar /");
	ASSERT_LAYER(&f, "d d 0755 11:12", "f d/new 0644 11:12 1", "f file 0644 11:12 2",
		     "d link 0755 11:12", "f link/x 0644 11:12 3", "f was 0644 11:12 again");
	const ob_layer_stack *stack = NULL;
	ASSERT_OK(ob_tree_stack(f.base, &stack, &t_err));
	assert_true(ob_layer_stack_lookup(stack, "d/kept").exists);
	assert_false(ob_layer_stack_lookup(stack, "file/lost").exists);
}

TEST(archive__directory_made_anew_hides_what_the_base_had)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d d 0700", "f d/lost");
	ARCHIVE(&f, "a.tar", OB_COMPRESSION_NONE, "f d 0644 1", "d d 0755", "f d/new 0644 2");
	copy_ok(&f, "ADD a.tar /");
	ASSERT_LAYER(&f, "d d 0755 11:12", "o d", "f d/new 0644 11:12 2");
	const ob_layer_stack *stack = NULL;
	ASSERT_OK(ob_tree_stack(f.base, &stack, &t_err));
	assert_false(ob_layer_stack_lookup(stack, "d/lost").exists);
}

TEST(archive__hard_links_to_its_own_and_to_the_bases_files)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d x", "f x/old 0640 base");
	ARCHIVE(&f, "a.tar", OB_COMPRESSION_NONE, "f b 0644 own", "h a b", "h c old");
	copy_ok(&f, "ADD a.tar /x");
	ASSERT_LAYER(&f, "f x/a 0644 11:12 own", "h x/b -> x/a", "f x/c 0640 0:0 base");
	ARCHIVE(&f, "bad.tar", OB_COMPRESSION_NONE, "h a nothing");
	ASSERT_ERROR(copy_try(&f, "ADD bad.tar /x"), OCIB_ERR_CORRUPT, "hard link to 'nothing'");
}

TEST(archive__several_and_plain_files_in_one_step)
{
	ob_autodone(copy_fixture) f = {0};

	ARCHIVE(&f, "a.tar", OB_COMPRESSION_NONE, "f one 0644 1", "f two 0644 2");
	ARCHIVE(&f, "b.tar", OB_COMPRESSION_GZIP, "f two 0600 3");
	copy_file(&f, "c", "4");
	copy_ok(&f, "ADD *.tar c /x/");
	ASSERT_LAYER(&f, "d x 0755 0:0", "f x/c 0644 0:0 4", "f x/one 0644 11:12 1",
		     "f x/two 0600 11:12 3");
}

TEST(archive__cut_off_is_an_error)
{
	ob_autodone(copy_fixture) f = {0};
	ob_autodone(ob_buffer) bytes = OB_BUFFER_INIT(1 << 20, "tar");

	ARCHIVE(&f, "a.tar", OB_COMPRESSION_NONE, "f one 0644 1", "f two 0644 2");
	ASSERT_OK(ob_read_file(AT_FDCWD, copy_path(&f, "a.tar"), &bytes, &t_err));
	copy_bytes(&f, "a.tar", bytes.data, 1100);
	assert_int_equal(copy_try(&f, "ADD a.tar /x"), OCIB_ERR_CORRUPT);
	assert_int_equal(ocib_error_line(t_err), 4);
}
