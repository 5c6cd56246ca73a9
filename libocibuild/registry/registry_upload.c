/* registry/registry_upload.c — blobs into a registry: not at all if it has them, by mount, or in
 * one PUT.
 *
 * POST opens a session and says where the bytes go; one PUT with the whole file and its digest
 * closes it. A session that broke is not resumed: what a registry kept of it is not told alike by
 * all of them, so the next attempt opens another. The address is opaque: relative or absolute, with
 * a query, elsewhere.
 */
#include <string.h>
#include "base/strings.h"
#include "registry/http_url.h"
#include "registry/registry_session.h"

/* ---- Sessions. ---- */

/*
 * POST to blobs/uploads/ with @p query. *location gets where to go on unless it ended the matter
 * (201).
 */
static ocib_errc open_session(ob_registry *registry, const char *query, const char *scope,
			      char **location, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_autodone(ob_strlist) headers = {0};
	ob_autofree char *url = NULL;
	ob_http_call call = {.method = OB_HTTP_POST, .headers = &headers};

	/* Without this libcurl would call the empty body a form. */
	if (ob_strlist_add(&headers, "Content-Type:"))
		return ob_fail_nomem(err);
	ocib_errc rc = ob_registry_url(registry, &url, err, "blobs/uploads/%s", query);
	call.url = url;
	if (!rc)
		rc = ob_registry_request(registry, &call, scope, &reply, err);
	if (rc || reply.status == 201)
		return rc;
	if (reply.status != 202)
		return ob_registry_fail_status(registry, &reply, err);
	const char *text = ob_http_header(&reply, "Location", 0);
	ob_auto(ocib_error) ignored = NULL;
	if (!text || ob_url_resolve(reply.url, text, location, NULL, &ignored))
		return ob_fail(err, OCIB_ERR_PROTOCOL, "an upload without a usable Location");
	if (ob_url_is_https(reply.url) && !ob_url_is_https(*location) &&
	    !ob_url_is_loopback(*location)) {
		free(*location);
		*location = NULL;
		return ob_fail(err, OCIB_ERR_PROTOCOL, "an upload that gives up encryption");
	}
	return OCIB_OK;
}

/* A session nobody needs: told to the registry as a courtesy. */
static void close_session(ob_registry *registry, const char *location)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_auto(ocib_error) ignored = NULL;
	const ob_http_call call = {.method = OB_HTTP_DELETE, .url = location};

	(void)ob_registry_send(registry, &call, NULL, &reply, &ignored);
}

/* ---- Mounts. ---- */

static ocib_errc mount(ob_registry *registry, const ob_digest *digest, const char *from,
		       bool *mounted, ocib_error **err)
{
	ob_autofree char *scope = ob_str_printf("%s repository:%s:pull", registry->scope, from);
	ob_autofree char *query = ob_str_printf("?mount=%s&from=%s", digest->text, from);
	ob_autofree char *location = NULL;

	if (!scope || !query)
		return ob_fail_nomem(err);
	ocib_errc rc = open_session(registry, query, scope, &location, err);
	if (rc)
		return rc;
	*mounted = !location;
	if (location)
		close_session(registry, location);
	return OCIB_OK;
}

ocib_errc ob_registry_mount_blob(ob_registry *registry, const ob_digest *digest,
				 const char *from_repository, bool *mounted, ocib_error **err)
{
	ocib_errc rc = mount(registry, digest, from_repository, mounted, err);

	return rc ? ob_registry_wrap(registry, err, rc, "mount blob %s from %s to %s", digest->text,
				     from_repository, registry->path)
		  : OCIB_OK;
}

/* ---- Uploads. ---- */

typedef struct upload {
	ob_registry *registry;
	const ob_descriptor *blob;
	int fd;
	ob_registry_progress progress;
	void *arg;
} upload;

static ocib_errc put_bytes(const upload *u, const char *location, ob_http_reply *reply,
			   ocib_error **err)
{
	ob_autodone(ob_strlist) headers = {0};
	ob_autofree char *url = ob_url_add_query(location, "digest", u->blob->digest.text);
	const ob_http_call call = {.method = OB_HTTP_PUT,
				   .url = url,
				   .headers = &headers,
				   .is_file = true,
				   .fd = u->fd,
				   .size = u->blob->size,
				   .sent = u->progress,
				   .sent_arg = u->arg};

	if (!url || ob_strlist_add(&headers, "Content-Type: application/octet-stream"))
		return ob_fail_nomem(err);
	return ob_registry_send(u->registry, &call, NULL, reply, err);
}

static ocib_errc upload_blob(const upload *u, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_http_retry retry = {0};
	bool again;
	ocib_errc rc;

	do {
		ob_autofree char *location = NULL;

		rc = open_session(u->registry, "", NULL, &location, err);
		/* open_session() has repeated what could be repeated. */
		if (rc || !location)
			return rc;
		rc = put_bytes(u, location, &reply, err);
		rc = ob_http_retry_wait(&retry, u->registry->ctx, rc, &reply, &again, err);
	} while (again && !rc);
	if (rc)
		return rc;
	if (reply.status != 201 && reply.status != 204)
		return ob_registry_fail_status(u->registry, &reply, err);
	return OCIB_OK;
}

ocib_errc ob_registry_put_blob(ob_registry *registry, const ob_descriptor *blob, int fd,
			       ob_registry_progress progress, void *arg, bool *skipped,
			       ocib_error **err)
{
	const upload u = {
		.registry = registry, .blob = blob, .fd = fd, .progress = progress, .arg = arg};
	bool has = false;

	ocib_errc rc = ob_registry_has_blob(registry, &blob->digest, &has, err);
	if (rc)
		return rc;
	if (skipped)
		*skipped = has;
	if (!has)
		rc = upload_blob(&u, err);
	return rc ? ob_registry_wrap(registry, err, rc, "push blob %s to %s", blob->digest.text,
				     registry->path)
		  : OCIB_OK;
}
