/* sandbox/device_dir.c — a command's own /dev: a tmpfs with the few devices every program expects.
 *
 * The devices are the machine's, bound one by one and read-only, which keeps their owner and mode from
 * being changed and nothing else: devices are written to regardless. No other device opens anywhere in a
 * sandbox, whatever is made with mknod(): every mount says so ("nodev").
 */
#include "sandbox/device_dir.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/limits.h"
#include "base/strings.h"
#include "sandbox/kernel_calls.h"

#define DEFAULT_SHM (64 * OB_MIB)

void ob_device_dir_done(ob_device_dir *dir)
{
	ob_closep(&dir->dev);
	ob_closep(&dir->pts);
	ob_closep(&dir->shm);
}

int ob_tmpfs_mount(uint32_t mode, uint64_t size, unsigned attributes)
{
	ob_autofd int fs = ob_sys_fsopen("tmpfs");
	char text[32];

	if (fs < 0)
		return -1;
	(void)snprintf(text, sizeof(text), "%o", mode);
	if (ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", text, 0) < 0)
		return -1;
	(void)snprintf(text, sizeof(text), "%ju", (uintmax_t)size);
	if (size && ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", text, 0) < 0)
		return -1;
	if (ob_sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return ob_sys_fsmount(fs, attributes);
}

/* Group 5 is tty, as everywhere; where that id does not exist, root's group does. */
static int mount_devpts(void)
{
	static const char *const groups[] = {"5", "0"};

	for (size_t i = 0; i < OB_ARRAY_LEN(groups); i++) {
		ob_autofd int fs = ob_sys_fsopen("devpts");

		if (fs < 0)
			return -1;
		(void)ob_sys_fsconfig(fs, FSCONFIG_SET_FLAG, "newinstance", NULL, 0);
		if (ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0) == 0 &&
		    ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0620", 0) == 0 &&
		    ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, "gid", groups[i], 0) == 0 &&
		    ob_sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
			return ob_sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	}
	return -1;
}

const char *const ob_device_paths[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
};
const size_t ob_device_path_count = OB_ARRAY_LEN(ob_device_paths);

static int fill_dev(const ob_device_dir *dir)
{
	static const char *const links[][2] = {
		{"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
		{"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
		{"/proc/kcore", "core"},       {"pts/ptmx", "ptmx"},
	};

	for (size_t i = 0; i < ob_device_path_count; i++)
		if (mknodat(dir->dev, ob_device_paths[i] + sizeof("/dev/") - 1, S_IFREG | 0666, 0) <
		    0)
			return -1;
	for (size_t i = 0; i < OB_ARRAY_LEN(links); i++)
		if (symlinkat(links[i][0], dir->dev, links[i][1]) < 0)
			return -1;
	if (mkdirat(dir->dev, "pts", 0755) < 0 || mkdirat(dir->dev, "mqueue", 0755) < 0)
		return -1;
	return mkdirat(dir->dev, "shm", 0755);
}

ocib_errc ob_device_dir_make(ob_device_dir *out, uint64_t shm_size, ocib_error **err)
{
	out->dev = ob_tmpfs_mount(0755, 64 * OB_MIB, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (out->dev < 0 || fill_dev(out) < 0)
		return ob_fail_errno(err, "prepare /dev");
	out->pts = mount_devpts();
	if (out->pts < 0)
		return ob_fail_errno(err, "prepare /dev/pts");
	out->shm = ob_tmpfs_mount(01777, shm_size ? shm_size : DEFAULT_SHM,
				  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (out->shm < 0)
		return ob_fail_errno(err, "prepare /dev/shm");
	return OCIB_OK;
}
