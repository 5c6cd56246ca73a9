/* base/root_make.h — mkdir -p inside a tree that came from outside: links never lead out of it. */
#ifndef OB_BASE_ROOT_MAKE_H
#define OB_BASE_ROOT_MAKE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/strlist.h"

typedef struct ob_root_make_options {
	bool is_file;      /**< the last component is made as an empty file, not as a directory */
	uint32_t uid, gid; /**< owner of what is made */
	bool keep_times;   /**< put back the times of the directories that something is made in */
} ob_root_make_options;

/**
 * Make @p path (an image path) and its parents as far as they are missing, following symbolic links
 * inside the root, also dangling ones. @p made (may be NULL) gets the entry path of each thing made,
 * parents first.
 */
ocib_errc ob_root_make(int rootfd, const char *path, const ob_root_make_options *options,
		       ob_strlist *made, ocib_error **err);

#endif
