/* registry/registry_manifest.c — manifests and indexes: small documents, whole in memory, verified.
 *
 * A document fetched by digest must have that digest. One fetched by tag must have the one that the
 * registry's own Docker-Content-Digest header states, where there is one.
 */
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "registry/registry_session.h"

static const char *const accepted[] = {
	"Accept: " OB_MEDIA_OCI_INDEX,
	"Accept: " OB_MEDIA_OCI_MANIFEST,
	"Accept: " OB_MEDIA_DOCKER_INDEX,
	"Accept: " OB_MEDIA_DOCKER_MANIFEST,
};

static ocib_errc make_call(ob_registry *registry, const char *reference, ob_strlist *headers,
			   char **url, ocib_error **err)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(accepted); i++) {
		if (ob_strlist_add(headers, accepted[i]))
			return ob_fail_nomem(err);
	}
	return ob_registry_url(registry, url, err, "manifests/%s", reference);
}

static ocib_errc begin_document(const ob_http_reply *reply, void *arg, ocib_error **err)
{
	(void)reply;
	(void)err;
	ob_buffer_clear(arg);
	return OCIB_OK;
}

static ocib_errc keep_document(const void *data, size_t len, void *arg, ocib_error **err)
{
	ob_buffer_append(arg, data, len);
	return ob_buffer_check(arg, err);
}

/*
 * The digest that the document has to have: asked for, or stated by the registry; unset for
 * neither.
 */
static void wanted_digest(const char *reference, const ob_http_reply *reply, ob_digest *out)
{
	const char *stated = ob_http_header(reply, "Docker-Content-Digest", 0);
	ob_auto(ocib_error) ignored = NULL;

	out->text[0] = '\0';
	if (strchr(reference, ':'))
		(void)ob_digest_parse(reference, out, &ignored);
	else if (stated && ob_digest_parse(stated, out, &ignored))
		out->text[0] = '\0';
}

static ocib_errc check_document(const char *reference, const ob_http_reply *reply,
				const ob_buffer *document, ob_digest *digest, ocib_error **err)
{
	ob_digest wanted;

	wanted_digest(reference, reply, &wanted);
	ob_digest_of(digest, document->data ? document->data : "", document->len);
	if (ob_digest_is_set(&wanted) && !ob_digest_eq(&wanted, digest))
		return ob_fail(err, OCIB_ERR_CORRUPT, "wanted digest %s, got %s", wanted.text,
			       digest->text);
	return OCIB_OK;
}

/* "application/json; charset=utf-8" → "application/json"; "" without the header. */
static char *media_type_of(const ob_http_reply *reply)
{
	const char *text = ob_http_header(reply, "Content-Type", 0);

	return text ? strndup(text, strcspn(text, "; \t")) : strdup("");
}

