/* tests/unit/test_base_fds.c — whole files, resolving inside a root, removing trees, locks. */
#include "harness.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fds.h"

static int temp_fd(void)
{
	int fd = open(t_temp_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void put(int dirfd, const char *path, const char *text)
{
	ASSERT_OK(ob_write_file_atomic(dirfd, path, text, strlen(text), 0640, &t_err));
}

TEST(files__written_whole_and_read_whole)
{
	ob_autofd int dir = temp_fd();
	ob_autodone(ob_buffer) b = OB_BUFFER_INIT(1 << 20, "f");
	struct stat st;
	static char big[200000];

	put(dir, "f", "first");
	put(dir, "f", "second");
	ASSERT_OK(ob_read_file(dir, "f", &b, &t_err));
	assert_string_equal(b.data, "second");
	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	ASSERT_OK(ob_write_file_atomic(dir, "f", big, sizeof(big), 0600, &t_err));
	ob_buffer_clear(&b);
	ASSERT_OK(ob_read_file(dir, "f", &b, &t_err));
	assert_int_equal(b.len, sizeof(big));
	ob_buffer_clear(&b);
	ASSERT_OK(ob_read_file(AT_FDCWD, "/proc/self/status", &b, &t_err));
	assert_true(b.len > 100);
}

TEST(files__limit_is_exact)
{
	ob_autofd int dir = temp_fd();
	ob_autodone(ob_buffer) exact = OB_BUFFER_INIT(4, "f");
	ob_autodone(ob_buffer) small = OB_BUFFER_INIT(3, "f");

	put(dir, "f", "1234");
	ASSERT_OK(ob_read_file(dir, "f", &exact, &t_err));
	ASSERT_ERROR(ob_read_file(dir, "f", &small, &t_err), OCIB_ERR_LIMIT, "larger than 3");
	ASSERT_ERROR(ob_read_file(dir, "g", &small, &t_err), OCIB_ERR_NOTFOUND, "'g'");
}

TEST(files__failed_write_leaves_nothing)
{
	ob_autofd int dir = temp_fd();
	struct stat st;

	assert_int_equal(mkdirat(dir, "d", 0755), 0);
	assert_int_equal(mkdirat(dir, "d/x", 0755), 0);
	assert_int_equal(ob_write_file_atomic(dir, "d/x", "a", 1, 0644, NULL), OCIB_ERR_SYSTEM);
	assert_int_equal(fstatat(dir, "d", &st, 0), 0);
	assert_int_equal(st.st_nlink, 3);
	assert_int_equal(unlinkat(dir, "d/x", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(dir, "d", AT_REMOVEDIR), 0);
}

TEST(resolve__links_stay_inside_the_root)
{
	ob_autofd int dir = temp_fd();
	ob_autodone(ob_buffer) b = OB_BUFFER_INIT(100, "f");

	ASSERT_OK(ob_mkdir_parents(dir, "root/etc/", 0755, &t_err));
	put(dir, "root/etc/passwd", "inside");
	put(dir, "secret", "outside");
	ob_autofd int root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("/etc/passwd", root, "abs"), 0);
	assert_int_equal(symlinkat("../../../../../secret", root, "up"), 0);
	ob_autofd int fd = ob_fs_resolve(root, "/abs", O_RDONLY, 0);
	assert_true(fd >= 0);
	char text[7] = "";
	assert_int_equal(ob_read_full(fd, text, sizeof(text)), 6);
	assert_string_equal(text, "inside");
	assert_int_equal(ob_fs_resolve(root, "up", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(ob_fs_resolve(root, "../secret", O_RDONLY, 0), -1);
	ob_autofd int self = ob_fs_resolve(root, "", O_RDONLY | O_DIRECTORY, 0);
	assert_true(self >= 0);
}

TEST(remove_tree__any_depth_and_forbidding_modes)
{
	ob_autofd int dir = temp_fd();
	int at = dup(dir);

	put(dir, "keep", "x");
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(at, "deeper", 0755), 0);
		if (i % 100 == 0) {
			assert_int_equal(symlinkat("../../keep", at, "a-link"), 0);
			put(at, "z-file", "x");
			assert_int_equal(mkdirat(at, "empty", 0000), 0);
			assert_int_equal(mkdirat(at, "side", 0755), 0);
			put(at, "side/file", "x");
			assert_int_equal(fchmodat(at, "side", 0400, 0), 0);
		}
		int next = openat(at, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	close(at);
	ASSERT_OK(ob_remove_tree(dir, "deeper", &t_err));
	assert_int_equal(faccessat(dir, "deeper", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	ASSERT_OK(ob_remove_tree(dir, "deeper", &t_err));
	ASSERT_OK(ob_remove_tree(dir, "side", &t_err));
	assert_int_equal(faccessat(dir, "keep", F_OK, 0), 0);
}

TEST(lock__excludes_other_descriptions)
{
	ob_autofd int dir = temp_fd();
	ob_autofd int held = -1;
	int other = -1;

	ASSERT_OK(ob_lock_file(dir, "lock", true, false, &held, &t_err));
	ASSERT_ERROR(ob_lock_file(dir, "lock", false, false, &other, &t_err), OCIB_ERR_EXISTS,
		     "locked");
	close(ob_take_fd(held));
	ASSERT_OK(ob_lock_file(dir, "lock", false, true, &held, &t_err));
	ASSERT_OK(ob_lock_file(dir, "lock", false, false, &other, &t_err));
	close(other);
}
