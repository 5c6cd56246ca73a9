/* engine/context/remote_context.c — see remote_context.h.
 *
 * As with BuildKit, no ignore file speaks of such a context, and files of an archive keep their owners.
 */
#include "engine/context/remote_context.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/context/archive_tree.h"
#include "engine/source/git_checkout.h"
#include "engine/source/remote_file.h"
#include "layer/tar_reader.h"
#include "registry/http_url.h"

#define SPOOL_BUFFER (256 * 1024)

void ob_remote_context_done(ob_remote_context *context)
{
	if (context->temp) /* what remains is for the next sweep */
		(void)ob_remove_tree(ob_store_dirfd(context->store), context->temp, NULL);
	free(context->temp);
	free(context->dir);
	free(context->text);
	(void)ob_tree_free(context->tree);
	*context = (ob_remote_context){0};
}

bool ob_is_remote_context(const char *text)
{
	return ob_is_file_url(text) || ob_is_git_address(text) ||
	       ob_str_starts(text, "github.com/");
}

static ocib_errc make_dir(ob_remote_context *context, ocib_error **err)
{
	ocib_errc r = ob_store_new_temp_dir(context->store, &context->temp, err);

	if (r)
		return r;
	context->dir = ob_str_printf("%s/%s", ob_store_path(context->store), context->temp);
	return context->dir ? OCIB_OK : ob_fail_nomem(err);
}

/* --- files --- */

/* A copy, since what is in a context may be changed; of the time that the server says. */
static ocib_errc put_file(ob_remote_context *context, int fd, const ob_remote_file *file,
			  ocib_error **err)
{
	ob_autofree char *path = ob_str_printf("%s/" OB_REMOTE_CONTEXT_FILE, context->dir);
	const struct timespec times[2] = {{.tv_sec = file->mtime}, {.tv_sec = file->mtime}};
	ob_auto(ob_reader) plain = NULL;
	ob_auto(ob_reader) from = NULL;
	ob_auto(ob_writer) to = NULL;
	ob_autofd int out = -1;

	if (!path)
		return ob_fail_nomem(err);
	out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return ob_fail_errno(err, "create '%s'", path);
	ocib_errc r = ob_reader_open_range(fd, false, 0, UINT64_MAX, &plain, err);
	if (!r)
		r = ob_reader_open_verify(ob_take_ptr(plain), file->digest.bytes, file->size,
					  file->digest.text, &from, err);
	if (!r)
		r = ob_writer_open_fd(out, &to, err);
	if (!r)
		r = ob_stream_copy(from, to, NULL, err);
	if (!r && futimens(out, times) < 0)
		r = ob_fail_errno(err, "set the time of '%s'", path);
	return r;
}

static ocib_errc read_text(ob_remote_context *context, int fd, const char *name, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "Dockerfile");
	ob_auto(ob_reader) from = NULL;
	ocib_errc r = ob_reader_open_range(fd, false, 0, UINT64_MAX, &from, err);

	if (!r)
		r = ob_reader_read_all(from, &text, err);
	if (r == OCIB_ERR_LIMIT) {
		if (err)
			*err = ocib_error_free(*err);
		return ob_fail(err, OCIB_ERR_SYNTAX,
			       "%s is no archive, and has more than the %ju bytes of a Dockerfile",
			       name, (uintmax_t)OB_LIMIT_DOCKERFILE);
	}
	if (r)
		return ob_wrap(err, r, "%s", name);
	context->text_len = text.len;
	context->text = text.data ? ob_take_ptr(text.data) : strdup("");
	return context->text ? OCIB_OK : ob_fail_nomem(err);
}

/* --- times --- */

