/* base/root_make.c — mkdir -p inside a tree that came from outside.
 *
 * The walk is done by hand, because no system call makes the target of a dangling link's parents. Each
 * component is looked at in a directory that the kernel resolved inside the root. Who calls this makes
 * sure that nothing else changes the tree meanwhile.
 */
#include "base/root_make.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/buffer.h"
#include "base/fds.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"

/* Where the walk is: an entry path without links, and what is still to go. */
typedef struct walk {
	int rootfd;
	const ob_root_make_options *options;
	char *resolved;
	char *rest;
	unsigned links;
} walk;

static void walk_done(walk *w)
{
	free(w->resolved);
	free(w->rest);
}

static int make_one(const walk *w, int parent, const char *name, bool is_dir)
{
	ob_autofd int fd = -1;

	if (is_dir) {
		if (mkdirat(parent, name, 0755) < 0)
			return -1;
	} else {
		fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
		if (fd < 0)
			return -1;
	}
	if (!w->options->uid && !w->options->gid)
		return 0;
	return fchownat(parent, name, w->options->uid, w->options->gid, AT_SYMLINK_NOFOLLOW);
}

/* Follow a link: its text goes in front of what is still to go. */
static int expand_link(walk *w, int parent, const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(parent, name, text, sizeof(text) - 1);

	if (n < 0)
		return -1;
	if (++w->links > OB_LIMIT_SYMLINKS) {
		errno = ELOOP;
		return -1;
	}
	text[n] = '\0';
	char *rest = ob_str_printf("%s/%s", text, w->rest);
	if (!rest)
		return -1;
	free(w->rest);
	w->rest = rest;
	if (text[0] == '/')
		w->resolved[0] = '\0';
	return 0;
}

/* Take the next component off the front of what is still to go. */
static int take_component(walk *w, char **name)
{
	size_t skip = strspn(w->rest, "/"), len = strcspn(w->rest + skip, "/");
	size_t after = skip + len + strspn(w->rest + skip + len, "/");

	*name = strndup(w->rest + skip, len);
	if (!*name)
		return -1;
	memmove(w->rest, w->rest + after, strlen(w->rest + after) + 1);
	return 0;
}

static int step_over(walk *w, const char *name, ob_strlist *made)
{
	ob_autofree char *next =
		*w->resolved ? ob_str_printf("%s/%s", w->resolved, name) : strdup(name);
	ob_autofd int parent = ob_fs_resolve(w->rootfd, w->resolved, O_RDONLY | O_DIRECTORY, 0);
	struct stat st, before;

	if (!next || parent < 0)
		return -1;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode))
			return expand_link(w, parent, name);
	} else {
		if (errno != ENOENT || fstat(parent, &before) < 0 ||
		    make_one(w, parent, name, *w->rest || !w->options->is_file) < 0)
			return -1;
		struct timespec times[2] = {before.st_atim, before.st_mtim};
		if (w->options->keep_times && futimens(parent, times) < 0)
			return -1;
		if (made && ob_strlist_add(made, next) < 0)
			return -1;
	}
	free(w->resolved);
	w->resolved = ob_take_ptr(next);
	return 0;
}

static int walk_once(walk *w, ob_strlist *made)
{
	ob_autofree char *name = NULL;

	if (take_component(w, &name) < 0)
		return -1;
	if (ob_str_eq(name, "") || ob_str_eq(name, "."))
		return 0;
	if (!ob_str_eq(name, ".."))
		return step_over(w, name, made);
	w->resolved[ob_path_parent_len(w->resolved)] = '\0';
	return 0;
}

ocib_errc ob_root_make(int rootfd, const char *path, const ob_root_make_options *options,
		       ob_strlist *made, ocib_error **err)
{
	ob_autodone(walk) w = {
		.rootfd = rootfd,
		.options = options,
		.resolved = strdup(""),
		.rest = strdup(path),
	};

	if (!w.resolved || !w.rest)
		return ob_fail_nomem(err);
	while (*w.rest)
		if (walk_once(&w, made) < 0)
			return ob_fail_errno(err, "make '%s' in the tree", path);
	return OCIB_OK;
}
