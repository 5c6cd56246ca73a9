/* engine/copy/copy_place.c — where copied things go, and what they look like there.
 *
 * The rules are BuildKit's. The destination's links are followed, parents are made; a file goes into a
 * destination that is a directory, a directory's content goes to the destination itself. A directory that
 * is there keeps its attributes when it is the destination, and gets the source's when it is below it.
 * A file replaces anything but a directory; a directory replaces nothing.
 */
#include <string.h>
#include "base/paths.h"
#include "base/strings.h"
#include "engine/copy/chmod_text.h"
#include "engine/copy/copy_inside.h"

ob_new_dirs ob_copy_new_dirs(const ob_copy_job *job)
{
	return (ob_new_dirs){
		.mode = job->has_mode ? job->mode & 0777 : 0755,
		.uid = job->has_owner ? job->uid : 0,
		.gid = job->has_owner ? job->gid : 0,
		.mtime_sec = job->now,
	};
}

static void set_owner(const ob_copy_job *job, ob_target_node *node, uint32_t uid, uint32_t gid)
{
	bool keeps = ob_job_op(job)->keep_owner;

	node->uid = job->has_owner ? job->uid : keeps ? uid : 0;
	node->gid = job->has_owner ? job->gid : keeps ? gid : 0;
}

static uint32_t new_mode(const ob_copy_job *job, ob_entry_type type, uint32_t mode)
{
	const char *chmod = ob_job_op(job)->chmod;

	if (type == OB_ENTRY_SYMLINK)
		return 0777;
	if (job->has_mode)
		return job->mode;
	return chmod ? ob_chmod_apply(chmod, mode, type == OB_ENTRY_DIR) : mode;
}

static ocib_errc add_xattrs(ob_entry *to, const ob_xattr *xattrs, size_t count, ocib_error **err)
{
	for (size_t i = 0; i < count; i++)
		if (ob_entry_add_xattr(to, xattrs[i].name, xattrs[i].value, xattrs[i].len) < 0)
			return ob_fail_nomem(err);
	return OCIB_OK;
}

/* The attributes of the directory that is at a place now, apart from its mode; xattrs are copied. */
static ocib_errc read_dir(const ob_target_view *view, ob_entry *out, ocib_error **err)
{
	const ob_target_node *node = view->node;
	const ob_entry *entry = view->base.entry;

	if (node) {
		out->uid = node->uid;
		out->gid = node->gid;
		out->mtime_sec = node->mtime_sec;
		if (!node->extra && node->file)
			return add_xattrs(out, node->file->xattrs, node->file->xattr_count, err);
		entry = node->extra;
	} else if (entry) {
		out->uid = entry->uid;
		out->gid = entry->gid;
		out->mtime_sec = entry->mtime_sec;
	}
	return entry ? add_xattrs(out, entry->xattrs, entry->xattr_count, err) : OCIB_OK;
}

/* The source's attributes; of a directory that was there, xattrs stay that the source does not have. */
static ocib_errc dress_dir(const ob_copy_job *job, ob_target_node *node, ob_copy_file *file,
			   ob_entry *before, ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	node->mode = new_mode(job, OB_ENTRY_DIR, file->mode);
	node->mtime_sec = file->mtime_sec;
	node->file = file;
	set_owner(job, node, file->uid, file->gid);
	if (before->xattr_count)
		r = add_xattrs(before, file->xattrs, file->xattr_count, err);
	return r;
}

static ocib_errc place_dir(ob_copy_job *job, ob_copy_file *file, const char *path, ocib_error **err)
{
	ob_autodone(ob_entry) before = {0};
	ob_target_view view = ob_target_look(job->target, path);
	ob_target_node *node = NULL;
	bool existed = view.type == OB_ENTRY_DIR;

	if (view.type && !existed)
		return ob_fail(err, OCIB_ERR_SYNTAX, "cannot copy to non-directory: /%s", path);
	ocib_errc r = read_dir(&view, &before, err);
	if (!r)
		r = ob_target_put(job->target, path, &view, OB_ENTRY_DIR, &node, err);
	if (r)
		return r;
	if (existed && file->implied) {
		/* On the way to something else it only lends its mode, as it is. */
		node->mode = file->mode;
		node->uid = before.uid;
		node->gid = before.gid;
		node->mtime_sec = before.mtime_sec;
	} else {
		r = dress_dir(job, node, file, &before, err);
	}
	if (r || !before.xattr_count)
		return r;
	node->extra = malloc(sizeof(*node->extra));
	if (!node->extra)
		return ob_fail_nomem(err);
	*node->extra = before;
	before = (ob_entry){0};
	return OCIB_OK;
}

/* Room for anything but a directory. */
static ocib_errc put_file(ob_copy_job *job, const char *path, ob_entry_type type,
			  ob_target_node **out, ocib_error **err)
{
	ob_target_view view = ob_target_look(job->target, path);

	if (view.type == OB_ENTRY_DIR)
		return ob_fail(err, OCIB_ERR_SYNTAX, "cannot replace to directory /%s with file",
			       path);
	return ob_target_put(job->target, path, &view, type, out, err);
}

static ocib_errc place_file(ob_copy_job *job, const ob_copy_match *match, ob_copy_file *file,
			    const char *path, ocib_error **err)
{
	ob_target_node *node = NULL;
	ocib_errc r = put_file(job, path, file->type, &node, err);

	if (r)
		return r;
	node->file = file;
	if (file->type == OB_ENTRY_FILE)
		node->content = (ob_content){.kind = OB_CONTENT_SOURCE, .source = match->source};
	node->size = file->size;
	node->link = file->link;
	node->dev_major = file->dev_major;
	node->dev_minor = file->dev_minor;
	node->group = file->group;
	node->mode = new_mode(job, file->type, file->mode);
	node->mtime_sec = file->mtime_sec;
	set_owner(job, node, file->uid, file->gid);
	return OCIB_OK;
}

