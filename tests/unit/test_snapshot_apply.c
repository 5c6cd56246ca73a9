/* test_snapshot_apply.c — tars of any order and intent unpacked into a directory.
 *
 * The tars are written by hand, header by header, since no honest writer makes the hostile ones.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "harness.h"
#include "base/buffer.h"
#include "base/fds.h"
#include "base/strings.h"
#include "snapshot/apply.h"

static ob_buffer tar = OB_BUFFER_INIT(64 << 20, "tar");
static char warnings[1024];

static void add_block(const void *data, size_t len)
{
	static const char zeros[512];

	ob_buffer_append(&tar, data, len);
	if (len % 512)
		ob_buffer_append(&tar, zeros, 512 - len % 512);
}

/* One ustar member; a long name goes into a pax record before it. */
static void add(char type, const char *name, unsigned mode, const char *link, const char *data,
		size_t len)
{
	char header[512] = {0};
	unsigned sum = 0;

	if (strlen(name) > 99 || strlen(link) > 99) {
		const char *key = strlen(name) > 99 ? "path" : "linkpath";
		const char *value = strlen(name) > 99 ? name : link;
		size_t size = strlen(key) + strlen(value) + 3, digits = 1;

		for (size_t n = size + digits; n >= 10; n /= 10)
			digits++;
		for (size_t n = 10, d = 1; d <= digits; n *= 10, d++)
			if (size + digits >= n && d >= digits)
				digits++;
		char *record = ob_str_printf("%zu %s=%s\n", size + digits, key, value);
		assert_int_equal(strlen(record), size + digits);
		add('x', "pax", 0644, "", record, strlen(record));
		free(record);
		add(type, strlen(name) > 99 ? "long" : name, mode, strlen(link) > 99 ? "l" : link,
		    data, len);
		return;
	}
	(void)snprintf(header, 100, "%s", name);
	(void)snprintf(header + 100, 8, "%07o", mode);
	(void)snprintf(header + 108, 8, "%07o", geteuid() ? geteuid() : 7U);
	(void)snprintf(header + 116, 8, "%07o", geteuid() ? getegid() : 8U);
	(void)snprintf(header + 124, 12, "%011zo", len);
	(void)snprintf(header + 136, 12, "%011o", 1500000000U);
	memset(header + 148, ' ', 8);
	header[156] = type;
	(void)snprintf(header + 157, 100, "%s", link);
	memcpy(header + 257,
	       "ustar\0"
	       "00",
	       8);
	(void)snprintf(header + 329, 8, "%07o", 0U);
	(void)snprintf(header + 337, 8, "%07o", 0U);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	(void)snprintf(header + 148, 8, "%06o", sum);
	add_block(header, sizeof(header));
	add_block(data, len);
}

static void add_file(const char *name, const char *text)
{
	add('0', name, 0644, "", text, strlen(text));
}

static void add_dir(const char *name)
{
	add('5', name, 0755, "", "", 0);
}

static void add_link(const char *name, const char *target)
{
	add('2', name, 0777, target, "", 0);
}

static void note_warning(const char *text, void *arg)
{
	(void)arg;
	(void)snprintf(warnings, sizeof(warnings), "%s", text);
}

/* A path in the temp directory; "root" is where layers go. */
static const char *at(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, 512, "%s/%s", t_temp_dir(), name);
	return path;
}

