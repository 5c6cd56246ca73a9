/* engine/transfer/push.c — see push.h.
 *
 * Per blob, what costs least comes first: a mount where a repository of the same registry is known
 * to have it (one request, whether it is there already or not), a HEAD, and only then bytes, which
 * may have to be fetched from elsewhere first. Where a blob has been is remembered for the next
 * push.
 */
#include "engine/transfer/push.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/source/blob_origin.h"
#include "engine/source/parallel.h"
#include "engine/source/progress_meter.h"
#include "image/manifest.h"

#define CONNECTIONS 4
#define MAX_DEPTH   4
#define MAX_MOUNTS  2 /* repositories that are tried */

typedef struct push {
	const ob_push_request *request;
	ob_registry *registry;
	const ob_descriptor **blobs; /* of the manifest under way: layers, then the config */
	atomic_uint_fast64_t bytes, skipped;
} push;

/* ---- Blobs. ---- */

/*
 * A repository of the destination's registry that has the blob, other than the destination
 * itself.
 */
static const char *mount_source(const push *p, const char *name)
{
	const ob_reference *to = p->request->destination;
	size_t len = strlen(to->domain);

	if (strncmp(name, to->domain, len) || name[len] != '/' ||
	    ob_str_eq(name + len + 1, to->path))
		return NULL;
	return name + len + 1;
}

/*
 * A blob that is not here is wherever the image came from; one that is may never have been in a
 * registry.
 */
static ocib_errc list_repositories(const push *p, const ob_descriptor *blob, ob_strlist *out,
				   ocib_error **err)
{
	const ob_push_request *request = p->request;
	const ob_reference *origin = request->place.origin;

	if (origin && !ob_store_has_blob(request->store, &blob->digest) &&
	    ob_strlist_add_printf(out, "%s/%s", origin->domain, origin->path))
		return ob_fail_nomem(err);
	return ob_blob_origin_list(request->memory, &blob->digest, out, err);
}

/* Mounting saves work; that it fails only means that the work is done. */
static ocib_errc try_mounts(push *p, const ob_descriptor *blob, bool *mounted, ocib_error **err)
{
	ob_autodone(ob_strlist) names = {0};
	size_t tried = 0;

	ocib_errc rc = list_repositories(p, blob, &names, err);
	for (size_t i = 0; !rc && !*mounted && i < names.len && tried < MAX_MOUNTS; i++) {
		const char *from = mount_source(p, names.items[i]);
		ob_auto(ocib_error) failure = NULL;

		if (!from)
			continue;
		tried++;
		rc = ob_registry_mount_blob(p->registry, &blob->digest, from, mounted, &failure);
		if (rc == OCIB_ERR_PROTOCOL || rc == OCIB_ERR_NOTFOUND)
			rc = OCIB_OK;
		if (rc)
			return ob_error_move(err, &failure);
	}
	return rc;
}

static ocib_errc upload(push *p, const ob_descriptor *blob, bool *skipped, ocib_error **err)
{
	const ob_push_request *request = p->request;
	ob_autofd int fd = -1;
	ob_progress_meter meter;

	ocib_errc rc = ob_store_open_blob(request->store, &blob->digest, blob->size, &fd, err);
	if (rc)
		return rc;
	ob_progress_meter_init(&meter, request->ctx, request->step, "pushing", &blob->digest);
	rc = ob_registry_put_blob(p->registry, blob, fd, ob_progress_meter_update, &meter, skipped,
				  err);
	if (!rc && !*skipped)
		atomic_fetch_add(&p->bytes, blob->size);
	return rc;
}

static ocib_errc push_one(push *p, const ob_descriptor *blob, bool *skipped, ocib_error **err)
{
	const ob_push_request *request = p->request;

	ocib_errc rc = try_mounts(p, blob, skipped, err);
	if (rc || *skipped)
		return rc;
	if (ob_store_has_blob(request->store, &blob->digest))
		return upload(p, blob, skipped, err);
	rc = ob_registry_has_blob(p->registry, &blob->digest, skipped, err);
	if (rc || *skipped)
		return rc;
	rc = ob_blob_fetch(request->fetcher, &request->place, blob, request->step, err);
	return rc ? rc : upload(p, blob, skipped, err);
}

/*
 * Layers that are not for redistribution stay where they are: their descriptor says where
 * that is.
 */
static bool is_elsewhere(const push *p, const ob_descriptor *blob)
{
	return blob->rest && ob_json_len(ob_json_get(blob->rest, "urls")) > 0 &&
	       !ob_store_has_blob(p->request->store, &blob->digest);
}

