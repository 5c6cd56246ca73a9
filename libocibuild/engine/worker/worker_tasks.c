/* engine/worker/worker_tasks.c — unpack a layer, write a layer, remove trees: in the worker.
 *
 * These need the ids of the namespace and overlayfs, nothing else of a sandbox. A tree appears under its
 * name complete or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/worker/diff_id_reader.h"
#include "engine/worker/read_ahead.h"
#include "engine/worker/worker_serve.h"
#include "layer/layer_blob.h"
#include "layer/layer_writer.h"
#include "sandbox/json_bytes.h"
#include "sandbox/overlay_mount.h"
#include "snapshot/apply.h"
#include "snapshot/diff.h"

/* An unpack request, and where it works. */
typedef struct unpacking {
	ob_worker_self *self;
	char *blob, *index, *target, *temp;
	ob_strlist lowers;
	char *tree, *work; /* in temp */
	uint32_t threads;
	ob_digest diff_id;   /* unset: not asked for */
	const ob_json *root; /* attributes of the top directory, or NULL; borrowed */
} unpacking;

static void unpacking_done(unpacking *u)
{
	free(u->blob);
	free(u->index);
	free(u->target);
	free(u->temp);
	free(u->tree);
	free(u->work);
	ob_strlist_done(&u->lowers);
}

