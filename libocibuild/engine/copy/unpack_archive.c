/* engine/copy/unpack_archive.c — ADD of an archive: its content goes into the destination.
 *
 * As `tar -x` with the destination as root: what is there is replaced, but directories are joined with
 * directories, and links that are in the way are followed inside the destination. The archive's own root
 * says nothing about the destination. Owners are the archive's, or --chown's; --chmod has no say.
 *
 * Contents come in the archive's order and go out in the layer's, so they are put down in a temporary
 * file of the store in between.
 */
#include <string.h>
#include "base/fds.h"
#include "base/paths.h"
#include "base/strings.h"
#include "engine/copy/context_source.h"
#include "engine/copy/copy_inside.h"
#include "layer/tar_reader.h"

#define SPOOL_BUFFER (256 * 1024)

typedef struct unpacking {
	ob_copy_job *job;
	ob_tar_reader *tar;
	const char *dest; /* entry path, links followed */
	char *buffer;
} unpacking;

static ocib_errc spool_content(unpacking *u, ob_target_node *node, ocib_error **err)
{
	ob_copy_job *job = u->job;
	ocib_errc r = OCIB_OK;

	if (!job->spool)
		r = ob_blob_writer_open(job->input.store, &job->spool, err);
	node->content = (ob_content){.kind = OB_CONTENT_SPOOL, .offset = job->spool_len};
	while (!r) {
		size_t got = 0;

		r = ob_tar_reader_read(u->tar, u->buffer, SPOOL_BUFFER, &got, err);
		if (r || got == 0)
			break;
		if (ob_write_full(ob_blob_writer_fd(job->spool), u->buffer, got) < 0)
			return ob_fail_errno(err, "write a temporary file");
		job->spool_len += got;
	}
	node->size = job->spool_len - node->content.offset;
	return r;
}

