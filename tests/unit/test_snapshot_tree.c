/* tests/unit/test_snapshot_tree.c — a step's changes to a layer and a layer onto a tree.
 *
 * Lower and upper directories are made by hand as overlayfs leaves them. Whiteout devices need root or a
 * user namespace of our own; where neither is to be had those cases are skipped.
 */
#include "harness.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/fds.h"
#include "base/strings.h"
#include "snapshot/apply.h"
#include "snapshot/diff.h"

/* Three directories in the case's temp directory: what was, what changed, and where it is replayed. */
typedef struct fixture {
	int root, lower, upper, tree;
	ob_buffer blob;
} fixture;

static int sub(int root, const char *name)
{
	assert_return_code(mkdirat(root, name, 0755), errno);
	int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_return_code(fd, errno);
	return fd;
}

static fixture set_up(void)
{
	fixture f = {.blob = OB_BUFFER_INIT(64 << 20, "test layer")};

	f.root = open(t_temp_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_return_code(f.root, errno);
	f.lower = sub(f.root, "lower");
	f.upper = sub(f.root, "upper");
	f.tree = sub(f.root, "tree");
	return f;
}

static void tear_down(fixture *f)
{
	ob_buffer_done(&f->blob);
	(void)close(f->root);
	(void)close(f->lower);
	(void)close(f->upper);
	(void)close(f->tree);
}

static void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_return_code(fd, errno);
	assert_return_code(ob_write_full(fd, text, strlen(text)), errno);
	(void)close(fd);
}

static void put_dir(int dir, const char *name)
{
	assert_return_code(mkdirat(dir, name, 0755), errno);
}

static void put_whiteout(int dir, const char *name)
{
	if (mknodat(dir, name, S_IFCHR, makedev(0, 0)) < 0)
		SKIP("whiteout devices cannot be made here");
}

static void set_time(int dir, const char *name, long sec, long nsec)
{
	struct timespec times[2] = {{.tv_sec = sec, .tv_nsec = nsec},
				    {.tv_sec = sec, .tv_nsec = nsec}};

	assert_return_code(utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW), errno);
}

static const char *mark_name(void)
{
	return geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque";
}

/* The layer of f->upper over f->lower; its paths as "X path" lines in @p out. */
static void diff(fixture *f, const char *const *skip, size_t skip_count, char *out, size_t cap)
{
	ob_diff_options options = {.lower_fds = &f->lower,
				   .lower_count = 1,
				   .skip = skip,
				   .skip_count = skip_count,
				   .userxattr = geteuid() != 0};
	ob_layer_writer_options how = {.compression = OB_COMPRESSION_NONE};
	ob_auto(ob_writer) sink = NULL;
	ob_auto(ob_layer_writer) writer = NULL;
	ob_layer_result result = {0};
	size_t len = 0;

	ob_buffer_clear(&f->blob);
	ASSERT_OK(ob_writer_open_buffer(&f->blob, &sink, &t_err));
	ASSERT_OK(ob_layer_writer_open(&how, sink, &writer, &t_err));
	ASSERT_OK(ob_snapshot_diff(f->upper, &options, writer, &t_err));
	ASSERT_OK(ob_layer_writer_finish(writer, &result, &t_err));
	out[0] = '\0';
	for (size_t i = 0; i < result.index->len; i++) {
		const ob_entry *e = &result.index->entries[i];

		len += (size_t)snprintf(out + len, cap - len, "%c %s%s%s\n", "?fdlhcbpWO"[e->type],
					e -> path, e -> link ? " > " : "", e->link ? e->link : "");
		assert_true(len < cap);
	}
	ob_layer_result_done(&result);
}

static ocib_errc replay(const fixture *f)
{
	ob_tar_reader_options how = {.strict = true, .whiteouts = true, .what = "test layer"};
	ob_apply_options options = {.keep_owner = geteuid() == 0};
	ob_auto(ob_reader) bytes = NULL;
	ob_auto(ob_tar_reader) tar = NULL;

	ASSERT_OK(ob_reader_open_memory(f->blob.data, f->blob.len, &bytes, &t_err));
	ASSERT_OK(ob_tar_reader_open(bytes, &how, &tar, &t_err));
	return ob_snapshot_apply(tar, f->tree, &options, &t_err);
}

static void assert_text(int dir, const char *name, const char *text)
{
	ob_autodone(ob_buffer) got = OB_BUFFER_INIT(1 << 20, "test file");

	ASSERT_OK(ob_read_file(dir, name, &got, &t_err));
	assert_string_equal(got.data ? got.data : "", text);
}

static void assert_absent(int dir, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), -1);
}

TEST(diff__new_and_changed_things_come_with_their_parents)
{
	fixture f = set_up();
	char lines[4096];

	put_dir(f.lower, "etc");
	put(f.lower, "etc/old", "same");
	put_dir(f.lower, "usr");
	put_dir(f.upper, "etc");
	put(f.upper, "etc/new", "1");
	put_dir(f.upper, "usr"); /* copied up, nothing changed in it */
	diff(&f, NULL, 0, lines, sizeof(lines));
	assert_string_equal(lines, "d etc\nf etc/new\n");
	tear_down(&f);
}