static ocib_errc read_unpacking(const ob_json *request, unpacking *u, ocib_error **err)
{
	int64_t threads = 1;
	ocib_errc r = ob_json_take_path(request, "blob", &u->blob, err);

	if (r == OCIB_OK)
		r = ob_json_take_path(request, "index", &u->index, err);
	if (r == OCIB_OK)
		r = ob_json_take_bytes(request, "target", &u->target, NULL, err);
	if (r == OCIB_OK)
		r = ob_json_take_bytes(request, "temp", &u->temp, NULL, err);
	if (r == OCIB_OK)
		r = ob_json_take_paths(request, "lowers", &u->lowers, err);
	if (r < 0)
		return r;
	(void)ob_json_get_i64(request, "threads", &threads);
	u->threads = threads > 0 ? (uint32_t)threads : 1;
	u->root = ob_json_get(request, "root");
	if (ob_json_get_str(request, "diff_id"))
		r = ob_digest_parse(ob_json_get_str(request, "diff_id"), &u->diff_id, err);
	if (r < 0)
		return r;
	u->tree = ob_str_printf("%s/tree", u->temp);
	u->work = ob_str_printf("%s/work", u->temp);
	return u->tree && u->work ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc open_root(const unpacking *u, int *out_fd, ocib_error **err)
{
	const ob_overlay overlay = {
		.lowers = &u->lowers,
		.bottom_fd = -1,
		.upper = u->tree,
		.work = u->work,
		.userxattr = ob_sandbox_host_userxattr(u->self->host),
	};

	if (u->lowers.len)
		return ob_overlay_mount(&overlay, out_fd, err);
	if (mkdir(u->tree, 0755) < 0)
		return ob_fail_errno(err, "make directory '%s'", u->tree);
	*out_fd = open(u->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *out_fd < 0 ? ob_fail_errno(err, "open directory '%s'", u->tree) : OCIB_OK;
}

static ocib_errc load_index(const char *path, ob_layer_index **out, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "layer index");
	ocib_errc r = ob_read_file(AT_FDCWD, path, &text, err);

	return r < 0 ? r : ob_layer_index_parse(text.data, text.len, out, err);
}

static int tell_progress(uint64_t bytes, void *arg)
{
	return ob_worker_progress(arg, bytes);
}

static void tell_warning(const char *text, void *arg)
{
	ob_worker_warn(arg, text);
}

/* A tar may end before its blob does: the rest has to be sound, too. */
static ocib_errc read_rest(ob_reader *tar, ocib_error **err)
{
	char block[65536];
	size_t got = 1;
	ocib_errc r = OCIB_OK;

	while (r == OCIB_OK && got)
		r = ob_reader_read(tar, block, sizeof(block), &got, err);
	return r;
}

/*
 * A tree is kept under the id that the image's configuration claims, and believed by every image that
 * claims it; so the content has to have it.
 */
static ocib_errc open_tar(const unpacking *u, int blob, const ob_layer_index *index,
			  ob_reader **out, ocib_error **err)
{
	ob_auto(ob_reader) tar = NULL;
	ocib_errc r = ob_layer_blob_open_tar(blob, index, u->threads, &tar, err);

	/* With members it is inflated on other cores anyway. */
	if (r == OCIB_OK && u->threads > 1 && (!index || !index->members.len))
		r = ob_reader_open_ahead(ob_take_ptr(tar), &tar, err);
	if (r == OCIB_OK && ob_digest_is_set(&u->diff_id))
		return ob_reader_open_diff_id(ob_take_ptr(tar), &u->diff_id, out, err);
	if (r == OCIB_OK)
		*out = ob_take_ptr(tar);
	return r;
}

static ocib_errc apply_blob(const unpacking *u, int rootfd, ocib_error **err)
{
	ob_auto(ob_layer_index) index = NULL;
	ob_auto(ob_reader) tar = NULL;
	ob_auto(ob_tar_reader) entries = NULL;
	const ob_tar_reader_options how = {.strict = true, .whiteouts = true, .what = u->blob};
	const ob_apply_options options = {
		.keep_owner = true,
		.progress = tell_progress,
		.warning = tell_warning,
		.arg = u->self,
	};
	ob_autofd int blob = open(u->blob, O_RDONLY | O_CLOEXEC);

	if (blob < 0)
		return ob_fail_errno(err, "open layer '%s'", u->blob);
	ocib_errc r = u->index ? load_index(u->index, &index, err) : OCIB_OK;
	if (r == OCIB_OK)
		r = open_tar(u, blob, index, &tar, err);
	if (r == OCIB_OK)
		r = ob_tar_reader_open(tar, &how, &entries, err);
	if (r == OCIB_OK)
		r = ob_snapshot_apply(entries, rootfd, &options, err);
	return r < 0 ? r : read_rest(tar, err);
}

static ocib_errc dress_root(const unpacking *u, int rootfd, ocib_error **err)
{
	int64_t mode = 0755, uid = 0, gid = 0;

	if (!u->root)
		return OCIB_OK;
	(void)ob_json_get_i64(u->root, "mode", &mode);
	(void)ob_json_get_i64(u->root, "uid", &uid);
	(void)ob_json_get_i64(u->root, "gid", &gid);
	if (fchown(rootfd, (uid_t)uid, (gid_t)gid) < 0 || fchmod(rootfd, (mode_t)mode & 07777) < 0)
		return ob_fail_errno(err, "give '%s' to %jd:%jd", u->target, (intmax_t)uid,
				     (intmax_t)gid);
	return OCIB_OK;
}

/* Somebody else may have made the same tree meanwhile; then his is as good. */
static ocib_errc put_in_place(const unpacking *u, ocib_error **err)
{
	if (renameat2(AT_FDCWD, u->tree, AT_FDCWD, u->target, RENAME_NOREPLACE) == 0)
		return OCIB_OK;
	if (errno == EEXIST)
		return ob_remove_tree(AT_FDCWD, u->tree, err);
	return ob_fail_errno(err, "put tree '%s' in place", u->target);
}

ocib_errc ob_worker_task_unpack(ob_worker_self *self, const ob_json *request, ocib_error **err)
{
	ob_autodone(unpacking) u = {.self = self};
	ob_autofd int root = -1;
	ocib_errc r = read_unpacking(request, &u, err);

	if (r == OCIB_OK)
		r = open_root(&u, &root, err);
	if (r == OCIB_OK && u.blob)
		r = apply_blob(&u, root, err);
	if (r == OCIB_OK)
		r = dress_root(&u, root, err);
	ob_closep(&root);
	root = -1;
	if (u.work)
		(void)ob_remove_tree(AT_FDCWD, u.work, NULL);
	if (r == OCIB_OK)
		return put_in_place(&u, err);
	if (u.tree)
		(void)ob_remove_tree(AT_FDCWD, u.tree, NULL);
	return r;
}

/* A diff request. */
typedef struct diffing {
	ob_worker_self *self;
	char *upper, *blob, *index;
	ob_strlist lowers, skip;
	ob_layer_writer_options writer;
	struct stat root; /* of upper */
	int *lower_fds;
	size_t lower_count;
} diffing;

static void diffing_done(diffing *d)
{
	for (size_t i = 0; i < d->lower_count; i++)
		(void)close(d->lower_fds[i]);
	free(d->lower_fds);
	free(d->upper);
	free(d->blob);
	free(d->index);
	ob_strlist_done(&d->lowers);
	ob_strlist_done(&d->skip);
}

static void read_writer(const ob_json *json, ob_layer_writer_options *out)
{
	int64_t compression = 0, level = 0, threads = 0;

	(void)ob_json_get_i64(json, "compression", &compression);
	(void)ob_json_get_i64(json, "level", &level);
	(void)ob_json_get_i64(json, "threads", &threads);
	(void)ob_json_get_i64(json, "clamp_sec", &out->clamp_sec);
	out->compression = (ob_compression)compression;
	out->level = (int)level;
	out->threads = (uint32_t)threads;
	out->clamp = ob_json_get_bool(json, "clamp");
	out->no_hidden_index = ob_json_get_bool(json, "no_hidden_index");
}

static ocib_errc read_diffing(const ob_json *request, diffing *d, ocib_error **err)
{
	ocib_errc r = ob_json_take_bytes(request, "upper", &d->upper, NULL, err);

	if (r == OCIB_OK)
		r = ob_json_take_bytes(request, "blob", &d->blob, NULL, err);
	if (r == OCIB_OK)
		r = ob_json_take_path(request, "index", &d->index, err);
	if (r == OCIB_OK)
		r = ob_json_take_paths(request, "lowers", &d->lowers, err);
	if (r == OCIB_OK)
		r = ob_json_take_paths(request, "skip", &d->skip, err);
	read_writer(ob_json_get(request, "writer"), &d->writer);
	return r;
}

static ocib_errc open_lowers(diffing *d, ocib_error **err)
{
	d->lower_fds = calloc(d->lowers.len ? d->lowers.len : 1, sizeof(*d->lower_fds));
	if (!d->lower_fds)
		return ob_fail_nomem(err);
	for (; d->lower_count < d->lowers.len; d->lower_count++) {
		const char *path = d->lowers.items[d->lower_count];
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return ob_fail_errno(err, "open tree '%s'", path);
		d->lower_fds[d->lower_count] = fd;
	}
	return OCIB_OK;
}

/* What a diff asks between entries: how far it is, whether to stop. */
typedef struct meter {
	ob_worker_self *self;
	const ob_layer_writer *writer;
} meter;

static int check_meter(void *arg)
{
	const meter *m = arg;

	return ob_worker_progress(m->self, ob_layer_writer_tar_bytes(m->writer));
}

static ocib_errc write_layer(diffing *d, ob_writer *blob, ob_layer_result *result, size_t *entries,
			     ocib_error **err)
{
	ob_auto(ob_layer_writer) writer = NULL;
	ob_autofd int upper = open(d->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (upper < 0 || fstat(upper, &d->root) < 0)
		return ob_fail_errno(err, "open directory '%s'", d->upper);
	ocib_errc r = ob_layer_writer_open(&d->writer, blob, &writer, err);
	if (r < 0)
		return r;
	meter m = {.self = d->self, .writer = writer};
	const ob_diff_options options = {
		.lower_fds = d->lower_fds,
		.lower_count = d->lower_count,
		.skip = (const char *const *)d->skip.items,
		.skip_count = d->skip.len,
		.userxattr = ob_sandbox_host_userxattr(d->self->host),
		.check = check_meter,
		.arg = &m,
	};
	r = ob_snapshot_diff(upper, &options, writer, err);
	*entries = ob_layer_writer_entries(writer);
	return r < 0 ? r : ob_layer_writer_finish(writer, result, err);
}

static ocib_errc save_index(const char *path, const ob_layer_index *index, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "layer index");
	ocib_errc r = ob_layer_index_format(index, &text, err);

	if (r < 0)
		return r;
	ob_autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ob_write_full(fd, text.data, text.len) < 0)
		return ob_fail_errno(err, "write layer index '%s'", path);
	return OCIB_OK;
}

