/* test_snapshot_diff.c — upper directories, as overlayfs leaves them, turned into layer entries.
 *
 * Made by hand on the file system: whiteout devices and user.overlay.* marks need no privilege.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "harness.h"
#include "base/buffer.h"
#include "base/fds.h"
#include "base/strings.h"
#include "snapshot/diff.h"

static const char *at(const char *name)
{
	static char paths[4][4096];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, 4096, "%s/%s", t_temp_dir(), name);
	return path;
}

/* All times are one second, so that copies of a file look like copies. */
static void set_time(const char *name, long sec, long nsec)
{
	const struct timespec times[2] = {{sec, nsec}, {sec, nsec}};

	assert_int_equal(utimensat(AT_FDCWD, at(name), times, AT_SYMLINK_NOFOLLOW), 0);
}

static void make_file(const char *name, const char *text)
{
	int fd = open(at(name), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ob_write_full(fd, text, strlen(text)), 0);
	(void)close(fd);
	set_time(name, 1000, 0);
}

static void make_dir(const char *name)
{
	if (mkdir(at(name), 0755) < 0)
		assert_int_equal(errno, EEXIST);
}

static void make_whiteout(const char *name)
{
	assert_int_equal(mknod(at(name), S_IFCHR, makedev(0, 0)), 0);
}

static void make_opaque(const char *name)
{
	assert_int_equal(setxattr(at(name), "user.overlay.opaque", "y", 1, 0), 0);
}

/* "top", "low" (two layers below) and "upper"; skips where user.* attributes are not kept. */
#define BEGIN()                                                                  \
	do {                                                                     \
		(void)umask(022);                                                \
		make_dir("top");                                                 \
		make_dir("low");                                                 \
		make_dir("upper");                                               \
		if (setxattr(at("low"), "user.test", "x", 1, 0) < 0)             \
			SKIP("no user.* attributes on the file system of /tmp"); \
	} while (0)

