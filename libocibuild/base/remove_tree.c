/* base/remove_tree.c — rm -rf by descriptors, for trees of any depth, in constant descriptors.
 *
 * One directory is open at a time. Going down remembers the name and the parent's identity; going up
 * opens ".." and checks that it is the directory we came from, so that a tree that is moved meanwhile is
 * an error and never a removal elsewhere. A directory is emptied of everything that goes at once, then
 * its first stubborn child is entered; it is read again on the way back.
 */
#include "base/fds.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

typedef struct level {
	char *name; /* of the child that was entered */
	dev_t dev;  /* the directory it was entered from */
	ino_t ino;
} level;

typedef struct walk {
	int fd; /* the directory we are in */
	level *levels;
	size_t depth, cap;
} walk;

static void walk_done(walk *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	for (size_t i = 0; i < w->depth; i++)
		free(w->levels[i].name);
	free(w->levels);
}

/* Remove one name of the directory; 0, -1 with errno, or 1 for a directory with something in it. */
static int remove_name(int fd, const char *name)
{
	int r = unlinkat(fd, name, 0);

	if (r < 0 && errno == EISDIR)
		r = unlinkat(fd, name, AT_REMOVEDIR);
	if (r < 0 && (errno == ENOTEMPTY || errno == EEXIST))
		return 1;
	return r < 0 && errno != ENOENT ? -1 : 0;
}

/* As remove_name, but first make the directory writable where that is what is missing. */
static int remove_name_forced(int fd, const char *name)
{
	int r = remove_name(fd, name);

	if (r < 0 && errno == EACCES && fchmod(fd, 0700) == 0)
		r = remove_name(fd, name);
	return r;
}

/* Open a child directory, made readable if need be. Never through a link. */
static int open_child(int fd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int child = openat(fd, name, flags);

	/* An O_NOFOLLOW open said EACCES for a directory, so fchmodat cannot meet a link we made. */
	if (child < 0 && errno == EACCES && fchmodat(fd, name, 0700, 0) == 0)
		child = openat(fd, name, flags);
	return child;
}

/* A second descriptor of the same directory, for readdir to own. */
static int open_again(int fd)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int copy = openat(fd, ".", flags);

	if (copy < 0 && errno == EACCES && fchmod(fd, 0700) == 0)
		copy = openat(fd, ".", flags);
	return copy;
}

/* Remove what can be removed; *stubborn is the first directory that has content (malloc'ed). */
static int sweep(int fd, char **stubborn)
{
	ob_autofd int copy = open_again(fd);
	ob_autodir DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	if (!dir)
		return -1;
	(void)ob_take_fd(copy);
	while (errno = 0, (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int r = remove_name_forced(fd, entry->d_name);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		*stubborn = strdup(entry->d_name);
		return *stubborn ? 0 : -1;
	}
	return errno ? -1 : 0;
}

static int walk_down(walk *w, char *name /* taken */)
{
	ob_autofree char *owned = name;
	struct stat st;
	ob_autofd int child = open_child(w->fd, name);

	if (child < 0 || fstat(w->fd, &st) < 0)
		return -1;
	if (w->depth == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 16;
		level *grown = reallocarray(w->levels, cap, sizeof(*grown));

		if (!grown)
			return -1;
		w->levels = grown;
		w->cap = cap;
	}
	w->levels[w->depth++] = (level){ob_take_ptr(owned), st.st_dev, st.st_ino};
	(void)close(w->fd);
	w->fd = ob_take_fd(child);
	return 0;
}

static int walk_up(walk *w)
{
	level *top = &w->levels[w->depth - 1];
	struct stat st;
	ob_autofd int parent = openat(w->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent < 0 || fstat(parent, &st) < 0)
		return -1;
	if (st.st_dev != top->dev || st.st_ino != top->ino) {
		errno = EXDEV;
		return -1;
	}
	(void)close(w->fd);
	w->fd = ob_take_fd(parent);
	/* Something may have been added meanwhile: then the next sweep enters it again. */
	if (remove_name_forced(w->fd, top->name) < 0)
		return -1;
	free(top->name);
	w->depth--;
	return 0;
}

ocib_errc ob_remove_tree(int dirfd, const char *name, ocib_error **err)
{
	__attribute__((cleanup(walk_done))) walk w = {.fd = -1};
	int r = remove_name(dirfd, name);

	if (r == 0)
		return OCIB_OK;
	if (r < 0 && errno != EACCES)
		return ob_fail_errno(err, "remove '%s'", name);
	w.fd = open_child(dirfd, name);
	if (w.fd < 0)
		return ob_fail_errno(err, "open directory '%s' to remove it", name);
	r = 0;
	while (r >= 0) {
		char *stubborn = NULL;

		if (sweep(w.fd, &stubborn) < 0)
			break;
		if (stubborn)
			r = walk_down(&w, stubborn);
		else if (w.depth)
			r = walk_up(&w);
		else if ((r = remove_name(dirfd, name)) == 0)
			return OCIB_OK;
	}
	return ob_fail_errno(err, "remove what is in '%s'", name);
}