TEST(diff__a_copy_without_a_change_is_left_out)
{
	fixture f = set_up();
	char lines[4096];

	put(f.lower, "same", "text");
	put(f.upper, "same", "text");
	put(f.lower, "whole-seconds", "text");
	put(f.upper, "whole-seconds", "tEXT");
	put(f.lower, "touched", "text");
	put(f.upper, "touched", "text");
	set_time(f.lower, "same", 1000, 5);
	set_time(f.upper, "same", 1000, 5);
	set_time(f.lower, "whole-seconds", 1000, 0);
	set_time(f.upper, "whole-seconds", 1000, 0);
	set_time(f.lower, "touched", 1000, 0);
	set_time(f.upper, "touched", 1001, 0);
	diff(&f, NULL, 0, lines, sizeof(lines));
	assert_string_equal(lines, "f touched\nf whole-seconds\n");
	tear_down(&f);
}

TEST(diff__whiteouts_of_nothing_are_dropped)
{
	fixture f = set_up();
	char lines[4096];

	put(f.lower, "gone", "text");
	put_whiteout(f.upper, "gone");
	put_whiteout(f.upper, "never-there");
	diff(&f, NULL, 0, lines, sizeof(lines));
	assert_string_equal(lines, "W gone\n");
	tear_down(&f);
}

