/* registry/registry_download.c — blobs out of a registry: whole and verified, or a part.
 *
 * A whole blob may take several requests: after a broken connection the next one asks for what is
 * still missing, and the digest runs over all of them. A server that answers such a request with
 * the whole blob is taken too: what is there already is skipped. More bytes than the descriptor
 * says end it at once.
 */
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "registry/registry_session.h"

/*
 * An attempt that brings this much makes up for earlier failures: so a line that breaks all the
 * time is enough.
 */
#define PROGRESS_BYTES (64 * OB_KIB)

/* ---- Whole blobs. ---- */

typedef struct download {
	ob_registry *registry;
	const ob_descriptor *blob;
	ob_writer *to;
	ob_registry_progress progress;
	void *arg;
	ob_hash *hash;
	uint64_t done; /* bytes handed to @ref to */
	uint64_t skip; /* bytes of this reply that were had before */
} download;

static ocib_errc fail_size(const download *d, bool more, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_CORRUPT, "wanted %ju bytes, got %s%ju",
		       (uintmax_t)d->blob->size, more ? "more than " : "",
		       (uintmax_t)(more ? d->blob->size : d->done));
}

/* First byte of "Content-Range: bytes FIRST-LAST/SIZE". */
static bool range_begin(const ob_http_reply *reply, uint64_t *out)
{
	const char *text = ob_http_header(reply, "Content-Range", 0);
	ob_autofree char *first = NULL;

	if (!text || strncasecmp(text, "bytes", 5) || !strchr(text, '-'))
		return false;
	text += 5;
	text += strspn(text, " =");
	first = strndup(text, strcspn(text, "-"));
	return first && ob_parse_u64(first, 10, UINT64_MAX, out);
}

static ocib_errc begin_blob(const ob_http_reply *reply, void *arg, ocib_error **err)
{
	const char *text = ob_http_header(reply, "Content-Length", 0);
	download *d = arg;
	uint64_t begin = 0, length;

	if (reply->status == 206 && !range_begin(reply, &begin))
		return ob_fail(err, OCIB_ERR_PROTOCOL, "a partial reply without its range");
	if (begin > d->done)
		return ob_fail(err, OCIB_ERR_PROTOCOL,
			       "asked for bytes from %ju on, got them from %ju", (uintmax_t)d->done,
			       (uintmax_t)begin);
	d->skip = d->done - begin;
	if (text && ob_parse_u64(text, 10, UINT64_MAX, &length) && length > d->blob->size - begin)
		return fail_size(d, true, err);
	return OCIB_OK;
}

static ocib_errc take_blob_data(const void *data, size_t len, void *arg, ocib_error **err)
{
	download *d = arg;
	size_t skip = d->skip < len ? (size_t)d->skip : len;

	atomic_fetch_add(&d->registry->received, len);
	d->skip -= skip;
	data = (const char *)data + skip;
	len -= skip;
	if (len > d->blob->size - d->done)
		return fail_size(d, true, err);
	if (!len)
		return OCIB_OK;
	ob_hash_update(d->hash, data, len);
	ocib_errc rc = ob_writer_write(d->to, data, len, err);
	if (rc)
		return rc;
	d->done += len;
	if (d->progress && d->progress(d->done, d->blob->size, d->arg))
		return ob_fail(err, OCIB_ERR_CANCELED, "canceled");
	return OCIB_OK;
}

static ocib_errc verify_blob(download *d, ocib_error **err)
{
	uint8_t bytes[OB_SHA256_LEN];
	ob_digest got;

	if (d->done != d->blob->size)
		return fail_size(d, false, err);
	ob_hash_final(d->hash, bytes);
	ob_digest_from_bytes(&got, bytes);
	if (!ob_digest_eq(&got, &d->blob->digest))
		return ob_fail(err, OCIB_ERR_CORRUPT, "wanted digest %s, got %s",
			       d->blob->digest.text, got.text);
	return OCIB_OK;
}

static ocib_errc download_blob(download *d, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_autofree char *url = NULL;
	ob_http_call call = {
		.method = OB_HTTP_GET, .on_reply = begin_blob, .on_data = take_blob_data, .arg = d};
	ob_http_retry retry = {0};
	bool again;

	ocib_errc rc = ob_registry_url(d->registry, &url, err, "blobs/%s", d->blob->digest.text);
	if (rc)
		return rc;
	call.url = url;
	do {
		uint64_t before = d->done;
		char range[32];

		snprintf(range, sizeof(range), "%ju-", (uintmax_t)d->done);
		call.range = d->done ? range : NULL;
		rc = ob_registry_send(d->registry, &call, NULL, &reply, err);
		if (d->done - before >= PROGRESS_BYTES)
			retry.failures = 0;
		/* All is here, whatever became of the connection after the last byte. */
		if (rc == OCIB_ERR_NETWORK && d->blob->size && d->done == d->blob->size) {
			if (err)
				*err = ocib_error_free(*err);
			return verify_blob(d, err);
		}
		rc = ob_http_retry_wait(&retry, d->registry->ctx, rc, &reply, &again, err);
	} while (again && !rc);
	if (rc)
		return rc;
	if (reply.status != 200 && reply.status != 206)
		return ob_registry_fail_status(d->registry, &reply, err);
	return verify_blob(d, err);
}