ocib_errc ob_worker_task_diff(ob_worker_self *self, const ob_json *request, ob_json *answer,
			      ocib_error **err)
{
	ob_autodone(diffing) d = {.self = self};
	ob_autodone(ob_layer_result) result = {0};
	ob_auto(ob_writer) blob = NULL;
	ob_autofd int fd = -1;
	size_t entries = 0;
	ocib_errc r = read_diffing(request, &d, err);

	if (r == OCIB_OK)
		r = open_lowers(&d, err);
	if (r < 0)
		return r;
	fd = open(d.blob, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return ob_fail_errno(err, "open layer '%s'", d.blob);
	r = ob_writer_open_fd(fd, &blob, err);
	if (r == OCIB_OK)
		r = write_layer(&d, blob, &result, &entries, err);
	if (r == OCIB_OK)
		r = ob_writer_finish(blob, err);
	if (r == OCIB_OK && d.index)
		r = save_index(d.index, result.index, err);
	if (r < 0)
		return r;
	ob_json_set_str(answer, "diff_id", result.diff_id.text);
	ob_json_set(answer, "descriptor", ob_descriptor_to_json(&result.descriptor));
	ob_json_set_int(answer, "entries", (int64_t)entries);
	ob_json *root = ob_json_object();
	ob_json_set_int(root, "mode", d.root.st_mode & 07777);
	ob_json_set_int(root, "uid", d.root.st_uid);
	ob_json_set_int(root, "gid", d.root.st_gid);
	ob_json_set(answer, "root", root);
	return OCIB_OK;
}

ocib_errc ob_worker_task_remove(const ob_json *request, ocib_error **err)
{
	ob_autodone(ob_strlist) paths = {0};
	ocib_errc r = ob_json_take_paths(request, "paths", &paths, err);

	for (size_t i = 0; i < paths.len && r == OCIB_OK; i++)
		r = ob_remove_tree(AT_FDCWD, paths.items[i], err);
	return r;
}
