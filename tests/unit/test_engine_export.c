/* test_engine_export.c — where a build can put its image, and what is there then. */
#include "base/buffer.h"
#include "base/limits.h"
#include "build_fixture.h"
#include "layer/tar_reader.h"

static const char TEXT[] =
	"FROM scratch\nCOPY a.txt /a\nCOPY --chown=7:8 dir /dir\nCOPY a.txt /a\n";

static void write_context(build_fixture *f)
{
	fixture_write(f, "a.txt", "hello");
	fixture_write(f, "dir/sub/b.txt", "there");
}

static void build_to(build_fixture *f, ocib_output output)
{
	f->options.outputs = &output;
	f->options.output_count = 1;
	fixture_build(f, TEXT);
	f->options.outputs = NULL;
	f->options.output_count = 0;
}

static const char *in_temp(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", t_temp_dir(), name);
	return path;
}

static void assert_content(const char *path, const char *wanted)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_MIB, "file");

	ASSERT_OK(ob_read_file(AT_FDCWD, path, &text, &t_err));
	assert_string_equal(text.data, wanted);
}

/* "path:uid:size " of all members. */
static void list_tar(const char *path, char *out, size_t cap)
{
	const ob_tar_reader_options options = {.strict = true, .what = path};
	ob_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ob_auto(ob_reader) file = NULL;
	ob_auto(ob_tar_reader) tar = NULL;
	const ob_entry *entry;
	size_t used = 0;

	assert_true(fd >= 0);
	ASSERT_OK(ob_reader_open_fd(fd, &file, &t_err));
	ASSERT_OK(ob_tar_reader_open(file, &options, &tar, &t_err));
	out[0] = '\0';
	for (;;) {
		ASSERT_OK(ob_tar_reader_next(tar, &entry, &t_err));
		if (!entry)
			return;
		used += (size_t)snprintf(out + used, cap - used, "%s:%u:%ju ", entry->path,
					 entry->uid, (uintmax_t)entry->size);
	}
}

TEST(export__tar_has_the_merged_tree)
{
	build_fixture f = fixture_new();
	char list[1024];

	write_context(&f);
	build_to(&f, (ocib_output){.type = "tar", .dest = in_temp("root.tar")});
	list_tar(in_temp("root.tar"), list, sizeof(list));
	assert_string_equal(list, "dir:7:0 dir/sub:7:0 dir/sub/b.txt:7:5 a:0:5 ");
	fixture_done(&f);
}

