/* test_sandbox_filter.c — the system call filter, loaded into a child and asked. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness.h"
#include "base/fds.h"
#include "sandbox/seccomp_filter.h"

/* What a system call gave under the filter: its result, or minus errno. */
static long ask(long number, long a, long b, long c)
{
	ob_seccomp_filter filter = {0};
	int ends[2];
	long answer = -9999;

	ASSERT_OK(ob_seccomp_filter_build(&filter, &t_err));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct sock_fprog program = {filter.len, filter.code};

		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
			_exit(1);
		long r = syscall(number, a, b, c, 0, 0);
		if (r < 0)
			r = -errno;
		(void)!write(ends[1], &r, sizeof(r));
		_exit(0);
	}
	(void)close(ends[1]);
	(void)ob_read_full(ends[0], &answer, sizeof(answer));
	(void)close(ends[0]);
	(void)waitpid(pid, NULL, 0);
	ob_seccomp_filter_done(&filter);
	return answer;
}

TEST(filter__ordinary_calls_pass)
{
	assert_true(ask(SYS_getppid, 0, 0, 0) > 0);
	assert_int_equal(ask(SYS_close, -1, 0, 0), -EBADF);
}

TEST(filter__the_fsync_family_succeeds_without_doing_anything)
{
	/* Descriptor -1 would be refused by the kernel: it is never asked. */
	assert_int_equal(ask(SYS_fsync, -1, 0, 0), 0);
	assert_int_equal(ask(SYS_fdatasync, -1, 0, 0), 0);
	assert_int_equal(ask(SYS_syncfs, -1, 0, 0), 0);
	assert_int_equal(ask(SYS_sync, 0, 0, 0), 0);
	assert_int_equal(ask(SYS_sync_file_range, -1, 0, 0), 0);
	assert_int_equal(ask(SYS_msync, 1, 1, 4), 0);
}

TEST(filter__what_docker_denies_is_denied)
{
	static const long denied[] = {
		SYS_mount,
		SYS_umount2,
		SYS_pivot_root,
		SYS_unshare,
		SYS_setns,
		SYS_keyctl,
		SYS_add_key,
		SYS_bpf,
		SYS_reboot,
		SYS_kexec_load,
		SYS_init_module,
		SYS_delete_module,
		SYS_swapon,
		SYS_swapoff,
		SYS_acct,
		SYS_settimeofday,
		SYS_open_by_handle_at,
		SYS_userfaultfd,
		SYS_perf_event_open,
		SYS_io_uring_setup,
		SYS_fsopen,
		SYS_move_mount,
		SYS_open_tree,
		SYS_quotactl,
		SYS_request_key,
		SYS_mbind,
		SYS_vhangup,
		SYS_sethostname,
		SYS_syslog,
	};

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
		assert_int_equal(ask(denied[i], 0, 0, 0), -EPERM);
}

TEST(filter__calls_newer_than_the_table_are_unknown)
{
	assert_int_equal(ask(600, 0, 0, 0), -ENOSYS);
	assert_int_equal(ask(0x40000000 | SYS_getpid, 0, 0, 0), -ENOSYS);
	assert_int_equal(ask(SYS_clone3, 0, 0, 0), -ENOSYS);
}

TEST(filter__calls_newer_than_libseccomp_are_known)
{
	assert_true(ask(452 /* fchmodat2 */, AT_FDCWD, (long)"/nonexistent", 0) != -EPERM);
}

TEST(filter__socket_families_are_looked_at)
{
	assert_true(ask(SYS_socket, AF_UNIX, SOCK_STREAM, 0) >= 0);
	assert_int_equal(ask(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0), -EPERM);
	assert_int_equal(ask(SYS_socket, AF_VSOCK, SOCK_STREAM, 0), -EPERM);
	/* The kernel looks at 32 bits of it, so the filter does, too. */
	assert_int_equal(ask(SYS_socket, (1L << 32) | AF_ALG, SOCK_SEQPACKET, 0), -EPERM);
}

TEST(filter__new_namespaces_are_refused_and_processes_are_not)
{
	assert_int_equal(ask(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0), -EPERM);
	assert_int_equal(ask(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0), -EPERM);
	assert_true(ask(SYS_clone, SIGCHLD, 0, 0) >= 0);
}

TEST(filter__personality_is_looked_at)
{
	assert_true(ask(SYS_personality, 0xffffffff, 0, 0) >= 0);
	assert_true(ask(SYS_personality, PER_LINUX32, 0, 0) >= 0);
	assert_int_equal(ask(SYS_personality, ADDR_NO_RANDOMIZE, 0, 0), -EPERM);
}

TEST(filter__nothing_is_typed_into_a_terminal)
{
	assert_int_equal(ask(SYS_ioctl, 0, TIOCSTI, (long)"x"), -EPERM);
	assert_int_equal(ask(SYS_ioctl, -1, TIOCGWINSZ, 0), -EBADF);
}
