/* engine/source/remote_file.c — see remote_file.h.
 *
 * A record in the store's cache says what came from a URL last time, and the validators that came with it:
 *   {"blob": descriptor, "etag": "…", "lastModified": "…", "mtime": 784111777}
 * Its key is a hash, so a URL with a signature in its query is on no disk. With the validators the server
 * is asked whether the file has changed; a file that is pinned by its digest need not be asked for.
 * Losing a record, or the blob it tells of, costs a download.
 */
#include "engine/source/remote_file.h"
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "engine/source/progress_meter.h"
#include "engine/source/remote_auth.h"
#include "registry/http_get.h"
#include "registry/http_url.h"

#define MEDIA_TYPE "application/octet-stream"

/* --- what is remembered --- */

typedef struct memory {
	ob_json *record; /* or NULL: nothing */
	ob_remote_file file;
} memory;

static void memory_done(memory *m)
{
	ob_json_free(m->record);
}

static ocib_errc make_key(const char *url, ob_digest *out, ocib_error **err)
{
	ob_autofree char *text = ob_str_printf("remote file\n%s", url);

	if (!text)
		return ob_fail_nomem(err);
	ob_digest_of(out, text, strlen(text));
	return OCIB_OK;
}

/* false: it tells of nothing that is there. */
static bool read_record(ob_store *store, const ob_json *record, ob_remote_file *out)
{
	ob_autodone(ob_descriptor) blob = {0};
	ob_autofd int fd = -1;

	if (ob_descriptor_from_json(ob_json_get(record, "blob"), &blob, NULL) < 0 ||
	    ob_store_open_blob(store, &blob.digest, blob.size, &fd, NULL) < 0)
		return false;
	out->digest = blob.digest;
	out->size = blob.size;
	out->mtime = 0;
	(void)ob_json_get_i64(record, "mtime", &out->mtime);
	return true;
}

static void remember(ob_store *store, const ob_digest *key, memory *out)
{
	ob_auto(ob_json) record = NULL;

	if (ob_store_get_record(store, key, &record, NULL) == OCIB_OK &&
	    read_record(store, record, &out->file))
		out->record = ob_take_ptr(record);
}

/* Failure to remember is not an error. */
static void keep(ob_store *store, const ob_digest *key, const ob_remote_file *file,
		 const ob_http_result *result)
{
	char media_type[] = MEDIA_TYPE;
	const ob_descriptor blob = {
		.media_type = media_type, .digest = file->digest, .size = file->size};
	ob_auto(ob_json) record = ob_json_object();

	ob_json_set(record, "blob", ob_descriptor_to_json(&blob));
	ob_json_set_str(record, "etag", result->etag);
	ob_json_set_str(record, "lastModified", result->last_modified);
	ob_json_set_int(record, "mtime", file->mtime);
	(void)ob_store_put_record(store, key, record, NULL);
}

/* --- fetching --- */

typedef struct fetch {
	ocib_context *ctx;
	ob_store *store;
	const ob_remote_request *request;
	const char *shown; /* the URL for people */
} fetch;

static void hint_secret(const fetch *f, const char *authorization, ocib_error **err)
{
	int status = err ? ocib_error_http_status(*err) : 0;
	ob_autofree char *host = ob_url_host(f->request->url, false);

	if (!host || (status != 401 && status != 403))
		return;
	if (authorization)
		ob_error_set_hint(err, "the server does not take the secret that is given for '%s'",
				  host);
	else
		ob_error_set_hint(err, "credentials are given with --secret id=HTTP_AUTH_TOKEN_%s",
				  host);
}

/* One request; *out is what is in the store when it ends well. */
static ocib_errc ask(const fetch *f, const memory *known, const ob_digest *key, ob_remote_file *out,
		     ocib_error **err)
{
	ob_auto(ob_blob_writer) writer = NULL;
	ob_autodone(ob_http_result) result = {0};
	ob_auto_authorization authorization = NULL;
	ob_progress_meter meter;
	ob_http_request request = {
		.url = f->request->url,
		.etag = ob_json_get_str(known->record, "etag"),
		.max_size = OB_LIMIT_REMOTE_FILE,
		.progress = ob_progress_meter_update,
		.progress_arg = &meter,
	};

	if (!request.etag)
		request.last_modified = ob_json_get_str(known->record, "lastModified");
	ob_progress_meter_init_named(&meter, f->ctx, f->request->step, "downloading",
				     ob_path_base(f->shown));
	ocib_errc r =
		ob_http_authorization(f->request->secrets, f->request->url, &authorization, err);
	if (!r)
		r = ob_blob_writer_open(f->store, &writer, err);
	if (r)
		return r;
	request.authorization = authorization;
	r = ob_http_get(f->ctx, &request, ob_blob_writer_base(writer), &result, err);
	if (r) {
		hint_secret(f, authorization, err);
		return r;
	}
	if (result.status == 304) {
		*out = known->file;
		return OCIB_OK;
	}
	out->mtime = result.mtime == -1 ? 0 : result.mtime;
	out->size = result.size;
	r = ob_blob_writer_commit(writer, f->request->pinned, UINT64_MAX, &out->digest, err);
	if (r == OCIB_ERR_CORRUPT)
		return ob_wrap(err, r, "%s does not have the wanted checksum", f->shown);
	if (!r)
		keep(f->store, key, out, &result);
	return r;
}

ocib_errc ob_remote_file_fetch(ocib_context *ctx, ob_store *store, const ob_remote_request *request,
			       ob_remote_file *out, ocib_error **err)
{
	__attribute__((cleanup(memory_done))) memory known = {0};
	const ob_digest *pinned = request->pinned;
	ob_autofree char *shown = ob_url_show(request->url);
	const fetch f = {ctx, store, request, shown};
	ob_remote_file file;
	ob_digest key;
	ocib_errc r = shown ? make_key(request->url, &key, err) : ob_fail_nomem(err);

	if (r)
		return r;
	remember(store, &key, &known);
	if (pinned && known.record && ob_digest_eq(&known.file.digest, pinned)) {
		*out = known.file;
		return OCIB_OK;
	}
	if (pinned) /* whatever is there, it is not that */
		known.record = ob_json_free(known.record);
	r = ask(&f, &known, &key, &file, err);
	if (!r)
		*out = file;
	return r;
}

ocib_errc ob_remote_file_name(const char *url, char **out, ocib_error **err)
{
	ob_autofree char *path = NULL;
	ocib_errc r = ob_url_path(url, &path, err);
	ob_autofree char *clean = r ? NULL : ob_path_clean(path);

	if (r)
		return r;
	if (!clean)
		return ob_fail_nomem(err);
	const char *name = ob_path_base(clean);
	*out = strdup(*name ? name : "__unnamed__");
	return *out ? OCIB_OK : ob_fail_nomem(err);
}
