/* engine/copy/hard_links.c — which files of a copy are one file under several names.
 *
 * In a local directory that is the inode; in a tree, the entry that the names lead to. Most copies have
 * none, so only files that could have a second name are looked at.
 */
#include <stdio.h>
#include "base/map.h"
#include "base/strings.h"
#include "engine/copy/copy_inside.h"

/* Files of one identity get one number; @p key names the identity. */
static ocib_errc number(ob_copy_job *job, ob_map *seen, const char *key, ob_copy_file *file,
			ocib_error **err)
{
	ob_copy_file *first = ob_map_get(seen, key);

	if (!first)
		return ob_map_set(seen, key, file) < 0 ? ob_fail_nomem(err) : OCIB_OK;
	if (!first->group)
		first->group = ++job->group_count;
	file->group = first->group;
	return OCIB_OK;
}

/* In a tree a second name shows as an entry that lies at another path; find the entries of which that is so. */
static ocib_errc find_linked(const ob_copy_files *files, ob_map *linked, ocib_error **err)
{
	char key[32];

	for (size_t i = 0; i < files->len; i++) {
		const ob_copy_file *file = &files->items[i];
		const ob_entry *entry = file->found.entry;

		if (file->type != OB_ENTRY_FILE || !entry || ob_str_eq(entry->path, file->path))
			continue;
		(void)snprintf(key, sizeof(key), "%p", (const void *)entry);
		if (ob_map_set(linked, key, linked) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static ocib_errc group_tree_files(ob_copy_job *job, ob_copy_files *files, ocib_error **err)
{
	ob_auto(ob_map) linked = ob_map_new(NULL);
	ob_auto(ob_map) seen = ob_map_new(NULL);
	char key[32];

	if (!linked || !seen)
		return ob_fail_nomem(err);
	ocib_errc r = find_linked(files, linked, err);
	for (size_t i = 0; i < files->len && !r && ob_map_len(linked); i++) {
		ob_copy_file *file = &files->items[i];

		if (file->type != OB_ENTRY_FILE)
			continue;
		(void)snprintf(key, sizeof(key), "%p", (const void *)file->found.entry);
		if (ob_map_get(linked, key))
			r = number(job, seen, key, file, err);
	}
	return r;
}

static ocib_errc group_local_files(ob_copy_job *job, ob_copy_files *files, ocib_error **err)
{
	ob_auto(ob_map) seen = ob_map_new(NULL);
	char key[64];
	ocib_errc r = OCIB_OK;

	if (!seen)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < files->len && !r; i++) {
		ob_copy_file *file = &files->items[i];

		if (file->type != OB_ENTRY_FILE || file->stamp.links < 2)
			continue;
		(void)snprintf(key, sizeof(key), "%jx:%jx", (uintmax_t)file->stamp.dev,
			       (uintmax_t)file->stamp.ino);
		r = number(job, seen, key, file, err);
	}
	return r;
}

ocib_errc ob_copy_group_links(ob_copy_job *job, ob_copy_match *match, ocib_error **err)
{
	return match->scan ? group_local_files(job, &match->files, err)
			   : group_tree_files(job, &match->files, err);
}
