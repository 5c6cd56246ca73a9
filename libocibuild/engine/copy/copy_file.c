/* engine/copy/copy_file.c — see copy_file.h. */
#include "engine/copy/copy_file.h"

void ob_copy_file_done(ob_copy_file *file)
{
	if (file->owns_xattrs) {
		for (size_t i = 0; i < file->xattr_count; i++) {
			free(file->xattrs[i].name);
			free(file->xattrs[i].value);
		}
		free(file->xattrs);
	}
	*file = (ob_copy_file){0};
}

void ob_copy_files_done(ob_copy_files *files)
{
	for (size_t i = 0; i < files->len; i++)
		ob_copy_file_done(&files->items[i]);
	free(files->items);
	*files = (ob_copy_files){0};
}

int ob_copy_files_take(ob_copy_files *files, ob_copy_file *file)
{
	if (files->len == files->cap) {
		size_t cap = files->cap ? files->cap + files->cap / 2 : 8;
		ob_copy_file *grown = reallocarray(files->items, cap, sizeof(*grown));

		if (!grown)
			return -1;
		files->items = grown;
		files->cap = cap;
	}
	files->items[files->len++] = *file;
	*file = (ob_copy_file){0};
	return 0;
}
