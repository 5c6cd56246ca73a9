/* base/paths.c — paths as text; see paths.h for what "image path" and "entry path" mean. */
#include "base/paths.h"
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

/*
 * Clean path into out (strlen(path) + 2 bytes suffice). A rooted path drops ".." at the root, a relative
 * one keeps leading "..".
 */
static size_t clean_into(const char *path, bool rooted, char *out)
{
	size_t len = 0, floor; /* floor: what ".." may not take away */

	if (rooted)
		out[len++] = '/';
	floor = len;
	while (*path) {
		size_t part = strcspn(path, "/");

		if (part == 0 || (part == 1 && path[0] == '.')) {
			/* nothing to add */
		} else if (part == 2 && path[0] == '.' && path[1] == '.' && len > floor) {
			while (len > floor && out[len - 1] != '/')
				len--;
			if (len > floor)
				len--;
		} else if (part == 2 && path[0] == '.' && path[1] == '.' && rooted) {
			/* ".." of the root is the root */
		} else {
			bool is_parent = part == 2 && path[0] == '.' && path[1] == '.';

			if (len > (size_t)rooted)
				out[len++] = '/';
			memmove(out + len, path, part);
			len += part;
			if (is_parent)
				floor = len;
		}
		path += part + (path[part] == '/');
	}
	if (len == 0)
		out[len++] = '.';
	out[len] = '\0';
	return len;
}

char *ob_path_clean(const char *path)
{
	char *out = malloc(strlen(path) + 2);

	if (out)
		clean_into(path, path[0] == '/', out);
	return out;
}

char *ob_path_join(const char *dir, const char *path)
{
	size_t dir_len = strlen(dir), path_len = strlen(path);
	ob_autofree char *joined = NULL;

	if (path[0] == '/' || dir_len == 0)
		return ob_path_clean(path);
	joined = malloc(dir_len + path_len + 2);
	if (!joined)
		return NULL;
	memcpy(joined, dir, dir_len);
	joined[dir_len] = '/';
	memcpy(joined + dir_len + 1, path, path_len + 1);
	return ob_path_clean(joined);
}

char *ob_path_to_entry(const char *path)
{
	char *out = malloc(strlen(path) + 2);

	if (!out)
		return NULL;
	size_t len = clean_into(path, true, out);
	memmove(out, out + 1, len);
	return out;
}

const char *ob_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

size_t ob_path_parent_len(const char *entry_path)
{
	const char *slash = strrchr(entry_path, '/');

	return slash ? (size_t)(slash - entry_path) : 0;
}

bool ob_path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return len == 0 || (strncmp(path, dir, len) == 0 && (path[len] == '/' || !path[len]));
}

int ob_path_compare(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	if (*a == *b)
		return 0;
	if (!*a || !*b)
		return *a ? 1 : -1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}
