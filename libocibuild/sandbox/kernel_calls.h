/* sandbox/kernel_calls.h — system calls that the C libraries of supported systems do not all wrap.
 *
 * Raw and thin: the kernel's names, arguments and errno. <sys/mount.h> is never included beside this
 * file, as older C libraries and <linux/mount.h> define the same things.
 */
#ifndef OB_SANDBOX_KERNEL_CALLS_H
#define OB_SANDBOX_KERNEL_CALLS_H

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

static inline int ob_sys_fsopen(const char *fs_name)
{
	return (int)syscall(SYS_fsopen, fs_name, FSOPEN_CLOEXEC);
}

static inline int ob_sys_fsconfig(int fd, unsigned command, const char *key, const void *value,
				  int aux)
{
	return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}

static inline int ob_sys_fsmount(int fd, unsigned attributes)
{
	return (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}

static inline int ob_sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC);
}

/** Attach the mount that @p mount_fd is, at @p dirfd/@p path ("": at dirfd itself). */
static inline int ob_sys_move_mount(int mount_fd, int dirfd, const char *path)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH;

	if (!path[0])
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	return (int)syscall(SYS_move_mount, mount_fd, "", dirfd, path, flags);
}

static inline int ob_sys_mount_setattr(int dirfd, const char *path, unsigned flags,
				       const struct mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr));
}

static inline int ob_sys_mount(const char *source, const char *target, const char *type,
			       unsigned long flags, const char *data)
{
	return (int)syscall(SYS_mount, source, target, type, flags, data);
}

static inline int ob_sys_umount(const char *path, int flags)
{
	return (int)syscall(SYS_umount2, path, flags);
}

static inline int ob_sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int ob_sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode,
				 uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

/*
 * Like fork(), with clone3's arguments. ThreadSanitizer has to be told, as it is of fork(): its own locks
 * would stay locked in the child.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) && !defined(__SANITIZE_THREAD__)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
void __sanitizer_syscall_pre_impl_fork(void);
void __sanitizer_syscall_post_impl_fork(long result);
#endif
static inline pid_t ob_sys_clone3(const struct clone_args *args)
{
#ifdef __SANITIZE_THREAD__
	__sanitizer_syscall_pre_impl_fork();
#endif
	long pid = syscall(SYS_clone3, args, sizeof(*args));
#ifdef __SANITIZE_THREAD__
	__sanitizer_syscall_post_impl_fork(pid);
#endif
	return (pid_t)pid;
}

/*
 * The C library's own would ask every thread it knows of to follow suit, and after a raw clone it knows
 * of threads that are not there. 32-bit machines have two of each; the old ones take 16 bits.
 */
#ifdef SYS_setresuid32
#define OB_SYS_SETRESUID SYS_setresuid32
#define OB_SYS_SETRESGID SYS_setresgid32
#define OB_SYS_SETGROUPS SYS_setgroups32
#else
#define OB_SYS_SETRESUID SYS_setresuid
#define OB_SYS_SETRESGID SYS_setresgid
#define OB_SYS_SETGROUPS SYS_setgroups
#endif

/** Become a user for good: groups first, while that is still allowed. */
static inline int ob_sys_set_ids(uid_t uid, gid_t gid, size_t group_count, const gid_t *groups)
{
	if (syscall(OB_SYS_SETRESGID, gid, gid, gid) < 0 ||
	    syscall(OB_SYS_SETGROUPS, group_count, groups) < 0)
		return -1;
	return (int)syscall(OB_SYS_SETRESUID, uid, uid, uid);
}

static inline int ob_sys_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static inline int ob_sys_pidfd_signal(int pidfd, int signal_number)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0);
}

static inline int ob_sys_close_range(unsigned first, unsigned last)
{
	return (int)syscall(SYS_close_range, first, last, 0);
}

#endif
