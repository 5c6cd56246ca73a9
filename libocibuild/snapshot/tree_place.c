/* snapshot/tree_place.c — parents of entries, found once per directory and never outside the root. */
#include "snapshot/tree_place.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/paths.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

void ob_tree_place_done(ob_tree_place *place)
{
	ob_closep(&place->parent_fd);
	place->parent_fd = -1;
	free(place->parent);
	place->parent = NULL;
}

static ocib_errc fail_in_the_way(const char *path, ocib_error **err)
{
	if (errno == ENOTDIR || errno == ELOOP)
		return ob_fail(err, OCIB_ERR_CORRUPT, "'%s' is not a directory", path);
	return ob_fail_errno(err, "open '%s' in the tree", path);
}

static ocib_errc make_component(ob_tree_place *place, const char *path, size_t start, size_t end,
				ocib_error **err)
{
	ob_autofree char *above = start ? strndup(path, start - 1) : strdup(".");
	ob_autofree char *name = strndup(path + start, end - start);
	ob_autofd int fd = -1;

	if (!above || !name)
		return ob_fail_nomem(err);
	fd = ob_fs_resolve(place->rootfd, above, DIR_FLAGS, 0);
	if (fd < 0)
		return fail_in_the_way(above, err);
	if (mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
		return ob_fail_errno(err, "make '%.*s' in the tree", (int)end, path);
	return OCIB_OK;
}

/* Make what is missing of a directory path, one component after the other. */
static ocib_errc make_parents(ob_tree_place *place, const char *path, ocib_error **err)
{
	size_t end = 0;

	do {
		size_t start = end ? end + 1 : 0;

		end = start + strcspn(path + start, "/");
		ocib_errc r = make_component(place, path, start, end, err);
		if (r != OCIB_OK)
			return r;
	} while (path[end]);
	return OCIB_OK;
}

static ocib_errc open_parent(ob_tree_place *place, const char *parent, bool make, ocib_error **err)
{
	const char *where = *parent ? parent : ".";
	int fd = ob_fs_resolve(place->rootfd, where, DIR_FLAGS, 0);

	if (fd < 0 && errno == ENOENT && !make)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "'%s' is not in the tree", parent);
	if (fd < 0 && errno == ENOENT) {
		ocib_errc r = make_parents(place, parent, err);

		if (r != OCIB_OK)
			return r;
		fd = ob_fs_resolve(place->rootfd, where, DIR_FLAGS, 0);
	}
	if (fd < 0)
		return fail_in_the_way(parent, err);
	place->parent_fd = fd;
	return OCIB_OK;
}

ocib_errc ob_tree_place_open(ob_tree_place *place, const char *path, bool make, int *dirfd,
			     const char **name, ocib_error **err)
{
	size_t len = ob_path_parent_len(path);

	*name = len ? path + len + 1 : path;
	if (place->parent_fd >= 0 && strlen(place->parent) == len &&
	    memcmp(place->parent, path, len) == 0) {
		*dirfd = place->parent_fd;
		return OCIB_OK;
	}
	ob_tree_place_done(place);
	ob_autofree char *parent = strndup(path, len);
	if (!parent)
		return ob_fail_nomem(err);
	ocib_errc r = open_parent(place, parent, make, err);
	if (r != OCIB_OK)
		return r;
	place->parent = ob_take_ptr(parent);
	*dirfd = place->parent_fd;
	return OCIB_OK;
}