static ocib_errc note_latest(ob_tree *tree, ob_remote_context *context, ocib_error **err)
{
	ob_autofree char *path = ob_tree_index_path(tree, 0);
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "layer index");
	ob_auto(ob_layer_index) index = NULL;
	ocib_errc r = path ? ob_read_file(AT_FDCWD, path, &text, err) : ob_fail_nomem(err);

	if (!r)
		r = ob_layer_index_parse(text.data ? text.data : "", text.len, &index, err);
	for (size_t i = 0; !r && i < index->len; i++) {
		const ob_entry *entry = &index->entries[i];

		if (entry->type != OB_ENTRY_FILE ||
		    (context->has_time && entry->mtime_sec <= context->time))
			continue;
		context->has_time = true;
		context->time = entry->mtime_sec;
	}
	return r;
}

/* --- from a URL --- */

/* The time of a server that does not say it is that of an archive's files. */
static ocib_errc note_time(ocib_context *ctx, ob_remote_context *context,
			   const ob_remote_file *file, const char *name, int fd, ocib_error **err)
{
	ob_auto(ob_tree) tree = ob_tree_ref(context->tree);
	bool is_archive = false;
	ocib_errc r = OCIB_OK;

	context->has_time = file->mtime != 0;
	context->time = file->mtime;
	if (context->has_time)
		return OCIB_OK;
	if (!tree)
		r = ob_archive_detect(fd, &is_archive, err);
	if (!r && is_archive)
		r = ob_archive_tree_open(ctx, context->store, &file->digest, name, 0, &tree, err);
	return r || !tree ? r : note_latest(tree, context, err);
}

static ocib_errc open_file(ocib_context *ctx, ob_remote_context *context,
			   const ob_remote_file *file, const char *name,
			   const ob_remote_context_options *options, ocib_error **err)
{
	bool is_archive = false;
	ob_autofd int fd = -1;
	ocib_errc r = ob_store_open_blob(context->store, &file->digest, file->size, &fd, err);

	if (!r && options->is_main)
		r = ob_archive_detect(fd, &is_archive, err);
	if (!r && is_archive)
		r = ob_archive_tree_open(ctx, context->store, &file->digest, name, options->step,
					 &context->tree, err);
	if (!r && options->wants_time)
		r = note_time(ctx, context, file, name, fd, err);
	if (r || is_archive)
		return r;
	if (options->is_main)
		r = read_text(context, fd, name, err);
	if (!r)
		r = make_dir(context, err);
	return r ? r : put_file(context, fd, file, err);
}

static ocib_errc fetch_url(ocib_context *ctx, const char *url,
			   const ob_remote_context_options *options, ob_remote_context *context,
			   ocib_error **err)
{
	ob_autofree char *shown = ob_url_show(url);
	const ob_remote_request request = {
		.url = url, .secrets = options->secrets, .step = options->step};
	ob_remote_file file;
	ocib_errc r = shown ? ob_remote_file_fetch(ctx, context->store, &request, &file, err)
			    : ob_fail_nomem(err);

	return r ? r : open_file(ctx, context, &file, shown, options, err);
}

/* --- from a git repository --- */

/* A person named the repository, so it is read with that person's keys. */
static ocib_errc clone(ocib_context *ctx, ob_git_address *address,
		       const ob_remote_context_options *options, ob_remote_context *context,
		       ocib_error **err)
{
	const ob_git_command git = {.ctx = ctx,
				    .address = address,
				    .secrets = options->secrets,
				    .ssh_agent = options->ssh_agent,
				    .may_use_keys = true};
	ob_autodone(ob_git_commit) commit = {0};
	char *root = NULL;
	ocib_errc r = ob_git_resolve(&git, &commit, err);

	if (!r)
		r = make_dir(context, err);
	if (!r)
		r = ob_git_checkout(&git, &commit, context->dir, options->keep_git_dir, &root,
				    options->wants_time ? &context->time : NULL, err);
	context->has_time = !r && options->wants_time;
	if (r)
		return ob_wrap(err, r, "%s", address->remote);
	free(context->dir);
	context->dir = root;
	return OCIB_OK;
}

