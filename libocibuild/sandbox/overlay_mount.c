/* sandbox/overlay_mount.c — overlayfs as a mount that is nowhere.
 *
 * Layers are handed to the kernel as /proc/self/fd/N: no path is too long, none needs its colons and
 * commas escaped, and several hundred fit where the old call has one page for all options.
 *
 * Since Linux 6.7 each lower directory is an option of its own. Before, all of them stand in one option,
 * which the new calls limit to 255 bytes; there the old call mounts over the upper directory, in this
 * process's own namespace and for a moment only, and the mount is then cloned from there.
 *
 * "volatile": nothing is ever written through to disk for its own sake. The features that make an upper
 * directory unreadable to others (redirects, metadata-only copies) are off.
 */
#include "sandbox/overlay_mount.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/buffer.h"
#include "sandbox/kernel_calls.h"

#define MAX_LOWERS 480 /* the kernel's own limit is 500 layers */

/* The directories of one overlay, open. */
typedef struct layers {
	int fds[MAX_LOWERS + 1];
	size_t count;
	int upper, work;
} layers;

static void layers_done(layers *l)
{
	for (size_t i = 0; i < l->count; i++)
		(void)close(l->fds[i]);
	ob_closep(&l->upper);
	ob_closep(&l->work);
}

static ocib_errc open_dir(const char *path, int *fd, ocib_error **err)
{
	*fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? ob_fail_errno(err, "open tree '%s'", path) : OCIB_OK;
}

/* mkdir() tells whether it is new: only then its attributes are for us to set. */
static ocib_errc make_upper(const char *path, int below, int *fd, ocib_error **err)
{
	struct stat st;
	bool is_new = mkdir(path, 0755) == 0;

	if (!is_new && errno != EEXIST)
		return ob_fail_errno(err, "make directory '%s'", path);
	ocib_errc r = open_dir(path, fd, err);
	if (r < 0 || !is_new || below < 0)
		return r;
	if (fstat(below, &st) < 0)
		return ob_fail_errno(err, "stat the layer below '%s'", path);
	struct timespec times[2] = {st.st_mtim, st.st_mtim};
	if (lchown(path, st.st_uid, st.st_gid) < 0 || chmod(path, st.st_mode & 07777) < 0 ||
	    utimensat(AT_FDCWD, path, times, 0) < 0)
		return ob_fail_errno(err, "set attributes of '%s'", path);
	return OCIB_OK;
}

static ocib_errc open_layers(const ob_overlay *overlay, layers *l, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	if (overlay->lowers->len > MAX_LOWERS)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "the image has %zu layers with content, overlayfs takes %d",
			       overlay->lowers->len, MAX_LOWERS);
	for (size_t i = 0; i < overlay->lowers->len && r == OCIB_OK; i++) {
		r = open_dir(overlay->lowers->items[i], &l->fds[i], err);
		l->count += r == OCIB_OK;
	}
	if (r == OCIB_OK && overlay->upper)
		r = make_upper(overlay->upper, l->count ? l->fds[0] : -1, &l->upper, err);
	if (r == OCIB_OK && overlay->upper && mkdir(overlay->work, 0700) < 0 && errno != EEXIST)
		r = ob_fail_errno(err, "make directory '%s'", overlay->work);
	if (r == OCIB_OK && overlay->upper)
		r = open_dir(overlay->work, &l->work, err);
	if (r == OCIB_OK && overlay->bottom_fd >= 0) {
		l->fds[l->count] = fcntl(overlay->bottom_fd, F_DUPFD_CLOEXEC, 0);
		if (l->fds[l->count] < 0)
			return ob_fail_errno(err, "open the lowest layer");
		l->count++;
	}
	return r;
}

/* What the kernel wrote about a failed configuration: "e overlay: …" lines; errno is kept. */
static ocib_errc fail_with_log(int fs, const char *what, ocib_error **err)
{
	int saved = errno;
	char log[512];
	ssize_t n = read(fs, log, sizeof(log) - 1);

	log[n > 0 ? n : 0] = '\0';
	log[strcspn(log, "\n")] = '\0';
	errno = saved;
	if (log[0])
		return ob_fail_errno(err, "mount overlay: %s (%s)", what, log);
	return ob_fail_errno(err, "mount overlay: %s", what);
}

