/* engine/build/cache_export.c — the caches that a build used, as an artifact in each --cache-mount-to.
 *
 * Layers are written by a worker, as those of RUNs are, into a layout of the build's own, which goes with
 * it: caches take no room in the store twice. A cache that this build only looked up (its RUN was in the
 * cache of steps) and that is not here is handed on from where it can be had, so that it is not lost on
 * the way from one machine to the next.
 */
#include <poll.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/build/cache_carry.h"
#include "engine/build/step_events.h"
#include "engine/transfer/archive_write.h"
#include "engine/transfer/push.h"
#include "store/cache_dir.h"

#define EMPTY_CONFIG "application/vnd.oci.empty.v1+json"
#define WAIT_MS      50

typedef struct cache_export {
	ob_cache_carry *carry;
	ob_workshop *shop;
	ob_registry_set *registries;
	uint32_t threads;
	ob_step_span span;
	char *dir;        /* temporary */
	ob_store *layout; /* in it */
	ob_manifest *manifest;
	ob_descriptor root; /* of the manifest, once it is written */
} cache_export;

static void cache_export_done(cache_export *x)
{
	(void)ob_manifest_free(x->manifest);
	ob_descriptor_done(&x->root);
	if (x->layout)
		(void)ocib_store_close(x->layout);
	free(x->dir);
}

/* --- layers --- */