static ocib_errc fetch_git(ocib_context *ctx, const char *text,
			   const ob_remote_context_options *options, ob_remote_context *context,
			   ocib_error **err)
{
	ob_autodone(ob_git_address) address = {0};
	ocib_errc r = ob_git_address_parse(text, &address, err);

	if (r)
		return r;
	address.commit_time |= options->commit_time;
	return clone(ctx, &address, options, context, err);
}

ocib_errc ob_remote_context_fetch(ocib_context *ctx, ob_store *store, const char *address,
				  const ob_remote_context_options *options, ob_remote_context *out,
				  ocib_error **err)
{
	ob_autodone(ob_remote_context) context = {.store = store};
	ocib_errc r = ob_is_file_url(address) ? fetch_url(ctx, address, options, &context, err)
					      : fetch_git(ctx, address, options, &context, err);

	if (r)
		return r;
	*out = context;
	context = (ob_remote_context){0};
	return OCIB_OK;
}

/* --- from a descriptor --- */

/* What comes next from a pipe that may be silent for long; 0: the end. */
static ocib_errc read_some(ocib_context *ctx, int fd, void *data, size_t cap, size_t *got,
			   ocib_error **err)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
			       {.fd = ob_cancel_fd(ctx), .events = POLLIN}};
	ssize_t n = -1;

	do {
		(void)poll(fds, OB_ARRAY_LEN(fds), -1);
		ocib_errc r = ob_check_canceled(ctx, err);
		if (r)
			return r;
		n = fds[0].revents ? read(fd, data, cap) : -1;
	} while (n < 0 && (!fds[0].revents || errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return ob_fail_errno(err, "read");
	*got = (size_t)n;
	return OCIB_OK;
}

static ocib_errc spool(ocib_context *ctx, int fd, ob_blob_writer *blob, ocib_error **err)
{
	ob_autofree char *buffer = malloc(SPOOL_BUFFER);
	ocib_errc r = buffer ? OCIB_OK : ob_fail_nomem(err);

	for (uint64_t done = 0; !r;) {
		size_t got = 0;

		r = read_some(ctx, fd, buffer, SPOOL_BUFFER, &got, err);
		if (r || !got)
			break;
		done += got;
		if (done > OB_LIMIT_REMOTE_FILE)
			return ob_fail(err, OCIB_ERR_LIMIT, "more than %ju bytes",
				       (uintmax_t)OB_LIMIT_REMOTE_FILE);
		r = ob_writer_write(ob_blob_writer_base(blob), buffer, got, err);
	}
	return r;
}

ocib_errc ob_remote_context_read(ocib_context *ctx, ob_store *store, int fd,
				 const ob_remote_context_options *options, ob_remote_context *out,
				 ocib_error **err)
{
	static const char name[] = "standard input";
	ob_autodone(ob_remote_context) context = {.store = store};
	ob_auto(ob_blob_writer) blob = NULL;
	bool is_archive = false;
	ob_digest digest;
	ocib_errc r = ob_blob_writer_open(store, &blob, err);

	if (!r)
		r = ob_wrap(err, spool(ctx, fd, blob, err), "%s", name);
	if (!r)
		r = ob_archive_detect(ob_blob_writer_fd(blob), &is_archive, err);
	if (!r && is_archive)
		r = ob_blob_writer_commit(blob, NULL, 0, &digest, err);
	if (!r && is_archive)
		r = ob_archive_tree_open(ctx, store, &digest, name, options->step, &context.tree,
					 err);
	if (!r && is_archive && options->wants_time)
		r = note_latest(context.tree, &context, err);
	if (!r && !is_archive)
		r = read_text(&context, ob_blob_writer_fd(blob), name, err);
	if (!r && !is_archive)
		r = make_dir(&context, err);
	if (r)
		return r;
	*out = context;
	context = (ob_remote_context){0};
	return OCIB_OK;
}