/* The place of an archive's name: links in its parents followed, missing ones made. */
static ocib_errc find_place(unpacking *u, const char *name, bool make, char **out, ocib_error **err)
{
	const ob_new_dirs how = {.mode = 0755, .mtime_sec = u->job->now};
	ob_autofree char *parent = strndup(name, ob_path_parent_len(name));
	ob_autofree char *dir = NULL;
	ocib_errc r = parent ? ob_target_resolve(u->job->target, u->dest, parent, &dir, err)
			     : ob_fail_nomem(err);

	if (!r && make)
		r = ob_target_make_dirs(u->job->target, dir, &how, err);
	if (r)
		return r;
	*out = ob_str_printf("%s%s%s", dir, *dir ? "/" : "", ob_path_base(name));
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc set_xattrs(ob_target_node *node, const ob_entry *entry, ocib_error **err)
{
	if (!entry->xattr_count)
		return OCIB_OK;
	node->extra = calloc(1, sizeof(*node->extra));
	if (!node->extra)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < entry->xattr_count; i++)
		if (ob_entry_add_xattr(node->extra, entry->xattrs[i].name, entry->xattrs[i].value,
				       entry->xattrs[i].len) < 0)
			return ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc set_link(const unpacking *u, ob_target_node *node, const char *link,
			  ocib_error **err)
{
	if (!link)
		return OCIB_OK;
	node->link = ob_target_text(u->job->target, link);
	return node->link ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc set_attributes(unpacking *u, ob_target_node *node, const ob_entry *entry,
				ocib_error **err)
{
	const ob_copy_job *job = u->job;

	node->mode = entry->type == OB_ENTRY_SYMLINK ? 0777 : entry->mode;
	node->uid = job->has_owner ? job->uid : entry->uid;
	node->gid = job->has_owner ? job->gid : entry->gid;
	node->mtime_sec = entry->mtime_sec;
	node->dev_major = entry->dev_major;
	node->dev_minor = entry->dev_minor;
	return set_xattrs(node, entry, err);
}

static ocib_errc put(unpacking *u, const char *path, ob_entry_type type, ob_target_node **out,
		     ocib_error **err)
{
	ob_target_view view = ob_target_look(u->job->target, path);

	return ob_target_put(u->job->target, path, &view, type, out, err);
}

/* One more name for a node of ours. */
static ocib_errc link_to_node(unpacking *u, ob_target_node *first, const char *path,
			      ocib_error **err)
{
	const ob_entry no_xattrs = {0};
	ob_target_node *node = NULL;

	if (!first->group)
		first->group = ++u->job->group_count;
	ocib_errc r = put(u, path, first->type, &node, err);
	if (!r)
		r = set_xattrs(node, first->extra ? first->extra : &no_xattrs, err);
	if (!r)
		r = set_link(u, node, first->link, err);
	if (r)
		return r;
	node->file = first->file;
	node->content = first->content;
	node->size = first->size;
	node->dev_major = first->dev_major;
	node->dev_minor = first->dev_minor;
	node->group = first->group;
	node->mode = first->mode;
	node->uid = first->uid;
	node->gid = first->gid;
	node->mtime_sec = first->mtime_sec;
	return OCIB_OK;
}

/* A link to a file of the base: a layer cannot say that, so the file is in it once more. */
static ocib_errc link_to_base(unpacking *u, const ob_found *found, const char *path,
			      ocib_error **err)
{
	const ob_entry *entry = found->entry;
	ob_target_node *node = NULL;
	ocib_errc r = put(u, path, entry->type, &node, err);

	if (!r)
		r = set_attributes(u, node, entry, err);
	if (!r && entry->type == OB_ENTRY_SYMLINK)
		r = set_link(u, node, entry->link, err);
	if (r)
		return r;
	if (entry->type == OB_ENTRY_FILE)
		node->content = (ob_content){.kind = OB_CONTENT_BASE, .found = *found};
	node->size = entry->size;
	return OCIB_OK;
}

static ocib_errc add_hard_link(unpacking *u, const ob_entry *entry, const char *path,
			       ocib_error **err)
{
	ob_autofree char *target = NULL;
	ocib_errc r = find_place(u, entry->link, false, &target, err);

	if (r)
		return r;
	ob_target_view view = ob_target_look(u->job->target, target);
	if (!view.type || view.type == OB_ENTRY_DIR)
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "'%s' is a hard link to '%s', which is not there", entry->path,
			       entry->link);
	if (ob_str_eq(target, path))
		return OCIB_OK;
	return view.node ? link_to_node(u, view.node, path, err)
			 : link_to_base(u, &view.base, path, err);
}

static ocib_errc add_entry(unpacking *u, const ob_entry *entry, ocib_error **err)
{
	ob_autofree char *path = NULL;
	ob_target_node *node = NULL;

	if (!*entry->path)
		return OCIB_OK;
	ocib_errc r = find_place(u, entry->path, true, &path, err);
	if (r)
		return r;
	if (entry->type == OB_ENTRY_HARDLINK)
		return add_hard_link(u, entry, path, err);
	r = put(u, path, entry->type, &node, err);
	if (!r)
		r = set_attributes(u, node, entry, err);
	if (!r && entry->type == OB_ENTRY_SYMLINK)
		r = set_link(u, node, entry->link, err);
	if (!r && entry->type == OB_ENTRY_FILE)
		r = spool_content(u, node, err);
	return r;
}

static ocib_errc unpack_all(ob_copy_job *job, const ob_copy_match *match, int fd, const char *dest,
			    ocib_error **err)
{
	const ob_tar_reader_options options = {
		.any_archive = true,
		.what = match->remote ? match->name : match->files.items[0].path,
	};
	ob_auto(ob_reader) input = NULL;
	ob_auto(ob_tar_reader) tar = NULL;
	ob_autofree char *buffer = malloc(SPOOL_BUFFER);
	const ob_entry *entry = NULL;
	ocib_errc r = buffer ? ob_reader_open_range(fd, false, 0, UINT64_MAX, &input, err)
			     : ob_fail_nomem(err);

	if (!r)
		r = ob_tar_reader_open(input, &options, &tar, err);
	unpacking u = {job, tar, dest, buffer};
	while (!r) {
		r = ob_check_canceled(job->ctx, err);
		if (!r)
			r = ob_tar_reader_next(tar, &entry, err);
		if (r || !entry)
			break;
		r = add_entry(&u, entry, err);
	}
	return r;
}

/* The file of a match where it may be an archive; *fd stays -1 where it cannot. */
static ocib_errc open_match(const ob_copy_job *job, const ob_copy_match *match, int *fd,
			    ocib_error **err)
{
	const ob_copy_file *file = match->files.len ? &match->files.items[0] : NULL;
	const ob_remote_file *remote = match->remote;

	if (remote)
		return ob_store_open_blob(job->input.store, &remote->digest, remote->size, fd, err);
	if (!file || file->type != OB_ENTRY_FILE || !match->scan)
		return OCIB_OK;
	return ob_context_open_file(match->scan, file, fd, err);
}

/* Was what was read from @fd what it should be? */
static ocib_errc check_match(const ob_copy_match *match, int fd, ocib_error **err)
{
	const ob_remote_file *remote = match->remote;
	ob_auto(ob_reader) plain = NULL;
	ob_auto(ob_reader) verified = NULL;
	ob_auto(ob_writer) nowhere = NULL;

	if (!remote)
		return ob_context_check_file(&match->files.items[0], fd, err);
	ocib_errc r = ob_reader_open_range(fd, false, 0, UINT64_MAX, &plain, err);
	if (!r)
		r = ob_reader_open_verify(ob_take_ptr(plain), remote->digest.bytes, remote->size,
					  remote->digest.text, &verified, err);
	if (!r)
		r = ob_writer_open_null(&nowhere, err);
	return r ? r : ob_stream_copy(verified, nowhere, NULL, err);
}

ocib_errc ob_copy_unpack(ob_copy_job *job, const ob_copy_match *match, bool *done, ocib_error **err)
{
	ob_new_dirs how = ob_copy_new_dirs(job);
	ob_autofree char *dest = NULL;
	ob_autofd int fd = -1;
	ocib_errc r = open_match(job, match, &fd, err);

	if (!r && fd >= 0)
		r = ob_archive_detect(fd, done, err);
	if (r || !*done)
		return r;
	how.mode = 0755;
	r = ob_target_resolve(job->target, "", ob_job_op(job)->dest, &dest, err);
	if (!r)
		r = ob_target_make_dirs(job->target, dest, &how, err);
	if (!r)
		r = unpack_all(job, match, fd, dest, err);
	return r ? r : check_match(match, fd, err);
}