static int set_fd_path(int fs, const char *key, int fd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
}

static int set_common(int fs, const ob_overlay *overlay)
{
	if (ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "ocibuild", 0) < 0 ||
	    ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, "redirect_dir", "nofollow", 0) < 0 ||
	    ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, "metacopy", "off", 0) < 0 ||
	    ob_sys_fsconfig(fs, FSCONFIG_SET_STRING, "index", "off", 0) < 0)
		return -1;
	if (overlay->upper && ob_sys_fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
		return -1;
	if (overlay->userxattr)
		return ob_sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
	return 0;
}

static ocib_errc mount_new(const ob_overlay *overlay, const layers *l, int *out_fd,
			   bool *is_too_old, ocib_error **err)
{
	ob_autofd int fs = ob_sys_fsopen("overlay");

	if (fs < 0)
		return ob_fail_errno(err,
				     "mount overlay: not known to this kernel, or not allowed");
	for (size_t i = 0; i < l->count; i++) {
		if (set_fd_path(fs, "lowerdir+", l->fds[i]) == 0)
			continue;
		*is_too_old = i == 0 && errno == EINVAL;
		return *is_too_old ? OCIB_OK : fail_with_log(fs, "add a layer", err);
	}
	if (set_common(fs, overlay) < 0 ||
	    (overlay->upper && (set_fd_path(fs, "upperdir", l->upper) < 0 ||
				set_fd_path(fs, "workdir", l->work) < 0)))
		return fail_with_log(fs, "set an option", err);
	if (ob_sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail_with_log(fs, "make it", err);
	*out_fd = ob_sys_fsmount(fs, overlay->attributes);
	return *out_fd < 0 ? fail_with_log(fs, "mount it", err) : OCIB_OK;
}

static ocib_errc mount_old(const ob_overlay *overlay, const layers *l, int *out_fd,
			   ocib_error **err)
{
	ob_autodone(ob_buffer) options = OB_BUFFER_INIT(4095, "overlay mount options");

	ob_buffer_append_str(&options, "lowerdir=");
	for (size_t i = 0; i < l->count; i++)
		ob_buffer_printf(&options, "%s/proc/self/fd/%d", i ? ":" : "", l->fds[i]);
	if (overlay->upper)
		ob_buffer_printf(&options,
				 ",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,volatile",
				 l->upper, l->work);
	ob_buffer_append_str(&options, ",redirect_dir=nofollow,metacopy=off,index=off");
	if (overlay->userxattr)
		ob_buffer_append_str(&options, ",userxattr");
	ocib_errc r = ob_buffer_check(&options, err);
	if (r < 0)
		return ob_wrap(err, r, "the image has too many layers for this kernel");
	const char *on = overlay->upper ? overlay->upper : overlay->lowers->items[0];
	if (ob_sys_mount("ocibuild", on, "overlay", 0, options.data) < 0)
		return ob_fail_errno(err, "mount overlay on '%s'", on);
	*out_fd = ob_sys_open_tree(AT_FDCWD, on, OPEN_TREE_CLONE);
	int saved = errno;
	(void)ob_sys_umount(on, MNT_DETACH);
	errno = saved;
	if (*out_fd < 0)
		return ob_fail_errno(err, "detach the overlay from '%s'", on);
	struct mount_attr attr = {.attr_set = overlay->attributes};
	if (overlay->attributes && ob_sys_mount_setattr(*out_fd, "", AT_EMPTY_PATH, &attr) < 0)
		return ob_fail_errno(err, "set attributes of the root file system");
	return OCIB_OK;
}

ocib_errc ob_overlay_mount(const ob_overlay *overlay, int *out_fd, ocib_error **err)
{
	ob_autodone(layers) l = {.upper = -1, .work = -1};
	ob_autofd int fd = -1;
	bool is_too_old = overlay->old_call;

	ocib_errc r = open_layers(overlay, &l, err);
	if (r == OCIB_OK && !is_too_old)
		r = mount_new(overlay, &l, &fd, &is_too_old, err);
	if (r == OCIB_OK && is_too_old)
		r = mount_old(overlay, &l, &fd, err);
	if (r == OCIB_OK)
		*out_fd = ob_take_fd(fd);
	return r;
}