static ocib_errc get_manifest(ob_registry *registry, const char *reference, ob_buffer *document,
			      char **media_type, ob_digest *digest, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_autodone(ob_strlist) headers = {0};
	ob_autofree char *url = NULL;
	ob_http_call call = {.method = OB_HTTP_GET,
			     .headers = &headers,
			     .on_reply = begin_document,
			     .on_data = keep_document,
			     .arg = document};

	ocib_errc rc = make_call(registry, reference, &headers, &url, err);
	call.url = url;
	if (!rc)
		rc = ob_registry_request(registry, &call, NULL, &reply, err);
	if (rc)
		return rc;
	if (reply.status != 200)
		return ob_registry_fail_status(registry, &reply, err);
	atomic_fetch_add(&registry->received, document->len);
	rc = check_document(reference, &reply, document, digest, err);
	if (rc || !media_type)
		return rc;
	*media_type = media_type_of(&reply);
	return *media_type ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_registry_get_manifest(ob_registry *registry, const char *reference,
				   ob_buffer *document, char **media_type, ob_digest *digest,
				   ocib_error **err)
{
	ob_digest ignored;
	ocib_errc rc = get_manifest(registry, reference, document, media_type,
				    digest ? digest : &ignored, err);

	return rc ? ob_registry_wrap(registry, err, rc, "manifest '%s' of %s", reference,
				     registry->path)
		  : OCIB_OK;
}

static ocib_errc take_head(const char *reference, const ob_http_reply *reply, ob_descriptor *out,
			   ocib_error **err)
{
	const char *length = ob_http_header(reply, "Content-Length", 0);
	ob_autofree char *media_type = media_type_of(reply);
	ob_digest digest;
	uint64_t size;

	if (!media_type)
		return ob_fail_nomem(err);
	wanted_digest(reference, reply, &digest);
	if (!ob_digest_is_set(&digest) || !length ||
	    !ob_parse_u64(length, 10, OB_LIMIT_MANIFEST, &size))
		return ob_fail(err, OCIB_ERR_PROTOCOL, "a reply to HEAD without digest and length");
	out->media_type = ob_take_ptr(media_type);
	out->digest = digest;
	out->size = size;
	return OCIB_OK;
}

ocib_errc ob_registry_head_manifest(ob_registry *registry, const char *reference,
				    ob_descriptor *out, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_autodone(ob_strlist) headers = {0};
	ob_autofree char *url = NULL;
	ob_http_call call = {.method = OB_HTTP_HEAD, .headers = &headers};

	ocib_errc rc = make_call(registry, reference, &headers, &url, err);
	call.url = url;
	if (!rc)
		rc = ob_registry_request(registry, &call, NULL, &reply, err);
	if (!rc && reply.status != 200)
		rc = ob_registry_fail_status(registry, &reply, err);
	else if (!rc)
		rc = take_head(reference, &reply, out, err);
	return rc ? ob_registry_wrap(registry, err, rc, "manifest '%s' of %s", reference,
				     registry->path)
		  : OCIB_OK;
}

/*
 * The blobs are there: whoever puts a manifest has asked. A registry that writes one of them for somebody
 * else just then (docker-registry, whose links of blobs are not replaced at once) does not see it for a moment.
 */
static bool is_blob_late(const ob_http_reply *reply)
{
	static const char code[] = "BLOB_UNKNOWN";

	return reply->status == 400 && reply->body.len &&
	       memmem(reply->body.data, reply->body.len, code, sizeof(code) - 1);
}

static ocib_errc send_manifest(ob_registry *registry, const ob_http_call *call,
			       ob_http_reply *reply, ocib_error **err)
{
	ob_http_retry retry = {0};
	bool again;
	ocib_errc rc;

	do {
		rc = ob_registry_send(registry, call, NULL, reply, err);
		retry.also = !rc && is_blob_late(reply) ? reply->status : 0;
		rc = ob_http_retry_wait(&retry, registry->ctx, rc, reply, &again, err);
	} while (again && !rc);
	return rc;
}

static ocib_errc put_manifest(ob_registry *registry, const char *reference, const char *media_type,
			      const void *document, size_t len, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_autodone(ob_strlist) headers = {0};
	ob_autofree char *url = NULL;
	ob_http_call call = {
		.method = OB_HTTP_PUT, .headers = &headers, .data = document, .size = len};
	ob_digest ours, theirs;

	if (ob_strlist_add_printf(&headers, "Content-Type: %s", media_type))
		return ob_fail_nomem(err);
	ocib_errc rc = ob_registry_url(registry, &url, err, "manifests/%s", reference);
	call.url = url;
	if (!rc)
		rc = send_manifest(registry, &call, &reply, err);
	if (rc)
		return rc;
	if (reply.status != 201 && reply.status != 200 && reply.status != 202)
		return ob_registry_fail_status(registry, &reply, err);
	ob_digest_of(&ours, document, len);
	wanted_digest("", &reply, &theirs);
	if (ob_digest_is_set(&theirs) && !ob_digest_eq(&ours, &theirs))
		return ob_fail(err, OCIB_ERR_CORRUPT, "sent digest %s, the registry has %s",
			       ours.text, theirs.text);
	return OCIB_OK;
}

ocib_errc ob_registry_put_manifest(ob_registry *registry, const char *reference,
				   const char *media_type, const void *document, size_t len,
				   ocib_error **err)
{
	ocib_errc rc = put_manifest(registry, reference, media_type, document, len, err);

	return rc ? ob_registry_wrap(registry, err, rc, "push manifest '%s' of %s", reference,
				     registry->path)
		  : OCIB_OK;
}
