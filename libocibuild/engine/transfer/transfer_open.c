/* engine/transfer/transfer_open.c — the source of a transfer: found, chosen by platform, fetched.
 *
 * "work" is the store that holds the image: the caller's for names in it, the layout for layouts,
 * and for images in registries the place they are going to, or a temporary layout where they only
 * pass through.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/options.h"
#include "base/strings.h"
#include "engine/source/blob_origin.h"
#include "engine/source/image_documents.h"
#include "engine/source/parallel.h"
#include "engine/transfer/transfer.h"

#define CONNECTIONS 3 /* as docker and containerd do */
#define MAX_DEPTH   4

static ocib_errc read_options(ob_transfer *t, const ocib_transfer_options *o, ocib_error **err)
{
	const ob_registry_options registry = {.plain_http = o->plain_http != 0,
					      .skip_tls_verify = o->skip_tls_verify != 0,
					      .ca_file = o->ca_cert,
					      .username = o->username,
					      .password = o->password};

	if (!o->platform)
		ob_platform_host(&t->platform);
	else if (ob_str_eq(o->platform, "all"))
		t->all_platforms = true;
	else if (ob_platform_parse(o->platform, &t->platform, err))
		return OCIB_ERR_INVALID;
	return ob_registry_set_new(t->ctx, &registry, &t->registries, err);
}

ocib_errc ob_transfer_init(ob_transfer *t, ocib_context *ctx, ob_store *store,
			   const ocib_transfer_options *options, ocib_error **err)
{
	ocib_transfer_options known;

	*t = (ob_transfer){.ctx = ctx, .store = store};
	ocib_errc rc = ob_options_load(&known, options, err);
	return rc ? rc : read_options(t, &known, err);
}

void ob_transfer_done(ob_transfer *t)
{
	ob_descriptor_done(&t->root);
	ob_descriptor_done(&t->named);
	ob_blob_fetcher_free(t->fetcher);
	if (t->temp_layout)
		(void)ocib_store_close(t->temp_layout);
	if (t->temp)
		(void)ob_remove_tree(ob_store_dirfd(t->store), t->temp, NULL);
	free(t->temp);
	ob_layout_source_done(&t->layout);
	ob_image_name_done(&t->source);
	ob_registry_set_free(t->registries);
}

/* ---- Finding. ---- */

static ocib_errc find_in_store(ob_transfer *t, ob_descriptor *root, ocib_error **err)
{
	const ob_reference *ref = &t->source.ref;

	t->work = t->store;
	t->place.origin = ref->path ? ref : NULL;
	if (ref->path && ob_digest_is_set(&ref->digest))
		return ob_store_describe(t->store, ref->digest.text, root, err);
	return ob_store_find_image(t->store, t->source.text, root, err);
}

static ocib_errc make_temp_layout(ob_transfer *t, ocib_error **err)
{
	ocib_errc rc = ob_store_new_temp_dir(t->store, &t->temp, err);

	if (rc)
		return rc;
	ob_autofree char *path = ob_str_printf("%s/%s/layout", ob_store_path(t->store), t->temp);
	return path ? ob_layout_open(path, true, &t->temp_layout, err) : ob_fail_nomem(err);
}

static ocib_errc find_in_registry(ob_transfer *t, ob_store *into, ob_descriptor *root,
				  ocib_error **err)
{
	ocib_errc rc = into ? OCIB_OK : make_temp_layout(t, err);

	t->work = into ? into : t->temp_layout;
	t->place.origin = &t->source.ref;
	t->place.is_there = true;
	if (!rc)
		rc = ob_registry_set_trust(t->registries, t->source.ref.domain, err);
	return rc ? rc : ob_image_document_fetch(t->work, t->registries, &t->source.ref, root, err);
}

static ocib_errc find(ob_transfer *t, ob_store *into, ob_descriptor *root, ocib_error **err)
{
	if (t->source.place == OB_PLACE_STORE)
		return find_in_store(t, root, err);
	if (t->source.place == OB_PLACE_REGISTRY)
		return find_in_registry(t, into, root, err);
	ocib_errc rc = ob_layout_source_open(t->ctx, t->store, &t->source, &t->layout, err);
	if (rc)
		return rc;
	t->work = t->layout.layout;
	return ob_descriptor_copy(root, &t->layout.root) ? ob_fail_nomem(err) : OCIB_OK;
}

static ocib_errc choose(ob_transfer *t, const ob_descriptor *root, ob_descriptor *out,
			ocib_error **err)
{
	ob_auto(ob_manifest) manifest = NULL;

	if (t->all_platforms)
		return ob_descriptor_copy(out, root) ? ob_fail_nomem(err) : OCIB_OK;
	return ob_image_document_choose(t->work, t->registries, &t->place, root, &t->platform, out,
					&manifest, err);
}

/* ---- Documents and blobs. ---- */

typedef struct blob_list {
	ob_transfer *t;
	ob_descriptor *items;
	size_t len, cap;
	atomic_uint_fast64_t bytes, skipped;
} blob_list;

static void blob_list_done(blob_list *list)
{
	for (size_t i = 0; i < list->len; i++)
		ob_descriptor_done(&list->items[i]);
	free(list->items);
}