/* Empty layers repeat within an image. */
static bool is_repeated(const push *p, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (ob_digest_eq(&p->blobs[k]->digest, &p->blobs[i]->digest))
			return true;
	}
	return false;
}

static ocib_errc push_blob(size_t i, void *arg, ocib_error **err)
{
	push *p = arg;
	const ob_descriptor *blob = p->blobs[i];
	bool skipped = false;

	ocib_errc rc = ob_check_canceled(p->request->ctx, err);
	if (rc || is_repeated(p, i) || is_elsewhere(p, blob))
		return rc;
	rc = push_one(p, blob, &skipped, err);
	if (rc)
		return rc;
	if (skipped)
		atomic_fetch_add(&p->skipped, 1);
	ob_blob_origin_add(p->request->memory, &blob->digest, p->request->destination);
	return OCIB_OK;
}

/* ---- Documents. ---- */

static ocib_errc push_document(push *p, const ob_descriptor *d, const char *name, unsigned depth,
			       ocib_error **err);

static ocib_errc push_manifest_blobs(push *p, const ob_manifest *manifest, ocib_error **err)
{
	size_t count = manifest->layer_count + 1;
	ob_autofree const ob_descriptor **blobs = calloc(count, sizeof(const ob_descriptor *));

	if (!blobs)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < manifest->layer_count; i++)
		blobs[i] = &manifest->layers[i];
	blobs[count - 1] = &manifest->config;
	p->blobs = blobs;
	ocib_errc rc = ob_parallel(count, CONNECTIONS, push_blob, p, err);
	p->blobs = NULL;
	return rc;
}

static ocib_errc push_children(push *p, const ob_index *index, unsigned depth, ocib_error **err)
{
	ocib_errc rc = OCIB_OK;

	if (!depth)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "image indexes are nested more than %d levels deep", MAX_DEPTH);
	for (size_t i = 0; !rc && i < index->manifest_count; i++)
		rc = push_document(p, &index->manifests[i], index->manifests[i].digest.text,
				   depth - 1, err);
	return rc;
}

static ocib_errc push_parts(push *p, const ob_descriptor *d, const ob_buffer *text, unsigned depth,
			    ocib_error **err)
{
	ob_auto(ob_manifest) manifest = NULL;
	ob_auto(ob_index) index = NULL;
	ocib_errc rc;

	if (ob_document_kind(text->data, text->len, d->media_type) == 1) {
		rc = ob_index_parse(text->data, text->len, d->media_type, &index, err);
		return rc ? rc : push_children(p, index, depth, err);
	}
	rc = ob_manifest_parse(text->data, text->len, d->media_type, &manifest, err);
	return rc ? rc : push_manifest_blobs(p, manifest, err);
}

/*
 * The document under @p name, with all it refers to, which is there where the document
 * itself is.
 */
static ocib_errc push_document(push *p, const ob_descriptor *d, const char *name, unsigned depth,
			       ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_autodone(ob_descriptor) there = {0};
	ob_auto(ocib_error) failure = NULL;

	ocib_errc rc = ob_store_read_blob(p->request->store, &d->digest, &text, err);
	if (rc)
		return rc;
	rc = ob_registry_head_manifest(p->registry, d->digest.text, &there, &failure);
	if (rc && rc != OCIB_ERR_NOTFOUND && rc != OCIB_ERR_PROTOCOL)
		return ob_error_move(err, &failure);
	if (rc)
		rc = push_parts(p, d, &text, depth, err);
	else
		atomic_fetch_add(&p->skipped, 1);
	if (!rc && (!ob_digest_is_set(&there.digest) || !ob_str_eq(name, d->digest.text)))
		rc = ob_registry_put_manifest(p->registry, name, d->media_type, text.data, text.len,
					      err);
	return rc;
}

ocib_errc ob_push_image(const ob_push_request *request, ocib_transfer_result *result,
			ocib_error **err)
{
	const ob_reference *to = request->destination;
	push p = {.request = request};

	ocib_errc rc = ob_registry_set_get(request->registries, to, true, &p.registry, err);
	if (!rc)
		rc = push_document(&p, request->root,
				   to->tag ? to->tag : request->root->digest.text, MAX_DEPTH, err);
	if (rc)
		return rc;
	snprintf(result->digest, sizeof(result->digest), "%s", request->root->digest.text);
	result->bytes = atomic_load(&p.bytes);
	result->blobs_skipped = atomic_load(&p.skipped);
	return OCIB_OK;
}