/* Unpack what was added, and start anew. */
static ocib_errc apply(void)
{
	ob_auto(ob_reader) input = NULL;
	ob_auto(ob_tar_reader) reader = NULL;
	const ob_tar_reader_options how = {.strict = true, .whiteouts = true, .what = "layer"};
	const ob_apply_options options = {.keep_owner = true, .warning = note_warning};
	char end[1024] = {0};

	(void)umask(0);
	warnings[0] = '\0';
	(void)mkdir(at("root"), 0755);
	(void)mkdir(at("outside"), 0755);
	ob_autofd int root = open(at("root"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	add_block(end, sizeof(end));
	ASSERT_OK(ob_buffer_check(&tar, &t_err));
	ASSERT_OK(ob_reader_open_memory(tar.data, tar.len, &input, &t_err));
	ASSERT_OK(ob_tar_reader_open(input, &how, &reader, &t_err));
	ocib_errc r = ob_snapshot_apply(reader, root, &options, &t_err);
	reader = ob_tar_reader_free(reader);
	input = ob_reader_free(input);
	ob_buffer_done(&tar);
	tar = (ob_buffer)OB_BUFFER_INIT(64 << 20, "tar");
	return r;
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

#define ASSERT_TEXT(name, wanted)                                               \
	do {                                                                    \
		ob_autodone(ob_buffer) text_ = OB_BUFFER_INIT(1 << 20, "file"); \
		ASSERT_OK(ob_read_file(AT_FDCWD, at(name), &text_, &t_err));    \
		assert_string_equal(text_.data ? text_.data : "", wanted);      \
	} while (0)

static bool is_empty(const char *name)
{
	DIR *dir = opendir(at(name));
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count == 2;
}

TEST(apply__entries_have_their_attributes)
{
	struct stat st;

	add_dir("d");
	add('0', "d/f", 04751, "", "text", 4);
	add_link("d/l", "f");
	add('1', "d/h", 04751, "d/f", "", 0);
	add('6', "d/p", 0622, "", "", 0);
	add('5', "d/deep", 01777, "", "", 0);
	ASSERT_OK(apply());
	assert_int_equal(lstat(at("root/d/f"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04751);
	assert_int_equal(st.st_uid, geteuid() ? geteuid() : 7);
	assert_int_equal(st.st_gid, geteuid() ? getegid() : 8);
	assert_int_equal(st.st_mtim.tv_sec, 1500000000);
	assert_int_equal(st.st_nlink, 2);
	ASSERT_TEXT("root/d/h", "text");
	assert_int_equal(lstat(at("root/d/l"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(st.st_mtim.tv_sec, 1500000000);
	assert_int_equal(lstat(at("root/d/p"), &st), 0);
	assert_int_equal(st.st_mode, S_IFIFO | 0622);
	assert_int_equal(lstat(at("root/d/deep"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 01777);
}

TEST(apply__directory_times_are_set_after_their_content)
{
	struct stat st;

	add_dir("d");
	add_dir("d/e");
	add_file("d/e/f", "x");
	ASSERT_OK(apply());
	assert_int_equal(stat(at("root/d"), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1500000000);
	assert_int_equal(stat(at("root/d/e"), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1500000000);
}

TEST(apply__a_directory_that_was_there_keeps_its_time)
{
	struct stat st;

	add_dir("d");
	ASSERT_OK(apply());
	add_file("d/new", "x");
	ASSERT_OK(apply());
	assert_int_equal(stat(at("root/d"), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1500000000);
}

TEST(apply__missing_parents_are_made)
{
	struct stat st;

	add_file("a/b/c/f", "x");
	ASSERT_OK(apply());
	ASSERT_TEXT("root/a/b/c/f", "x");
	assert_int_equal(stat(at("root/a/b"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
}

TEST(apply__whiteout_removes_whole_trees)
{
	add_dir("d");
	add_file("d/e/f", "x");
	add_file("keep", "k");
	ASSERT_OK(apply());
	add_file(".wh.d", "");
	add_file("none/.wh.x", "");
	ASSERT_OK(apply());
	assert_false(exists("root/d"));
	assert_false(exists("root/none"));
	assert_true(exists("root/keep"));
}

TEST(apply__opaque_removes_what_was_there_wherever_it_stands)
{
	add_file("d/old", "x");
	add_file("d/sub/old", "x");
	ASSERT_OK(apply());
	add_file("d/new", "y");
	add_file("d/sub/new", "y");
	add_file("d/.wh..wh..opq", "");
	add_file("d/after", "z");
	ASSERT_OK(apply());
	assert_false(exists("root/d/old"));
	assert_false(exists("root/d/sub/old"));
	ASSERT_TEXT("root/d/new", "y");
	ASSERT_TEXT("root/d/sub/new", "y");
	ASSERT_TEXT("root/d/after", "z");
}

TEST(apply__things_of_other_types_are_replaced)
{
	add_file("file", "x");
	add_file("dir/x", "x");
	add_link("link", "dir");
	add_link("link2", "dir");
	ASSERT_OK(apply());
	add_dir("file");
	add_file("dir", "now a file");
	add_dir("link");
	add_file("link2", "text");
	ASSERT_OK(apply());
	assert_true(is_empty("root/file"));
	ASSERT_TEXT("root/dir", "now a file");
	assert_true(is_empty("root/link"));
	ASSERT_TEXT("root/link2", "text");
}

TEST(apply__directories_are_merged)
{
	struct stat st;

	add_file("d/old", "x");
	ASSERT_OK(apply());
	add('5', "d", 0700, "", "", 0);
	add_file("d/new", "y");
	ASSERT_OK(apply());
	assert_true(exists("root/d/old"));
	assert_int_equal(stat(at("root/d"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
}

TEST(apply__links_among_parents_lead_inside_the_root)
{
	add_dir("real");
	add_link("rel", "real");
	add_link("abs", "/real");
	add_link("up", "../../../../../../../../outside");
	add_file("rel/a", "1");
	add_file("abs/b", "2");
	add_file("up/c", "3");
	ASSERT_OK(apply());
	ASSERT_TEXT("root/real/a", "1");
	ASSERT_TEXT("root/real/b", "2");
	ASSERT_TEXT("root/outside/c", "3");
	assert_true(is_empty("outside"));
}

TEST(apply__a_directory_swapped_for_a_link_midway_leads_nowhere_else)
{
	add_dir("d");
	add_file("d/before", "1");
	add_link("d", at("outside"));
	add_file("d/after", "2");
	ASSERT_OK(apply());
	assert_true(is_empty("outside"));
	assert_false(exists("root/d/before"));
}

TEST(apply__a_link_is_never_written_through)
{
	add_link("l", at("outside/x"));
	add_file("l", "text");
	add_link("m", at("outside"));
	add_dir("m");
	add_file("m/y", "text");
	ASSERT_OK(apply());
	assert_true(is_empty("outside"));
	ASSERT_TEXT("root/l", "text");
	ASSERT_TEXT("root/m/y", "text");
}

TEST(apply__names_that_climb_are_corrupt)
{
	add_file("../x", "text");
	ASSERT_ERROR(apply(), OCIB_ERR_CORRUPT, "..");
	add_file("a/../../x", "text");
	ASSERT_ERROR(apply(), OCIB_ERR_CORRUPT, "..");
	assert_false(exists("x"));
}

TEST(apply__hard_links_cannot_reach_out)
{
	FILE *secret = NULL;

	(void)mkdir(at("outside"), 0755);
	secret = fopen(at("outside/secret"), "we");
	assert_non_null(secret);
	(void)fclose(secret);
	add_link("out", at("outside"));
	add('1', "stolen", 0644, "out/secret", "", 0);
	ASSERT_ERROR(apply(), OCIB_ERR_CORRUPT, "out/secret");
	add('1', "stolen", 0644, "../outside/secret", "", 0);
	ASSERT_ERROR(apply(), OCIB_ERR_CORRUPT, "");
	assert_false(exists("root/stolen"));
}

TEST(apply__hard_link_to_nothing_is_corrupt)
{
	add('1', "h", 0644, "none", "", 0);
	ASSERT_ERROR(apply(), OCIB_ERR_CORRUPT,
		     "unpack 'h': links to 'none', which does not exist");
	add_dir("d");
	add('1', "h", 0644, "d", "", 0);
	ASSERT_ERROR(apply(), OCIB_ERR_CORRUPT, "cannot be linked to");
}

TEST(apply__hard_link_to_itself_changes_nothing)
{
	add_file("f", "x");
	add('1', "f", 0644, "f", "", 0);
	ASSERT_OK(apply());
	ASSERT_TEXT("root/f", "x");
}

TEST(apply__hard_link_replaces_and_refers_to_lower_layers)
{
	struct stat st;

	add_file("a", "one");
	add_file("b", "two");
	ASSERT_OK(apply());
	add('1', "b", 0644, "a", "", 0);
	ASSERT_OK(apply());
	ASSERT_TEXT("root/b", "one");
	assert_int_equal(stat(at("root/a"), &st), 0);
	assert_int_equal(st.st_nlink, 2);
}

TEST(apply__content_below_a_file_is_corrupt)
{
	add_file("f", "x");
	add_file("f/g", "y");
	ASSERT_ERROR(apply(), OCIB_ERR_CORRUPT, "'f' is no directory");
}

TEST(apply__the_roots_own_entry_is_passed_over)
{
	struct stat st;

	add('5', "./", 0700, "", "", 0);
	add_file("./f", "x");
	ASSERT_OK(apply());
	assert_int_equal(stat(at("root"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

TEST(apply__a_device_that_means_hidden_is_left_out)
{
	add('3', "null", 0644, "", "", 0);
	ASSERT_OK(apply());
	assert_false(exists("root/null"));
	assert_non_null(strstr(warnings, "'null'"));
}

TEST(apply__zeros_become_holes)
{
	size_t len = 8 << 20;
	char *zeros = calloc(1, len + 1);
	struct stat st;

	zeros[0] = 'a';
	zeros[len / 2] = 'm';
	add('0', "sparse", 0644, "", zeros, len);
	zeros[0] = 0;
	zeros[len / 2] = 0;
	add('0', "empty", 0644, "", zeros, len);
	free(zeros);
	ASSERT_OK(apply());
	assert_int_equal(stat(at("root/sparse"), &st), 0);
	assert_int_equal(st.st_size, len);
	assert_true(st.st_blocks * 512 < (long)len / 4);
	assert_int_equal(stat(at("root/empty"), &st), 0);
	assert_int_equal(st.st_size, len);
	FILE *file = fopen(at("root/sparse"), "re");
	assert_int_equal(fseek(file, (long)len / 2, SEEK_SET), 0);
	assert_int_equal(fgetc(file), 'm');
	assert_int_equal(fgetc(file), 0);
	(void)fclose(file);
}

TEST(apply__paths_longer_than_the_kernel_takes)
{
	enum { DEPTH = 40 };
	char path[DEPTH * 201 + 8] = "";

	for (int i = 0; i < DEPTH; i++) {
		size_t len = strlen(path);

		memset(path + len, 'a' + i % 26, 200);
		path[len + 200] = '/';
		path[len + 201] = '\0';
	}
	strcat(path, "f");
	add_file(path, "deep");
	add('1', "short", 0644, path, "", 0);
	ASSERT_OK(apply());
	ASSERT_TEXT("root/short", "deep");
}

TEST(apply__names_are_any_bytes)
{
	add_file("caf\xe9", "1");
	add_file("a\nb", "2");
	add_file("\xff\xfe", "3");
	ASSERT_OK(apply());
	ASSERT_TEXT("root/caf\xe9", "1");
	ASSERT_TEXT("root/a\nb", "2");
	ASSERT_TEXT("root/\xff\xfe", "3");
}

TEST(apply__a_tar_cut_short_is_corrupt)
{
	add_file("f", "some text");
	tar.len -= 512;
	ob_autodone(ob_buffer) cut = tar;
	tar = (ob_buffer)OB_BUFFER_INIT(64 << 20, "tar");
	ob_auto(ob_reader) input = NULL;
	ob_auto(ob_tar_reader) reader = NULL;
	const ob_tar_reader_options how = {.strict = true, .whiteouts = true, .what = "layer"};
	const ob_apply_options options = {0};
	ob_autofd int root = open(t_temp_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ASSERT_OK(ob_reader_open_memory(cut.data, cut.len, &input, &t_err));
	ASSERT_OK(ob_tar_reader_open(input, &how, &reader, &t_err));
	ASSERT_ERROR(ob_snapshot_apply(reader, root, &options, &t_err), OCIB_ERR_CORRUPT, "");
}

static int stop_at_once(uint64_t bytes, void *arg)
{
	(void)bytes, (void)arg;
	return 1;
}

TEST(apply__can_be_stopped)
{
	ob_auto(ob_reader) input = NULL;
	ob_auto(ob_tar_reader) reader = NULL;
	const ob_tar_reader_options how = {.strict = true, .whiteouts = true, .what = "layer"};
	const ob_apply_options options = {.progress = stop_at_once};
	ob_autofd int root = open(t_temp_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	add_file("f", "x");
	ASSERT_OK(ob_reader_open_memory(tar.data, tar.len, &input, &t_err));
	ASSERT_OK(ob_tar_reader_open(input, &how, &reader, &t_err));
	ASSERT_ERROR(ob_snapshot_apply(reader, root, &options, &t_err), OCIB_ERR_CANCELED, "");
	reader = ob_tar_reader_free(reader);
	ob_buffer_done(&tar);
	tar = (ob_buffer)OB_BUFFER_INIT(64 << 20, "tar");
}