static ocib_errc add_blob(blob_list *list, const ob_descriptor *blob, ocib_error **err)
{
	if (list->len == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 64;
		ob_descriptor *items = realloc(list->items, cap * sizeof(*items));

		if (!items)
			return ob_fail_nomem(err);
		list->items = items;
		list->cap = cap;
	}
	list->items[list->len] = (ob_descriptor){0};
	if (ob_descriptor_copy(&list->items[list->len], blob))
		return ob_fail_nomem(err);
	list->len++;
	return OCIB_OK;
}

static ocib_errc collect(blob_list *list, const ob_descriptor *d, unsigned depth, ocib_error **err);

static ocib_errc collect_index(blob_list *list, const ob_descriptor *d, const ob_buffer *text,
			       unsigned depth, ocib_error **err)
{
	ob_auto(ob_index) index = NULL;

	if (!depth)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "image indexes are nested more than %d levels deep", MAX_DEPTH);
	ocib_errc rc = ob_index_parse(text->data, text->len, d->media_type, &index, err);
	for (size_t i = 0; !rc && i < index->manifest_count; i++)
		rc = collect(list, &index->manifests[i], depth - 1, err);
	return rc;
}

static ocib_errc collect_manifest(blob_list *list, const ob_descriptor *d, const ob_buffer *text,
				  ocib_error **err)
{
	ob_auto(ob_manifest) manifest = NULL;

	ocib_errc rc = ob_manifest_parse(text->data ? text->data : "", text->len, d->media_type,
					 &manifest, err);
	if (rc)
		return rc;
	rc = add_blob(list, &manifest->config, err);
	for (size_t i = 0; !rc && i < manifest->layer_count; i++)
		rc = add_blob(list, &manifest->layers[i], err);
	return rc;
}

/* Reads the document, which brings it into work, and lists the blobs below it. */
static ocib_errc collect(blob_list *list, const ob_descriptor *d, unsigned depth, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	const ob_transfer *t = list->t;

	ocib_errc rc = ob_check_canceled(t->ctx, err);
	if (!rc)
		rc = ob_image_document_read(t->work, t->registries, &t->place, d, &text, err);
	if (rc)
		return rc;
	if (text.len && ob_document_kind(text.data, text.len, d->media_type) == 1)
		return collect_index(list, d, &text, depth, err);
	return collect_manifest(list, d, &text, err);
}

static ocib_errc fetch_blob(size_t i, void *arg, ocib_error **err)
{
	blob_list *list = arg;
	ob_transfer *t = list->t;
	const ob_descriptor *blob = &list->items[i];
	bool here = ob_store_has_blob(t->work, &blob->digest);

	ocib_errc rc = ob_check_canceled(t->ctx, err);
	if (!rc && !here && blob->rest && ob_json_len(ob_json_get(blob->rest, "urls")) > 0)
		return OCIB_OK; /* not for redistribution: it stays where its descriptor says */
	if (!rc)
		rc = ob_blob_fetch(t->fetcher, &t->place, blob, 0, err);
	if (rc)
		return rc;
	if (here)
		atomic_fetch_add(&list->skipped, 1);
	else
		atomic_fetch_add(&list->bytes, blob->size);
	if (t->source.place == OB_PLACE_REGISTRY)
		ob_blob_origin_add(t->store, &blob->digest, &t->source.ref);
	return OCIB_OK;
}

ocib_errc ob_transfer_fetch(ob_transfer *t, ocib_error **err)
{
	ob_autodone(blob_list) list = {.t = t};

	ocib_errc rc = collect(&list, &t->root, MAX_DEPTH, err);
	if (!rc)
		rc = ob_parallel(list.len, CONNECTIONS, fetch_blob, &list, err);
	if (rc)
		return ob_wrap(err, rc, "image '%s'", t->source.text);
	t->result.bytes += atomic_load(&list.bytes);
	t->result.blobs_skipped += atomic_load(&list.skipped);
	return OCIB_OK;
}

static ocib_errc open_source(ob_transfer *t, ob_store *into, ocib_error **err)
{
	ob_autodone(ob_descriptor) chosen = {0};
	ob_autodone(blob_list) documents = {.t = t};

	ocib_errc rc = find(t, into, &t->named, err);
	if (!rc)
		rc = choose(t, &t->named, &chosen, err);
	if (rc)
		return rc;
	/* What the source says about it beside is the source's affair: names, for one. */
	t->root = (ob_descriptor){.media_type = strdup(chosen.media_type),
				  .digest = chosen.digest,
				  .size = chosen.size,
				  .has_platform = chosen.has_platform,
				  .platform = chosen.platform};
	if (!t->root.media_type)
		return ob_fail_nomem(err);
	snprintf(t->result.digest, sizeof(t->result.digest), "%s", t->root.digest.text);
	rc = ob_blob_fetcher_new(t->ctx, t->work, t->registries, &t->fetcher, err);
	return rc ? rc : collect(&documents, &t->root, MAX_DEPTH, err);
}

ocib_errc ob_transfer_open(ob_transfer *t, ob_store *into, ocib_error **err)
{
	ocib_errc rc = open_source(t, into, err);

	return rc ? ob_wrap(err, rc, "image '%s'", t->source.text) : OCIB_OK;
}