static ocib_errc annotate(ob_descriptor *layer, const ob_cache_use *use, const ob_digest *diff_id,
			  const ob_tree_root *root, ocib_error **err)
{
	ob_autofree char *mode = ob_str_printf("%04o", root->mode);
	ob_autofree char *owner = ob_str_printf("%u:%u", root->uid, root->gid);
	const char *const pairs[][2] = {
		{OB_CACHE_KEY, use->key.text},     {OB_CACHE_ID, use->id},
		{OB_CACHE_DIFF_ID, diff_id->text}, {OB_CACHE_ROOT_MODE, mode},
		{OB_CACHE_ROOT_OWNER, owner},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(pairs); i++)
		if (!pairs[i][1] || ob_env_set(&layer->annotations, pairs[i][0], pairs[i][1]) < 0)
			return ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc write_layer(cache_export *x, const ob_cache_dir *dir, ob_layer_result *layer,
			     ob_tree_root *root, ocib_error **err)
{
	ob_auto(ob_blob_writer) blob = NULL;
	ob_worker *worker = NULL;
	uint64_t entries = 0;

	ocib_errc r = ob_blob_writer_open(x->layout, &blob, err);
	if (r < 0)
		return r;
	ob_autofree char *path =
		ob_str_printf("%s/%s", ob_store_path(x->layout), ob_blob_writer_path(blob));
	if (!path)
		return ob_fail_nomem(err);
	const ob_diff_request request = {
		.upper = ob_cache_dir_path(dir),
		.blob_path = path,
		.root = root,
		.writer = {.compression = OB_COMPRESSION_ZSTD,
			   .threads = x->threads,
			   .no_hidden_index = true},
		.step = x->span.id,
	};
	r = ob_workshop_take(x->shop, &worker, err);
	if (r < 0)
		return r;
	r = ob_worker_diff(worker, &request, layer, &entries, err);
	ob_workshop_return(x->shop, worker, r);
	return r < 0 ? r : ob_blob_writer_commit_trusted(blob, &layer->descriptor.digest, err);
}

static ocib_errc add_own(cache_export *x, const ob_cache_use *use, const ob_cache_dir *dir,
			 ocib_error **err)
{
	ob_autodone(ob_layer_result) layer = {0};
	ob_tree_root root = {0};

	ocib_errc r = write_layer(x, dir, &layer, &root, err);
	if (r == OCIB_OK)
		r = annotate(&layer.descriptor, use, &layer.diff_id, &root, err);
	if (r == OCIB_OK && ob_manifest_add_layer(x->manifest, &layer.descriptor) < 0)
		r = ob_fail_nomem(err);
	return r < 0 ? ob_wrap(err, r, "cache mount '%s'", use->id) : OCIB_OK;
}

/* It is not here: what cannot be handed on either is lost, and that is said. */
static ocib_errc add_foreign(cache_export *x, const ob_cache_use *use, ocib_error **err)
{
	ob_auto(ocib_error) why = NULL;
	ob_autofree char *path = NULL;
	ob_cache_found found;
	ob_digest diff_id;
	ob_tree_root root;

	if (!ob_cache_carry_find(x->carry, &use->key, &found))
		return OCIB_OK;
	ocib_errc r = ob_cache_carry_fetch(&found, x->span.id, &path, &diff_id, &root, &why);
	if (r == OCIB_OK)
		r = ob_store_copy_blob(found.source->transfer.work, x->layout, found.layer, &why);
	if (r == OCIB_ERR_CANCELED || r == OCIB_ERR_NOMEM)
		return ob_error_move(err, &why);
	if (r < 0)
		ob_emit_warning(x->carry->ctx, NULL, 0, "cache mount '%s' is not handed on: %s",
				use->id, ocib_error_message(why));
	else if (ob_manifest_add_layer(x->manifest, found.layer) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* Another build may have it: then it is waited for. */
static ocib_errc hold(cache_export *x, const ob_cache_use *use, ob_cache_dir **dir,
		      ocib_error **err)
{
	ocib_context *ctx = x->carry->ctx;
	struct pollfd stop = {.fd = ob_cancel_fd(ctx), .events = POLLIN};
	bool is_busy = true, told = false;
	ocib_errc r = OCIB_OK;

	while (is_busy && r == OCIB_OK) {
		r = ob_cache_dir_take_first(x->carry->store, &use->key, dir, &is_busy, err);
		if (r < 0 || !is_busy)
			break;
		if (!told)
			ob_emit_note(ctx, "waiting for cache mount '%s': another build has it",
				     use->id);
		told = true;
		(void)poll(&stop, 1, WAIT_MS);
		r = ob_check_canceled(ctx, err);
	}
	return r;
}

static ocib_errc add_cache(cache_export *x, const ob_cache_use *use, ocib_error **err)
{
	ob_auto(ob_cache_dir) dir = NULL;
	ocib_errc r = hold(x, use, &dir, err);

	if (r < 0)
		return r;
	return dir ? add_own(x, use, dir, err) : add_foreign(x, use, err);
}

/* --- the artifact --- */

static ocib_errc write_manifest(cache_export *x, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_manifest *m = x->manifest;

	m->media_type = strdup(OB_MEDIA_OCI_MANIFEST);
	m->artifact_type = strdup(OB_CACHE_ARTIFACT);
	m->config.media_type = strdup(EMPTY_CONFIG);
	m->config.size = strlen("{}");
	x->root.media_type = strdup(OB_MEDIA_OCI_MANIFEST);
	if (!m->media_type || !m->artifact_type || !m->config.media_type || !x->root.media_type)
		return ob_fail_nomem(err);
	ocib_errc r = ob_store_write_blob(x->layout, "{}", strlen("{}"), &m->config.digest, err);
	if (r == OCIB_OK)
		r = ob_manifest_format(m, &text, err);
	if (r == OCIB_OK)
		r = ob_store_write_blob(x->layout, text.data, text.len, &x->root.digest, err);
	x->root.size = text.len;
	return r == OCIB_OK ? ob_store_flush(x->layout, err) : r;
}

static ocib_errc begin(cache_export *x, ocib_error **err)
{
	ocib_errc r = ob_workshop_new_dir(x->shop, &x->dir, err);

	if (r < 0)
		return r;
	ob_autofree char *path = ob_str_printf("%s/layout", x->dir);
	x->manifest = calloc(1, sizeof(*x->manifest));
	if (!path || !x->manifest)
		return ob_fail_nomem(err);
	return ob_layout_open(path, true, &x->layout, err);
}

/* --- where it goes --- */

static ocib_errc to_layout(cache_export *x, const ob_image_name *to, ocib_error **err)
{
	const char *name = to->tag ? to->tag : "latest";
	ob_auto(ocib_store) layout = NULL;

	ocib_errc r = ob_layout_open(to->path, true, &layout, err);
	if (r == OCIB_OK)
		r = ob_store_copy_image(x->layout, layout, &x->root, NULL, err);
	return r == OCIB_OK ? ob_store_set_refs(layout, &name, &x->root, 1, err) : r;
}

static ocib_errc to_archive(cache_export *x, const ob_image_name *to, ocib_error **err)
{
	const char *const tags[] = {to->tag ? to->tag : "latest", NULL};

	return ob_archive_write_oci(x->carry->ctx, x->layout, &x->root, to->path, tags, NULL, NULL,
				    err);
}

static ocib_errc to_registry(cache_export *x, const ob_image_name *to, ocib_error **err)
{
	ob_auto(ob_blob_fetcher) fetcher = NULL;
	ocib_transfer_result result = {0};

	ocib_errc r = ob_registry_set_trust(x->registries, to->ref.domain, err);
	if (r == OCIB_OK)
		r = ob_blob_fetcher_new(x->carry->ctx, x->layout, x->registries, &fetcher, err);
	const ob_push_request request = {
		.ctx = x->carry->ctx,
		.store = x->layout,
		.memory = x->carry->store,
		.registries = x->registries,
		.fetcher = fetcher,
		.root = &x->root,
		.destination = &to->ref,
		.step = x->span.id,
	};
	return r == OCIB_OK ? ob_push_image(&request, &result, err) : r;
}

static ocib_errc send(cache_export *x, const ob_image_name *to, ocib_error **err)
{
	ocib_errc r = to->place == OB_PLACE_LAYOUT        ? to_layout(x, to, err)
		      : to->place == OB_PLACE_OCI_ARCHIVE ? to_archive(x, to, err)
							  : to_registry(x, to, err);

	return r < 0 ? ob_wrap(err, r, "cache mounts to '%s'", to->text) : OCIB_OK;
}

static ocib_errc export_all(cache_export *x, ocib_error **err)
{
	const ob_cache_carry *carry = x->carry;
	ocib_errc r = begin(x, err);

	for (size_t i = 0; i < carry->use_count && r == OCIB_OK; i++)
		r = add_cache(x, &carry->uses[i], err);
	if (r == OCIB_OK)
		r = write_manifest(x, err);
	for (size_t i = 0; i < carry->target_count && r == OCIB_OK; i++)
		r = send(x, &carry->targets[i], err);
	return r;
}

ocib_errc ob_cache_carry_export(ob_cache_carry *carry, ob_workshop *shop, uint32_t threads,
				ob_registry_set *registries, ocib_error **err)
{
	ob_autodone(cache_export) x = {
		.carry = carry,
		.shop = shop,
		.threads = threads,
		.registries = registries,
		.span = {.text = "exporting cache mounts"},
	};

	if (!carry->target_count)
		return OCIB_OK;
	ob_span_start(carry->ctx, &x.span);
	return ob_span_end(carry->ctx, &x.span, export_all(&x, err));
}
