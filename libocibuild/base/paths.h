/* base/paths.h — paths as text: no file system is asked here.
 *
 * "image path" below means what an image's tree uses: absolute when it begins with '/', '/' the root.
 * "entry path" means what a layer's entries use: clean, relative, no leading or trailing '/', "" the
 * root itself.
 */
#ifndef OB_BASE_PATHS_H
#define OB_BASE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/** Go's path.Clean: "." for empty; malloc'ed, NULL when out of memory. */
char *ob_path_clean(const char *path);
/** Clean(dir + "/" + path), or Clean(path) when path is absolute. */
char *ob_path_join(const char *dir, const char *path);
/** Any image path to an entry path: cleaned as absolute, so ".." stops at the root. */
char *ob_path_to_entry(const char *path);
/** What follows the last '/', borrowed from path: "" where it ends in one. Clean it first. */
const char *ob_path_base(const char *path);
/** Length of the parent part of an entry path (0: the parent is the root). */
size_t ob_path_parent_len(const char *entry_path);
/** Is @p path equal to @p dir or below it? Both entry paths; "" contains all. */
bool ob_path_is_below(const char *path, const char *dir);
/**
 * The order of entries in a layer: bytewise with '/' before every other byte, so that a directory
 * comes before what is in it and its whole subtree is one run.
 */
int ob_path_compare(const char *a, const char *b);

#endif