TEST(diff__an_opaque_directory_is_marked_where_it_hides_something)
{
	fixture f = set_up();
	char lines[4096];

	put_dir(f.lower, "d");
	put(f.lower, "d/hidden", "text");
	put_dir(f.upper, "d");
	put_dir(f.upper, "fresh");
	put(f.upper, "d/new", "text");
	int d = openat(f.upper, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fresh = openat(f.upper, "fresh", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_return_code(fsetxattr(d, mark_name(), "y", 1, 0), errno);
	assert_return_code(fsetxattr(fresh, mark_name(), "y", 1, 0), errno);
	(void)close(d);
	(void)close(fresh);
	diff(&f, NULL, 0, lines, sizeof(lines));
	assert_string_equal(lines, "d d\nO d\nf d/new\nd fresh\n");
	tear_down(&f);
}

TEST(diff__names_of_one_file_become_hard_links_in_order)
{
	fixture f = set_up();
	char lines[4096];

	put(f.upper, "b", "text");
	assert_return_code(linkat(f.upper, "b", f.upper, "c", 0), errno);
	assert_return_code(linkat(f.upper, "b", f.upper, "a", 0), errno);
	diff(&f, NULL, 0, lines, sizeof(lines));
	assert_string_equal(lines, "f a\nh b > a\nh c > a\n");
	tear_down(&f);
}

TEST(diff__what_is_skipped_and_sockets_leave_no_trace)
{
	fixture f = set_up();
	const char *const skip[] = {"etc/stub"};
	char lines[4096];

	put_dir(f.lower, "etc");
	put_dir(f.upper, "etc");
	put(f.upper, "etc/stub", "");
	assert_return_code(mknodat(f.upper, "socket", S_IFSOCK | 0600, 0), errno);
	diff(&f, skip, 1, lines, sizeof(lines));
	assert_string_equal(lines, "");
	tear_down(&f);
}

TEST(replay__gives_the_tree_that_overlayfs_would_show)
{
	fixture f = set_up();
	char lines[4096];
	struct stat st;

	/* The tree holds what the lower layers hold. */
	const int before[] = {f.lower, f.tree};
	for (size_t i = 0; i < 2; i++) {
		put_dir(before[i], "d");
		put(before[i], "d/keep", "keep");
		put(before[i], "d/gone", "gone");
		put_dir(before[i], "dir-to-file");
		put(before[i], "dir-to-file/x", "x");
		put(before[i], "file-to-dir", "x");
	}
	put_dir(f.upper, "d");
	put_whiteout(f.upper, "d/gone");
	put(f.upper, "d/new", "new");
	assert_return_code(fchmodat(f.upper, "d/new", 04711, 0), errno);
	set_time(f.upper, "d/new", 1234567, 0);
	put(f.upper, "dir-to-file", "now a file");
	put_dir(f.upper, "file-to-dir");
	put(f.upper, "file-to-dir/y", "y");
	assert_return_code(symlinkat("d/new", f.upper, "link"), errno);
	assert_return_code(mknodat(f.upper, "pipe", S_IFIFO | 0622, 0), errno);
	set_time(f.upper, "d", 7654321, 0);

	diff(&f, NULL, 0, lines, sizeof(lines));
	ASSERT_OK(replay(&f));
	assert_text(f.tree, "d/keep", "keep");
	assert_absent(f.tree, "d/gone");
	assert_text(f.tree, "d/new", "new");
	assert_text(f.tree, "dir-to-file", "now a file");
	assert_text(f.tree, "file-to-dir/y", "y");
	assert_return_code(fstatat(f.tree, "d/new", &st, 0), errno);
	assert_int_equal(st.st_mode & 07777, 04711);
	assert_int_equal(st.st_mtim.tv_sec, 1234567);
	assert_return_code(fstatat(f.tree, "d", &st, 0), errno);
	assert_int_equal(st.st_mtim.tv_sec, 7654321);
	assert_return_code(fstatat(f.tree, "pipe", &st, AT_SYMLINK_NOFOLLOW), errno);
	assert_true(S_ISFIFO(st.st_mode));
	tear_down(&f);
}

/* A tar made by hand: entries of the writer in an order of our own, through a raw header. */
static void add_raw(ob_buffer *tar, char type, const char *name, const char *link, const char *text)
{
	char header[512] = {0};
	unsigned sum = 0;
	size_t len = strlen(text);

	(void)snprintf(header, 100, "%s", name);
	(void)snprintf(header + 100, 8, "%07o", 0755u);
	(void)snprintf(header + 108, 8, "%07o", (unsigned)geteuid());
	(void)snprintf(header + 116, 8, "%07o", (unsigned)getegid());
	(void)snprintf(header + 124, 12, "%011o", (unsigned)len);
	(void)snprintf(header + 136, 12, "%011o", 1000u);
	memset(header + 148, ' ', 8);
	header[156] = type;
	(void)snprintf(header + 157, 100, "%s", link);
	memcpy(header + 257,
	       "ustar\0"
	       "00",
	       8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	(void)snprintf(header + 148, 8, "%06o", sum);
	ob_buffer_append(tar, header, sizeof(header));
	ob_buffer_append(tar, text, len);
	while (tar->len % 512)
		ob_buffer_append_char(tar, '\0');
}

static void end_raw(ob_buffer *tar)
{
	char zeros[1024] = {0};

	ob_buffer_append(tar, zeros, sizeof(zeros));
}

TEST(replay__a_directory_swapped_for_a_link_midway_does_not_lead_out)
{
	fixture f = set_up();
	ob_autofree char *outside = ob_str_printf("%s/outside", t_temp_dir());

	int fd = sub(f.root, "outside");
	add_raw(&f.blob, '5', "d/", "", "");
	add_raw(&f.blob, '0', "d/first", "", "in");
	add_raw(&f.blob, '2', "d", outside, "");
	add_raw(&f.blob, '0', "d/escaped", "", "out");
	end_raw(&f.blob);
	(void)replay(&f); /* whether it is refused or lands inside: */
	assert_absent(fd, "escaped");
	(void)close(fd);
	tear_down(&f);
}

TEST(replay__a_hard_link_to_outside_is_refused)
{
	fixture f = set_up();

	put(f.root, "secret", "secret");
	add_raw(&f.blob, '2', "up", "..", "");
	add_raw(&f.blob, '1', "copy", "up/secret", "");
	end_raw(&f.blob);
	ASSERT_ERROR(replay(&f), OCIB_ERR_CORRUPT, "up/secret");
	tear_down(&f);
}

TEST(replay__a_file_under_a_file_is_refused)
{
	fixture f = set_up();

	add_raw(&f.blob, '0', "a", "", "x");
	add_raw(&f.blob, '0', "a/b", "", "x");
	end_raw(&f.blob);
	ASSERT_ERROR(replay(&f), OCIB_ERR_CORRUPT, "'a'");
	tear_down(&f);
}

TEST(replay__a_whiteout_spares_what_its_own_layer_brings)
{
	fixture f = set_up();

	put_dir(f.tree, "d");
	put(f.tree, "d/old", "old");
	put(f.tree, "file", "old");
	add_raw(&f.blob, '5', "d/", "", "");
	add_raw(&f.blob, '0', "d/new", "", "new");
	add_raw(&f.blob, '0', "d/.wh..wh..opq", "", "");
	add_raw(&f.blob, '0', "file", "", "new");
	add_raw(&f.blob, '0', ".wh.file", "", "");
	end_raw(&f.blob);
	ASSERT_OK(replay(&f));
	assert_absent(f.tree, "d/old");
	assert_text(f.tree, "d/new", "new");
	assert_text(f.tree, "file", "new");
	tear_down(&f);
}

TEST(replay__missing_parents_are_made_and_links_in_parents_followed_inside)
{
	fixture f = set_up();

	put_dir(f.tree, "run");
	assert_return_code(symlinkat("/run", f.tree, "var-run"), errno);
	add_raw(&f.blob, '0', "a/b/c/file", "", "deep");
	add_raw(&f.blob, '0', "var-run/pid", "", "1");
	end_raw(&f.blob);
	ASSERT_OK(replay(&f));
	assert_text(f.tree, "a/b/c/file", "deep");
	assert_text(f.tree, "run/pid", "1");
	tear_down(&f);
}