static ob_layer_index *diff(const char *const *skip, size_t skip_count)
{
	const ob_layer_writer_options how = {.compression = OB_COMPRESSION_NONE, .threads = 1};
	ob_auto(ob_writer) nowhere = NULL;
	ob_auto(ob_layer_writer) writer = NULL;
	ob_layer_result result = {0};
	ob_autofd int top = open(at("top"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ob_autofd int low = open(at("low"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ob_autofd int upper = open(at("upper"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int lowers[] = {top, low};
	const ob_diff_options options = {.lower_fds = lowers,
					 .lower_count = 2,
					 .skip = skip,
					 .skip_count = skip_count,
					 .userxattr = true};

	ASSERT_OK(ob_writer_open_null(&nowhere, &t_err));
	ASSERT_OK(ob_layer_writer_open(&how, nowhere, &writer, &t_err));
	ASSERT_OK(ob_snapshot_diff(upper, &options, writer, &t_err));
	ASSERT_OK(ob_layer_writer_finish(writer, &result, &t_err));
	ob_layer_index *index = ob_take_ptr(result.index);
	ob_layer_result_done(&result);
	return index;
}

/* Entries as "f path", one a line, hard links with their target. */
#define ASSERT_DIFF_SKIP(skip, count, wanted)                                                \
	do {                                                                                 \
		static const char letters[] = " fdlhcbpwo";                                  \
		ob_autodone(ob_buffer) text_ = OB_BUFFER_INIT(1 << 20, "entries");           \
		ob_layer_index *index_ = diff(skip, count);                                  \
		for (size_t i = 0; i < index_->len; i++) {                                   \
			const ob_entry *e_ = &index_->entries[i];                            \
			ob_buffer_printf(&text_, "%c %s%s%s\n", letters[e_->type], e_->path, \
					 e_->link ? " -> " : "", e_->link ? e_->link : "");  \
		}                                                                            \
		(void)ob_layer_index_free(index_);                                           \
		assert_string_equal(text_.data ? text_.data : "", wanted);                   \
	} while (0)
#define ASSERT_DIFF(wanted) ASSERT_DIFF_SKIP(NULL, 0, wanted)

TEST(diff__nothing_is_nothing)
{
	BEGIN();
	ASSERT_DIFF("");
}

TEST(diff__new_things_come_with_their_new_parents_in_order)
{
	BEGIN();
	make_dir("upper/a");
	make_dir("upper/a/sub");
	make_file("upper/a/sub/f", "x");
	make_file("upper/a-b", "x");
	make_file("upper/a!", "x");
	assert_int_equal(symlink("f", at("upper/a/l")), 0);
	assert_int_equal(mkfifo(at("upper/p"), 0600), 0);
	/* A directory's subtree comes before what sorts after the slash. */
	ASSERT_DIFF("d a\nl a/l -> f\nd a/sub\nf a/sub/f\nf a!\nf a-b\np p\n");
}

TEST(diff__unchanged_parents_come_with_what_changed_below)
{
	BEGIN();
	make_dir("low/etc");
	make_dir("low/etc/x");
	make_dir("low/usr");
	make_dir("upper/etc");
	make_dir("upper/etc/x");
	make_dir("upper/usr");
	make_file("upper/etc/x/new", "x");
	ASSERT_DIFF("d etc\nd etc/x\nf etc/x/new\n");
}

TEST(diff__a_directory_touched_only_is_no_change)
{
	BEGIN();
	make_dir("low/etc");
	make_dir("upper/etc");
	set_time("low/etc", 1, 0);
	ASSERT_DIFF("");
	assert_int_equal(chmod(at("upper/etc"), 0700), 0);
	ASSERT_DIFF("d etc\n");
}

TEST(diff__what_was_only_copied_up_is_no_change)
{
	BEGIN();
	make_file("low/same", "text");
	make_file("upper/same", "text");
	make_file("low/other", "text");
	make_file("upper/other", "test");
	make_file("low/longer", "text");
	make_file("upper/longer", "text text");
	make_file("low/later", "text");
	make_file("upper/later", "text");
	set_time("upper/later", 1001, 0);
	make_file("low/mode", "text");
	make_file("upper/mode", "text");
	assert_int_equal(chmod(at("upper/mode"), 0600), 0);
	assert_int_equal(symlink("a", at("low/link")), 0);
	assert_int_equal(symlink("a", at("upper/link")), 0);
	assert_int_equal(symlink("a", at("low/link2")), 0);
	assert_int_equal(symlink("b", at("upper/link2")), 0);
	set_time("low/link", 1000, 0);
	set_time("upper/link", 1000, 0);
	set_time("low/link2", 1000, 0);
	set_time("upper/link2", 1000, 0);
	ASSERT_DIFF("f later\nl link2 -> b\nf longer\nf mode\nf other\n");
}

TEST(diff__content_is_not_compared_where_times_are_exact)
{
	BEGIN();
	make_file("low/f", "text");
	make_file("upper/f", "text");
	set_time("low/f", 1000, 5);
	set_time("upper/f", 1000, 6);
	ASSERT_DIFF("f f\n");
	set_time("upper/f", 1000, 5);
	ASSERT_DIFF("");
}

TEST(diff__attributes_are_compared_and_overlays_own_are_not)
{
	BEGIN();
	make_file("low/f", "text");
	make_file("upper/f", "text");
	assert_int_equal(setxattr(at("upper/f"), "user.overlay.origin", "x", 1, 0), 0);
	ASSERT_DIFF("");
	assert_int_equal(setxattr(at("upper/f"), "user.mine", "x", 1, 0), 0);
	ASSERT_DIFF("f f\n");
	ob_layer_index *index = diff(NULL, 0);
	assert_int_equal(index->entries[0].xattr_count, 1);
	assert_string_equal(index->entries[0].xattrs[0].name, "user.mine");
	(void)ob_layer_index_free(index);
}

TEST(diff__whiteouts_of_what_is_below)
{
	BEGIN();
	make_dir("low/d");
	make_file("low/d/f", "x");
	make_file("top/g", "x");
	make_dir("upper/d");
	make_whiteout("upper/d/f");
	make_whiteout("upper/g");
	make_whiteout("upper/never_was");
	ASSERT_DIFF("d d\nw d/f\nw g\n");
}

TEST(diff__whiteouts_of_what_a_layer_hid_already_are_dropped)
{
	BEGIN();
	make_file("low/f", "x");
	make_whiteout("top/f");
	make_whiteout("upper/f");
	make_dir("low/d");
	make_file("low/d/g", "x");
	make_dir("top/d");
	make_opaque("top/d");
	make_dir("upper/d");
	make_whiteout("upper/d/g");
	ASSERT_DIFF("");
}

TEST(diff__opaque_directory_hides_and_all_in_it_is_new)
{
	BEGIN();
	make_dir("low/d");
	make_file("low/d/f", "x");
	make_file("low/d/same", "x");
	make_dir("upper/d");
	make_opaque("upper/d");
	make_file("upper/d/same", "x");
	ASSERT_DIFF("d d\no d\nf d/same\n");
}

TEST(diff__opaque_mark_without_anything_below_is_dropped)
{
	BEGIN();
	make_dir("upper/d");
	make_opaque("upper/d");
	make_file("low/was_file", "x");
	make_dir("upper/was_file");
	make_opaque("upper/was_file");
	ASSERT_DIFF("d d\nd was_file\n");
}

TEST(diff__things_that_changed_their_type)
{
	BEGIN();
	make_file("low/a", "x");
	make_dir("upper/a");
	make_file("upper/a/x", "x");
	make_dir("low/b");
	make_file("low/b/x", "x");
	make_file("upper/b", "x");
	make_dir("low/c");
	assert_int_equal(symlink("a", at("upper/c")), 0);
	ASSERT_DIFF("d a\nf a/x\nf b\nl c -> a\n");
}

TEST(diff__hard_links_refer_to_the_first_name)
{
	BEGIN();
	make_dir("upper/d");
	make_file("upper/d/two", "x");
	assert_int_equal(link(at("upper/d/two"), at("upper/d/one")), 0);
	assert_int_equal(link(at("upper/d/two"), at("upper/z")), 0);
	make_file("upper/alone", "x");
	ASSERT_DIFF("f alone\nd d\nf d/one\nh d/two -> d/one\nh z -> d/one\n");
}

TEST(diff__a_file_that_got_another_name_is_written_with_both)
{
	BEGIN();
	make_file("low/old", "x");
	make_file("upper/old", "x");
	assert_int_equal(link(at("upper/old"), at("upper/new")), 0);
	ASSERT_DIFF("f new\nh old -> new\n");
}

TEST(diff__sockets_are_left_out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	BEGIN();
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", at("upper/s"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
	ASSERT_DIFF("");
}

TEST(diff__mount_points_are_skipped_but_not_what_is_beside_them)
{
	static const char *const skip[] = {"run", "run/secret", "mnt"};

	BEGIN();
	make_dir("upper/run");
	make_file("upper/run/secret", "");
	make_dir("upper/mnt");
	ASSERT_DIFF_SKIP(skip, 3, "");
	make_file("upper/run/mine", "x");
	ASSERT_DIFF_SKIP(skip, 3, "d run\nf run/mine\n");
}

TEST(diff__a_directory_below_a_file_of_a_higher_layer_is_not_seen)
{
	BEGIN();
	make_dir("low/p");
	make_file("low/p/f", "x");
	make_file("top/p", "file");
	make_dir("upper/p");
	make_opaque("upper/p");
	make_whiteout("upper/p/f");
	ASSERT_DIFF("d p\n");
}

TEST(diff__names_of_any_bytes_and_length)
{
	char name[300] = "upper/";

	BEGIN();
	memset(name + 6, 'n', 255);
	name[261] = '\0';
	make_file(name, "x");
	make_file("upper/\xff\xfe", "x");
	make_file("upper/a\nb", "x");
	ob_layer_index *index = diff(NULL, 0);
	assert_int_equal(index->len, 3);
	assert_string_equal(index->entries[0].path, "a\nb");
	assert_int_equal(strlen(index->entries[1].path), 255);
	assert_string_equal(index->entries[2].path, "\xff\xfe");
	(void)ob_layer_index_free(index);
}

/* A chain of directories below @p dir, deeper than one path can say; a file at its end. */
static void make_deep(const char *dir)
{
	char name[201];
	int fd = open(at(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(name, 'd', 200);
	name[200] = '\0';
	for (int i = 0; i < 30; i++) {
		assert_int_equal(mkdirat(fd, name, 0755), 0);
		int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(fd);
		fd = next;
	}
	int file = openat(fd, "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	const struct timespec times[2] = {{1000, 0}, {1000, 0}};
	assert_int_equal(futimens(file, times), 0);
	(void)close(file);
	(void)close(fd);
}

TEST(diff__paths_longer_than_the_kernel_takes)
{
	BEGIN();
	make_deep("upper");
	ob_layer_index *index = diff(NULL, 0);
	assert_int_equal(index->len, 31);
	assert_int_equal(strlen(index->entries[30].path), 30 * 201 + 1);
	(void)ob_layer_index_free(index);
	make_deep("low");
	ASSERT_DIFF("");
}

TEST(diff__ids_modes_and_times_are_the_files_own)
{
	BEGIN();
	make_file("upper/f", "x");
	assert_int_equal(chmod(at("upper/f"), 06751), 0);
	set_time("upper/f", 1234567890, 123);
	ob_layer_index *index = diff(NULL, 0);
	assert_int_equal(index->entries[0].mode, 06751);
	assert_int_equal(index->entries[0].uid, geteuid());
	assert_int_equal(index->entries[0].mtime_sec, 1234567890);
	assert_int_equal(index->entries[0].size, 1);
	(void)ob_layer_index_free(index);
}
