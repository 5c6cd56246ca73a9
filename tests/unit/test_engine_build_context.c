/* test_engine_build_context.c — builds whose context is no directory, through the public call. */
#include <sys/mman.h>
#include "build_fixture.h"
#include "layer_fixture.h"

/* A descriptor that gives @p data and then ends. */
static int given(const void *data, size_t len)
{
	int fd = memfd_create("context", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int given_tar(const char *const *specs)
{
	const ob_layer_writer_options options = {.compression = OB_COMPRESSION_GZIP};
	ob_autodone(ob_buffer) blob = OB_BUFFER_INIT(1 << 24, "blob");
	ob_autodone(ob_layer_result) result = {0};

	t_write_layer(&options, specs, &blob, &result);
	return given(blob.data, blob.len);
}

/* Builds from "-" with that descriptor; no context directory is looked at. */
static ocib_errc build_from(build_fixture *f, int fd)
{
	f->options.context = "-";
	f->options.context_fd = fd;
	ocib_errc r = fixture_try(f, NULL);
	assert_int_equal(close(fd), 0);
	return r;
}

TEST(context__a_dockerfile_on_standard_input_has_an_empty_context)
{
	static const char empty[] = "FROM scratch\nCOPY . /here/\n";
	static const char missing[] = "FROM scratch\nCOPY x /\n";
	build_fixture f = fixture_new();

	fixture_write(&f, "x", "not this one");
	ASSERT_OK(build_from(&f, given(empty, strlen(empty))));
	assert_int_equal(ocib_image_layer_count(f.image), 1);
	ASSERT_ERROR(build_from(&f, given(missing, strlen(missing))), OCIB_ERR_NOTFOUND,
		     "'/x' not found in the build context");
	ASSERT_ERROR(build_from(&f, given("", 0)), OCIB_ERR_SYNTAX, "empty");
	f.options.dockerfile = "other";
	ASSERT_ERROR(build_from(&f, given(empty, strlen(empty))), OCIB_ERR_INVALID, "no archive");
	fixture_assert_no_litter(&f);
	fixture_done(&f);
}

TEST(context__an_archive_is_read_once_and_its_files_are_there)
{
	static const char *const specs[] = {"f .dockerignore 0644 *",
					    "f Dockerfile 0644 FROM\tscratch\nCOPY\ta\t/b\n",
					    "f a 0644 A",
					    "d d 0755",
					    "f d/second 0644 FROM\tscratch\nCOPY\td\t/d\n",
					    NULL};
	build_fixture f = fixture_new();
	char first[80];

	ASSERT_OK(build_from(&f, given_tar(specs)));
	assert_int_equal(f.numbered, 1);
	(void)snprintf(first, sizeof(first), "%s", ocib_image_digest(f.image));
	ASSERT_OK(build_from(&f, given_tar(specs)));
	assert_int_equal(f.cached, 1);
	assert_string_equal(ocib_image_digest(f.image), first);
	f.options.dockerfile = "d/second";
	ASSERT_OK(build_from(&f, given_tar(specs)));
	assert_int_equal(f.numbered, 1);
	f.options.dockerfile = "none";
	ASSERT_ERROR(build_from(&f, given_tar(specs)), OCIB_ERR_NOTFOUND, "in the archive");
	fixture_assert_no_litter(&f);
	fixture_done(&f);
}

TEST(context__a_name_in_small_letters_will_do)
{
	static const char *const specs[] = {"f dockerfile 0644 FROM\tscratch\nENV\ta=b\n", NULL};
	build_fixture f = fixture_new();

	ASSERT_OK(build_from(&f, given_tar(specs)));
	fixture_done(&f);
}

TEST(context__a_directory_may_be_given_there_too)
{
	build_fixture f = fixture_new();

	f.options.context = f.dir;
	fixture_build(&f, "FROM scratch\nENV a=b\n");
	f.options.context = "/nowhere";
	ASSERT_ERROR(fixture_try(&f, NULL), OCIB_ERR_NOTFOUND, "does not exist");
	f.options.context = "http://127.0.0.1:1/x";
	ASSERT_ERROR(fixture_try(&f, NULL), OCIB_ERR_DENIED, "offline");
	fixture_done(&f);
}