static ocib_errc place_inline(ob_copy_job *job, const ob_copy_source *from, const char *path,
			      ocib_error **err)
{
	ob_target_node *node = NULL;
	ocib_errc r = put_file(job, path, OB_ENTRY_FILE, &node, err);

	if (r)
		return r;
	node->content = (ob_content){.kind = OB_CONTENT_INLINE, .data = from->data};
	node->size = from->data_len;
	node->mode = new_mode(job, OB_ENTRY_FILE, 0644);
	node->mtime_sec = job->now;
	set_owner(job, node, 0, 0);
	return OCIB_OK;
}

static ocib_errc place_remote(ob_copy_job *job, const ob_remote_file *file, const char *path,
			      ocib_error **err)
{
	ob_target_node *node = NULL;
	ocib_errc r = put_file(job, path, OB_ENTRY_FILE, &node, err);

	if (r)
		return r;
	node->content = (ob_content){.kind = OB_CONTENT_BLOB, .blob = &file->digest};
	node->size = file->size;
	node->mode = new_mode(job, OB_ENTRY_FILE, 0600);
	node->mtime_sec = file->mtime;
	set_owner(job, node, 0, 0);
	return OCIB_OK;
}

/* Everything below the root of a match, each at its place below @p dest. */
static ocib_errc place_content(ob_copy_job *job, ob_copy_match *match, const char *dest,
			       ocib_error **err)
{
	size_t root_len = strlen(match->root);
	ocib_errc r = OCIB_OK;

	for (size_t i = 1; i < match->files.len && !r; i++) {
		ob_copy_file *file = &match->files.items[i];
		const char *relative = file->path + root_len + (root_len > 0);
		ob_autofree char *path = ob_str_printf("%s%s%s", dest, *dest ? "/" : "", relative);

		if (!path)
			return ob_fail_nomem(err);
		r = file->type == OB_ENTRY_DIR ? place_dir(job, file, path, err)
					       : place_file(job, match, file, path, err);
	}
	return r;
}

/* Parents of the destination as it is written; a trailing '/' makes the last component one of them. */
static ocib_errc make_parents(ob_copy_job *job, const char *dest, ocib_error **err)
{
	const ob_new_dirs how = ob_copy_new_dirs(job);
	const char *slash = strrchr(dest, '/');
	ob_autofree char *dir = strndup(dest, slash ? (size_t)(slash - dest) : 0);
	ob_autofree char *resolved = NULL;
	ocib_errc r =
		dir ? ob_target_resolve(job->target, "", dir, &resolved, err) : ob_fail_nomem(err);

	return r ? r : ob_target_make_dirs(job->target, resolved, &how, err);
}

/* The directory that gets a directory's content. The top of a context is nobody's: it has no attributes. */
static ocib_errc make_dest(ob_copy_job *job, ob_copy_match *match, const char *dest,
			   ocib_error **err)
{
	const ob_new_dirs how = ob_copy_new_dirs(job);

	if (ob_job_op(job)->as_mount && (*match->root || ob_job_op(job)->keep_owner))
		return place_dir(job, &match->files.items[0], dest, err);
	return ob_target_make_dirs(job->target, dest, &how, err);
}

static ocib_errc place_one(ob_copy_job *job, ob_copy_match *match, const char *dest,
			   ocib_error **err)
{
	ob_copy_file *root = match->files.len ? &match->files.items[0] : NULL;
	const ob_new_dirs how = ob_copy_new_dirs(job);
	ob_target_view view = ob_target_look(job->target, dest);
	ob_autofree char *path = NULL, *parent = NULL;
	ocib_errc r;

	if (root && root->type == OB_ENTRY_DIR) {
		if (view.type && view.type != OB_ENTRY_DIR)
			return ob_fail(err, OCIB_ERR_SYNTAX, "cannot copy to non-directory: /%s",
				       dest);
		r = make_dest(job, match, dest, err);
		return r ? r : place_content(job, match, dest, err);
	}
	if (view.type == OB_ENTRY_DIR)
		path = ob_str_printf("%s%s%s", dest, *dest ? "/" : "", match->name);
	else
		path = strdup(dest);
	parent = path ? strndup(path, ob_path_parent_len(path)) : NULL;
	if (!parent)
		return ob_fail_nomem(err);
	r = ob_target_make_dirs(job->target, parent, &how, err);
	if (r)
		return r;
	if (match->remote)
		return place_remote(job, match->remote, path, err);
	return root ? place_file(job, match, root, path, err)
		    : place_inline(job, match->from, path, err);
}

ocib_errc ob_copy_place(ob_copy_job *job, ob_copy_match *match, ocib_error **err)
{
	const ob_copy_op *op = ob_job_op(job);
	bool by_default = op->is_add && match->from->kind == OB_COPY_PATHS;
	bool unpack = op->unpack < 0 ? by_default : op->unpack == 1;
	bool done = false;
	ob_autofree char *dest = NULL;
	ocib_errc r = unpack ? ob_copy_unpack(job, match, &done, err) : OCIB_OK;

	if (r || done)
		return r;
	r = make_parents(job, op->dest, err);
	if (!r)
		r = ob_target_resolve(job->target, "", op->dest, &dest, err);
	return r ? r : place_one(job, match, dest, err);
}
