/* test_engine_copy_url.c — files that came from URLs into a layer. */
#include "copy_fixture.h"
#include "base/limits.h"

/* A blob of the store, as if it had been fetched. */
static ob_copy_remote fetched(copy_fixture *f, const void *data, size_t len, int64_t mtime)
{
	ob_copy_remote file = {.file = {.size = len, .mtime = mtime}};

	copy_open(f);
	ASSERT_OK(ob_store_write_blob(f->plan.store, data, len, &file.file.digest, &t_err));
	return file;
}

/* A tar of one file "in" with "tar" in it. */
static ob_copy_remote fetched_tar(copy_fixture *f)
{
	static const char *const specs[] = {"f in 0644 tar", NULL};
	const ob_layer_writer_options options = {.compression = OB_COMPRESSION_GZIP};
	ob_autodone(ob_buffer) blob = OB_BUFFER_INIT(1 << 24, "blob");
	ob_autodone(ob_layer_result) result = {0};

	t_write_layer(&options, specs, &blob, &result);
	return fetched(f, blob.data, blob.len, 1);
}

TEST(url__file_is_for_its_owner_alone_unless_flags_say_otherwise)
{
	ob_autodone(copy_fixture) f = {0};
	const ob_copy_remote file = fetched(&f, "hello", 5, 1500000000);

	f.remotes = &file;
	copy_ok(&f, "ADD http://h/x /d/");
	ASSERT_LAYER(&f, "d d 0755 0:0", "f d/x 0600 0:0 hello");
	copy_ok(&f, "ADD --chown=3:4 --chmod=4755 http://h/x /e");
	ASSERT_LAYER(&f, "f e 4755 3:4 hello");
	copy_ok(&f, "ADD --chmod=a+r http://h/x /d");
	ASSERT_LAYER(&f, "f d/x 0644 0:0 hello");
}

TEST(url__an_empty_file_is_one)
{
	ob_autodone(copy_fixture) f = {0};
	const ob_copy_remote file = fetched(&f, "", 0, 0);

	f.remotes = &file;
	copy_ok(&f, "ADD http://h/x /");
	ASSERT_LAYER(&f, "f x 0600 0:0");
}

TEST(url__sources_of_all_kinds_in_one_add)
{
	ob_autodone(copy_fixture) f = {0};
	const ob_copy_remote files[] = {
		{.scan = NULL}, fetched(&f, "one", 3, 5), {.scan = NULL}, fetched(&f, "two", 3, 6)};

	copy_file(&f, "a", "A");
	copy_file(&f, "b", "B");
	f.remotes = files;
	copy_ok(&f, "ADD a http://h/x b http://h/y <<i /d/\nin\ni");
	ASSERT_LAYER(&f, "d d 0755 0:0", "f d/a 0644 0:0 A", "f d/b 0644 0:0 B",
		     "f d/i 0644 0:0 in\n", "f d/x 0600 0:0 one", "f d/y 0600 0:0 two");
}

TEST(url__archive_is_unpacked_only_where_asked)
{
	ob_autodone(copy_fixture) f = {0};
	const ob_copy_remote tar = fetched_tar(&f), text = fetched(&f, "text", 4, 1);

	f.remotes = &tar;
	copy_ok(&f, "ADD --unpack=true http://h/x.txt /d/");
	ASSERT_LAYER(&f, "d d 0755 0:0", "f d/in 0644 0:0 tar");
	copy_ok(&f, "ADD http://h/x.tar.gz /e/");
	assert_int_equal(f.lines.len, 2);
	assert_non_null(strstr(f.lines.items[1], "f e/x.tar.gz 0600 0:0"));
	f.remotes = &text;
	copy_ok(&f, "ADD --unpack=true http://h/x.tar /f");
	ASSERT_LAYER(&f, "f f 0600 0:0 text");
}

/* Digest of the step's input when it is made of that file. */
static void input_digest(copy_fixture *f, const ob_copy_remote *file, const char *add,
			 uint8_t out[OB_SHA256_LEN])
{
	ob_auto(ob_copy_job) job = NULL;
	ob_auto(ob_context_scan) scan = NULL;

	f->remotes = file;
	ob_copy_input input = copy_input(f, add);
	scan = input.scan;
	ASSERT_OK(copy_prepare(f, &input, &job));
	memcpy(out, f->digest, OB_SHA256_LEN);
}

TEST(url__content_name_and_time_are_in_the_digest)
{
	ob_autodone(copy_fixture) f = {0};
	const ob_copy_remote a = fetched(&f, "a", 1, 5), b = fetched(&f, "b", 1, 5),
			     later = fetched(&f, "a", 1, 6);
	uint8_t first[OB_SHA256_LEN], other[OB_SHA256_LEN];

	copy_open(&f);
	input_digest(&f, &a, "ADD http://h/x /", first);
	input_digest(&f, &a, "ADD http://h/x /", other);
	assert_memory_equal(first, other, sizeof(first));
	input_digest(&f, &a, "ADD http://h/y /", other);
	assert_memory_not_equal(first, other, sizeof(first));
	input_digest(&f, &b, "ADD http://h/x /", other);
	assert_memory_not_equal(first, other, sizeof(first));
	input_digest(&f, &later, "ADD http://h/x /", other);
	assert_memory_not_equal(first, other, sizeof(first));
}

TEST(url__damaged_blob_makes_no_layer)
{
	ob_autodone(copy_fixture) f = {0};
	const ob_copy_remote file = fetched(&f, "hello", 5, 0);
	ob_autofree char *path = NULL;

	ASSERT_OK(ob_store_flush(f.plan.store, &t_err));
	path = ob_str_printf("%s/blobs/sha256/%s", ob_store_path(f.plan.store),
			     ob_digest_hex(&file.file.digest));
	ASSERT_OK(ob_write_file_atomic(AT_FDCWD, path, "Hello", 5, 0644, &t_err));
	f.remotes = &file;
	ASSERT_ERROR(copy_try(&f, "ADD http://h/x /"), OCIB_ERR_CORRUPT, "sha256");
}
