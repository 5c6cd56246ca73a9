/* store/store_temp.c — temporary files that die with their owner.
 *
 * Each store object that writes has one folder, tmp/<unique>, and beside it tmp/<unique>.lock, on which
 * it holds an OFD lock as long as it lives. The kernel drops the lock when the process dies, however it
 * dies, so a folder whose lock can be had belongs to nobody and is swept by the next one who needs a
 * temporary file.
 *
 * What keeps this free of races: the lock file is made and locked before the folder, and removed after
 * it; whoever got a lock makes sure that the locked file is still the one with the name. So a folder
 * without a lock file is litter as well.
 */
#include "store/store_inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "base/fds.h"
#include "base/strings.h"

#define LOCK_SUFFIX ".lock"
#define ATTEMPTS    16

/** Lock fd if nobody else has, and if the file still has its name. 0, or -1 and errno. */
static int lock_if_named(int fd, int dirfd, const char *name)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat mine, named;

	if (fcntl(fd, F_OFD_SETLK, &lock) < 0 || fstat(fd, &mine) < 0 ||
	    fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (mine.st_dev != named.st_dev || mine.st_ino != named.st_ino) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

/** One attempt at a folder of a fresh name. 0, or -1 and errno; EAGAIN: try another. */
static int try_begin(ob_store *store)
{
	uint64_t unique;
	ob_autofree char *dir = NULL, *name = NULL;
	ob_autofd int fd = -1;

	if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
		return -1;
	dir = ob_str_printf("%s/%016" PRIx64, store->temp_root, unique);
	name = ob_str_printf("%s/%016" PRIx64 LOCK_SUFFIX, store->temp_root, unique);
	if (!dir || !name) {
		errno = ENOMEM;
		return -1;
	}
	if (mkdirat(store->dirfd, store->temp_root, 0700) < 0 && errno != EEXIST)
		return -1;
	fd = openat(store->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || lock_if_named(fd, store->dirfd, name) < 0) {
		/* ENOENT: a layout's folder, or our lock file, was just swept away. */
		if (errno == ENOENT || errno == EEXIST || errno == EACCES)
			errno = fd < 0 && errno == EACCES ? EACCES : EAGAIN;
		return -1;
	}
	if (mkdirat(store->dirfd, dir, 0700) < 0) {
		(void)unlinkat(store->dirfd, name, 0);
		return -1;
	}
	store->session = ob_take_ptr(dir);
	store->session_fd = ob_take_fd(fd);
	return 0;
}

/** Called with the lock held. */
static ocib_errc begin_session(ob_store *store, ocib_error **err)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		if (try_begin(store) == 0)
			return OCIB_OK;
		if (errno != EAGAIN)
			break;
	}
	return ob_fail_errno(err, "create a directory for temporary files in '%s/%s'", store->path,
			     store->temp_root);
}

ocib_errc ob_store_temp_name(ob_store *store, char **out, ocib_error **err)
{
	ocib_errc r = OCIB_OK;
	bool first;

	(void)pthread_mutex_lock(&store->lock);
	first = !store->session;
	if (first)
		r = begin_session(store, err);
	if (r == OCIB_OK) {
		*out = ob_str_printf("%s/%" PRIu64, store->session, store->temp_count++);
		if (!*out)
			r = ob_fail_nomem(err);
	}
	(void)pthread_mutex_unlock(&store->lock);
	if (first && r == OCIB_OK)
		(void)ob_store_sweep(store, NULL, NULL);
	return r;
}

void ob_store_end_session(ob_store *store)
{
	ob_autofree char *name = NULL;

	if (!store->session)
		return;
	name = ob_str_printf("%s" LOCK_SUFFIX, store->session);
	/* What we may not remove (files of a container's users) is left to a sweep: keep its lock file. */
	if (name && ob_remove_tree(store->dirfd, store->session, NULL) == OCIB_OK)
		(void)unlinkat(store->dirfd, name, 0);
	(void)close(store->session_fd);
	if (store->is_layout)
		(void)unlinkat(store->dirfd, store->temp_root, AT_REMOVEDIR);
	free(store->session);
	store->session = NULL;
	store->session_fd = -1;
}

ocib_errc ob_store_new_temp_dir(ob_store *store, char **name, ocib_error **err)
{
	ob_autofree char *path = NULL;
	ocib_errc r = ob_store_temp_name(store, &path, err);

	if (r != OCIB_OK)
		return r;
	if (mkdirat(store->dirfd, path, 0700) < 0)
		return ob_fail_errno(err, "create directory '%s/%s'", store->path, path);
	*name = ob_take_ptr(path);
	return OCIB_OK;
}

/** Remove what the lock file of a dead owner stands for. @p stem is without the suffix. */
static int sweep_owner(int rootfd, const char *lock_name, const char *stem)
{
	ob_autofd int fd = openat(rootfd, lock_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || lock_if_named(fd, rootfd, lock_name) < 0)
		return 0; /* alive, or gone meanwhile */
	if (ob_remove_tree(rootfd, stem, NULL) != OCIB_OK)
		return -1;
	(void)unlinkat(rootfd, lock_name, 0);
	return 0;
}

/** 0, or -1 when something of a dead owner remains under *stem. */
static int sweep_name(int rootfd, char *name, const char **stem)
{
	size_t len = strlen(name), suffix = strlen(LOCK_SUFFIX);
	ob_autofree char *lock_name = NULL;

	*stem = name;
	if (ob_str_ends(name, LOCK_SUFFIX)) {
		lock_name = strdup(name);
		if (!lock_name)
			return 0;
		name[len - suffix] = '\0';
		return sweep_owner(rootfd, lock_name, name);
	}
	lock_name = ob_str_printf("%s" LOCK_SUFFIX, name);
	if (!lock_name || faccessat(rootfd, lock_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0; /* its lock file's turn comes, or came */
	return ob_remove_tree(rootfd, name, NULL) == OCIB_OK ? 0 : -1;
}

ocib_errc ob_store_sweep(ob_store *store, ob_strlist *left, ocib_error **err)
{
	ob_autofd int fd = openat(store->dirfd, store->temp_root,
				  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	ob_autodir DIR *dir = NULL;
	struct dirent *one;

	if (fd < 0 && errno == ENOENT)
		return OCIB_OK;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return ob_fail_errno(err, "open '%s/%s'", store->path, store->temp_root);
	(void)ob_take_fd(fd);
	while ((one = readdir(dir))) {
		ob_autofree char *name = NULL;
		const char *stem;

		if (ob_str_eq(one->d_name, ".") || ob_str_eq(one->d_name, ".."))
			continue;
		name = strdup(one->d_name);
		if (!name)
			return ob_fail_nomem(err);
		if (sweep_name(dirfd(dir), name, &stem) < 0 && left &&
		    ob_strlist_add_printf(left, "%s/%s/%s", store->path, store->temp_root, stem) <
			    0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}