ocib_errc ob_registry_get_blob(ob_registry *registry, const ob_descriptor *blob, ob_writer *to,
			       ob_registry_progress progress, void *arg, ocib_error **err)
{
	ob_auto(ob_hash) hash = NULL;
	ocib_errc rc = ob_hash_new(&hash, err);
	download d = {.registry = registry,
		      .blob = blob,
		      .to = to,
		      .progress = progress,
		      .arg = arg,
		      .hash = hash};

	if (!rc)
		rc = download_blob(&d, err);
	return rc ? ob_registry_wrap(registry, err, rc, "blob %s of %s", blob->digest.text,
				     registry->path)
		  : OCIB_OK;
}

/* ---- Parts. ---- */

typedef struct part {
	ob_registry *registry;
	ob_buffer *out;
	size_t before; /* bytes that were in out */
	uint64_t offset, len;
} part;

static ocib_errc begin_part(const ob_http_reply *reply, void *arg, ocib_error **err)
{
	part *p = arg;
	uint64_t begin;

	p->out->len = p->before;
	if (p->out->data)
		p->out->data[p->before] = '\0';
	if (reply->status != 206)
		return ob_fail(err, OCIB_ERR_UNSUPPORTED, "the registry gives no parts of blobs");
	if (!range_begin(reply, &begin) || begin != p->offset)
		return ob_fail(err, OCIB_ERR_PROTOCOL, "asked for bytes from %ju on, got others",
			       (uintmax_t)p->offset);
	return OCIB_OK;
}

static ocib_errc take_part_data(const void *data, size_t len, void *arg, ocib_error **err)
{
	part *p = arg;

	atomic_fetch_add(&p->registry->received, len);
	if (len > p->len - (p->out->len - p->before))
		return ob_fail(err, OCIB_ERR_CORRUPT, "asked for %ju bytes, got more",
			       (uintmax_t)p->len);
	ob_buffer_append(p->out, data, len);
	return ob_buffer_check(p->out, err);
}

static ocib_errc download_part(part *p, const ob_digest *digest, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_autofree char *url = NULL;
	char range[64];
	ob_http_call call = {.method = OB_HTTP_GET,
			     .range = range,
			     .on_reply = begin_part,
			     .on_data = take_part_data,
			     .arg = p};

	snprintf(range, sizeof(range), "%ju-%ju", (uintmax_t)p->offset,
		 (uintmax_t)(p->offset + p->len - 1));
	ocib_errc rc = ob_registry_url(p->registry, &url, err, "blobs/%s", digest->text);
	call.url = url;
	if (!rc)
		rc = ob_registry_request(p->registry, &call, NULL, &reply, err);
	if (rc)
		return rc;
	if (reply.status != 206)
		return ob_registry_fail_status(p->registry, &reply, err);
	if (p->out->len - p->before != p->len)
		return ob_fail(err, OCIB_ERR_CORRUPT, "asked for %ju bytes, got %zu",
			       (uintmax_t)p->len, p->out->len - p->before);
	return OCIB_OK;
}

ocib_errc ob_registry_get_blob_range(ob_registry *registry, const ob_digest *digest,
				     uint64_t offset, uint64_t len, ob_buffer *out,
				     ocib_error **err)
{
	part p = {
		.registry = registry, .out = out, .before = out->len, .offset = offset, .len = len};

	if (!len || offset > UINT64_MAX - len)
		return len ? ob_fail(err, OCIB_ERR_INVALID, "a range beyond all sizes") : OCIB_OK;
	ocib_errc rc = download_part(&p, digest, err);
	return rc ? ob_registry_wrap(registry, err, rc, "bytes %ju+%ju of blob %s of %s",
				     (uintmax_t)offset, (uintmax_t)len, digest->text,
				     registry->path)
		  : OCIB_OK;
}

ocib_errc ob_registry_has_blob(ob_registry *registry, const ob_digest *digest, bool *out,
			       ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_autofree char *url = NULL;
	ob_http_call call = {.method = OB_HTTP_HEAD};

	ocib_errc rc = ob_registry_url(registry, &url, err, "blobs/%s", digest->text);
	call.url = url;
	if (!rc)
		rc = ob_registry_request(registry, &call, NULL, &reply, err);
	if (!rc && reply.status != 200 && reply.status != 404)
		rc = ob_registry_fail_status(registry, &reply, err);
	if (rc)
		return ob_registry_wrap(registry, err, rc, "look for blob %s in %s", digest->text,
					registry->path);
	*out = reply.status == 200;
	return OCIB_OK;
}