TEST(export__local_directory_has_the_files_and_keeps_others)
{
	build_fixture f = fixture_new();

	write_context(&f);
	assert_int_equal(mkdir(in_temp("out"), 0755), 0);
	assert_int_equal(symlink("/etc/passwd", in_temp("out/a")), 0);
	int fd = open(in_temp("out/other"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	build_to(&f, (ocib_output){.type = "local", .dest = in_temp("out")});
	assert_content(in_temp("out/a"), "hello");
	assert_content(in_temp("out/dir/sub/b.txt"), "there");
	assert_int_equal(access(in_temp("out/other"), F_OK), 0);
	fixture_done(&f);
}

TEST(export__archives_hold_the_image)
{
	static const char *const tags[] = {"app:1", NULL};
	build_fixture f = fixture_new();
	ocib_image *image = NULL;
	char name[300];

	write_context(&f);
	f.options.tags = tags;
	build_to(&f, (ocib_output){.type = "oci", .dest = in_temp("oci.tar"), .tar = 1});
	(void)snprintf(name, sizeof(name), "oci-archive:%s:1", in_temp("oci.tar"));
	ASSERT_OK(ocib_image_open(f.ctx, f.store, name, &image, &t_err));
	assert_string_equal(ocib_image_digest(image), ocib_image_digest(f.image));
	ocib_image_free(image);
	build_to(&f, (ocib_output){.type = "docker", .dest = in_temp("docker.tar")});
	(void)snprintf(name, sizeof(name), "docker-archive:%s", in_temp("docker.tar"));
	ASSERT_OK(ocib_image_open(f.ctx, f.store, name, &image, &t_err));
	assert_string_equal(ocib_image_id(image), ocib_image_id(f.image));
	ocib_image_free(image);
	fixture_done(&f);
}

TEST(export__to_nowhere_keeps_the_image_in_the_cache)
{
	build_fixture f = fixture_new();
	ocib_image *again = NULL;
	char digest[100];

	write_context(&f);
	build_to(&f, (ocib_output){.type = "cacheonly", .tar = -1});
	(void)snprintf(digest, sizeof(digest), "%s", ocib_image_digest(f.image));
	ASSERT_OK(ocib_image_open(f.ctx, f.store, digest, &again, &t_err));
	assert_int_equal(ocib_image_layer_count(again), 3);
	ocib_image_free(again);
	fixture_done(&f);
}

TEST(export__annotates_the_image_it_stands_on)
{
	build_fixture f = fixture_new();
	const char *const tags[] = {"below:1", NULL};
	const char *const labels[] = {"a=b", NULL};
	char base[100];

	write_context(&f);
	f.options.tags = tags;
	f.options.labels = labels;
	fixture_build(&f, TEXT);
	(void)snprintf(base, sizeof(base), "%s", ocib_image_digest(f.image));
	f.options.tags = NULL;
	f.options.annotate_base = 1;
	fixture_build(&f, "FROM below:1 AS one\nCOPY a.txt /b\nFROM one\nCOPY a.txt /c\n");
	assert_string_equal(ocib_image_annotation(f.image, "org.opencontainers.image.base.digest"),
			    base);
	assert_string_equal(ocib_image_annotation(f.image, "org.opencontainers.image.base.name"),
			    "docker.io/library/below:1");
	assert_string_equal(ocib_image_label(f.image, "a"), "b");
	assert_null(ocib_image_label(f.image, "b"));
	fixture_build(&f, TEXT);
	assert_null(ocib_image_annotation(f.image, "org.opencontainers.image.base.name"));
	fixture_done(&f);
}

TEST(export__that_cannot_be_written_says_where)
{
	build_fixture f = fixture_new();
	ocib_output output = {.type = "tar", .dest = "/proc/nothing/root.tar"};

	write_context(&f);
	f.options.outputs = &output;
	f.options.output_count = 1;
	ASSERT_ERROR(fixture_try(&f, TEXT), OCIB_ERR_SYSTEM, "/proc/nothing/root.tar");
	fixture_assert_no_litter(&f);
	fixture_done(&f);
}

TEST(export__forced_compression_repacks_the_base_and_both_packings_are_read)
{
	static const char *const tags[] = {"base", NULL};
	build_fixture f = fixture_new();
	char first[80];

	write_context(&f);
	f.options.tags = tags;
	fixture_build(&f, "FROM scratch\nCOPY dir /dir\n");
	f.options.tags = NULL;
	f.options.compression = "zstd";
	fixture_build(&f, "FROM base\nCOPY a.txt /a\n");
	assert_non_null(strstr(ocib_image_manifest_json(f.image), "tar+gzip"));
	f.options.force_compression = 1;
	fixture_build(&f, "FROM base\nCOPY a.txt /a\n");
	assert_null(strstr(ocib_image_manifest_json(f.image), "tar+gzip"));
	(void)snprintf(first, sizeof(first), "%s", ocib_image_digest(f.image));
	fixture_build(&f, "FROM base\nCOPY a.txt /a\n");
	assert_string_equal(ocib_image_digest(f.image), first);
	/* The same tar lies in the store twice; its index has the members of one of them. */
	f.options.no_cache = 1;
	fixture_build(&f, "FROM base\nCOPY --from=base /dir/sub/b.txt /b\n");
	f.options.compression = "gzip";
	fixture_build(&f, "FROM scratch\nCOPY dir /dir\n");
	f.options.compression = "uncompressed";
	fixture_build(&f,
		      "FROM scratch AS again\nCOPY dir /dir\n"
		      "FROM scratch\nCOPY --from=base /dir /dir\nCOPY --from=again /dir /again\n");
	assert_int_equal(ocib_image_layer_count(f.image), 2);
	fixture_done(&f);
}

static void build_both(build_fixture *f, ocib_output output, const char *dockerfile)
{
	f->options.outputs = &output;
	f->options.output_count = 1;
	f->options.platform = "linux/amd64,linux/arm64,linux/x86_64";
	fixture_build(f, dockerfile);
	f->options.outputs = NULL;
	f->options.output_count = 0;
}

TEST(export__several_platforms_give_an_index)
{
	build_fixture f = fixture_new();
	static const char *const tags[] = {"both", NULL};
	static const char *const annotations[] = {"index:a=b", "manifest[linux/arm64]:c=d", NULL};
	ocib_image *arm = NULL;

	write_context(&f);
	f.options.tags = tags;
	f.options.annotations = annotations;
	build_both(&f, (ocib_output){.type = "store"}, TEXT);
	assert_non_null(ocib_image_index_digest(f.image));
	assert_string_equal(ocib_image_platform(f.image), "linux/amd64");
	assert_non_null(strstr(ocib_image_index_json(f.image), "\"annotations\":{\"a\":\"b\"}"));
	assert_null(ocib_image_annotation(f.image, "c"));
	ASSERT_OK(ocib_image_open_platform(f.ctx, f.store, "both", "linux/aarch64", &arm, &t_err));
	assert_string_equal(ocib_image_platform(arm), "linux/arm64");
	assert_string_equal(ocib_image_annotation(arm, "c"), "d");
	assert_string_equal(ocib_image_index_digest(arm), ocib_image_index_digest(f.image));
	ASSERT_ERROR(ocib_image_open_platform(f.ctx, f.store, "both", "linux/s390x", &arm, &t_err),
		     OCIB_ERR_NOTFOUND, "there is linux/amd64, linux/arm64");
	ocib_image_free(arm);
	fixture_done(&f);
}

TEST(export__each_platform_has_a_folder_of_its_own)
{
	build_fixture f = fixture_new();
	static const char dockerfile[] =
		"FROM scratch\nARG TARGETARCH\nCOPY a.txt /$TARGETARCH\nCOPY dir /\n";
	char list[512];

	write_context(&f);
	build_both(&f, (ocib_output){.type = "local", .dest = in_temp("out")}, dockerfile);
	assert_content(in_temp("out/linux_amd64/amd64"), "hello");
	assert_content(in_temp("out/linux_arm64/sub/b.txt"), "there");
	build_both(&f, (ocib_output){.type = "tar", .dest = in_temp("out.tar")}, dockerfile);
	list_tar(in_temp("out.tar"), list, sizeof(list));
	assert_string_equal(list, "linux_amd64:0:0 linux_amd64/sub:0:0 linux_amd64/amd64:0:5 "
				  "linux_amd64/sub/b.txt:0:5 linux_arm64:0:0 linux_arm64/sub:0:0 "
				  "linux_arm64/arm64:0:5 linux_arm64/sub/b.txt:0:5 ");
	fixture_done(&f);
}

TEST(export__one_platform_is_an_index_where_a_build_argument_says_so)
{
	build_fixture f = fixture_new();
	static const char *const args[] = {"BUILDKIT_MULTI_PLATFORM=1", NULL};

	write_context(&f);
	f.options.build_args = args;
	fixture_build(&f, TEXT);
	assert_non_null(ocib_image_index_digest(f.image));
	fixture_done(&f);
}

TEST(export__what_cannot_be_for_several_platforms_is_refused)
{
	build_fixture f = fixture_new();
	ocib_output docker = {.type = "docker", .dest = in_temp("x.tar")};

	write_context(&f);
	f.options.outputs = &docker;
	f.options.output_count = 1;
	f.options.platform = "linux/amd64,linux/arm64";
	ASSERT_ERROR(fixture_try(&f, TEXT), OCIB_ERR_INVALID, "holds one platform");
	f.options.output_count = 0;
	f.options.platform = "linux/amd64,";
	ASSERT_OK(fixture_try(&f, TEXT));
	assert_null(ocib_image_index_digest(f.image));
	f.options.platform = "linux/amd64,no such";
	ASSERT_ERROR(fixture_try(&f, TEXT), OCIB_ERR_INVALID, "platform 'no such'");
	fixture_done(&f);
}
