/* engine/source/image_resolve.c — what a name means: in the store, a layout, or a registry.
 *
 * A plain name is looked up in the store first. What a registry says a tag means is remembered (in
 * the store's cache, not as a name of the store): the next time a HEAD request tells whether it
 * still does, and without a network it is what is used, with a warning.
 */
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/source/image_documents.h"
#include "engine/source/image_source_inside.h"

#define MIN_ID_LEN 12 /* of an image id's beginning, as lists show it */

/* ---- What a tag meant the last time. ---- */

static int record_key(const ob_image_source *image, ob_digest *out)
{
	ob_autofree char *text = ob_str_printf("resolved name\n%s", image->full_name);

	if (!text)
		return -1;
	ob_digest_of(out, text, strlen(text));
	return 0;
}

/* False where nothing is remembered, or its document is not in the store any more. */
static bool recall(const ob_image_source *image, ob_descriptor *out)
{
	ob_auto(ob_json) record = NULL;
	ob_digest key;

	if (record_key(image, &key) ||
	    ob_store_get_record(image->sources->store, &key, &record, NULL) ||
	    ob_descriptor_from_json(record, out, NULL))
		return false;
	if (ob_store_has_blob(image->sources->store, &out->digest))
		return true;
	ob_descriptor_done(out);
	*out = (ob_descriptor){0};
	return false;
}

static void remember(const ob_image_source *image, const ob_descriptor *root)
{
	ob_auto(ob_json) record = ob_descriptor_to_json(root);
	ob_digest key;

	if (record && !record_key(image, &key))
		(void)ob_store_put_record(image->sources->store, &key, record, NULL);
}

/* ---- The registry. ---- */

/* Does the registry still say what it said the last time? Any failure is a no: GET will tell. */
static bool is_current(const ob_image_source *image, const ob_descriptor *last)
{
	ob_autodone(ob_descriptor) now = {0};
	ob_registry *registry = NULL;

	return !ob_registry_set_get(image->sources->registries, &image->name.ref, false, &registry,
				    NULL) &&
	       !ob_registry_head_manifest(registry, image->name.ref.tag, &now, NULL) &&
	       ob_digest_eq(&now.digest, &last->digest);
}

static ocib_errc ask_registry(ob_image_source *image, ocib_error **err)
{
	ob_image_sources *sources = image->sources;
	const ob_reference *ref = &image->name.ref;

	ocib_errc rc = ob_registry_set_trust(sources->registries, ref->domain, err);
	if (rc)
		return rc;
	image->from_registry = true;
	if (ob_digest_is_set(&ref->digest))
		return ob_image_document_fetch(sources->store, sources->registries, ref,
					       &image->root, err);
	if (recall(image, &image->root)) {
		if (is_current(image, &image->root))
			return OCIB_OK;
		ob_descriptor_done(&image->root);
		image->root = (ob_descriptor){0};
	}
	rc = ob_image_document_fetch(sources->store, sources->registries, ref, &image->root, err);
	if (!rc)
		remember(image, &image->root);
	return rc;
}

/*
 * Is a refusal as good as "not there"? Docker Hub answers so whoever asks for what it would not
 * show.
 */
static bool means_missing(const ob_image_source *image, const ocib_error *failure)
{
	int status = ocib_error_http_status(failure);
	ob_registry *registry = NULL;

	if (ocib_error_code(failure) == OCIB_ERR_NOTFOUND)
		return true;
	return status == 401 &&
	       !ob_registry_set_get(image->sources->registries, &image->name.ref, false, &registry,
				    NULL) &&
	       !ob_registry_has_credentials(registry);
}

/* One error out of two: not in the store, and the registry's reason. */
static ocib_errc fail_nowhere(const ob_image_source *image, ocib_error **failure, ocib_error **err)
{
	if (!means_missing(image, *failure)) {
		ocib_errc rc = ob_error_move(err, failure);

		return ob_wrap(err, rc, "image '%s' is not in the store", image->name.text);
	}
	(void)ob_fail(err, OCIB_ERR_NOTFOUND, "image '%s' is not in the store, and %s",
		      image->name.text, ocib_error_message(*failure));
	if (ocib_error_hint(*failure))
		ob_error_set_hint(err, "%s", ocib_error_hint(*failure));
	ob_error_set_http_status(err, ocib_error_http_status(*failure));
	return OCIB_ERR_NOTFOUND;
}

static ocib_errc use_remembered(ob_image_source *image, ocib_error **err)
{
	if (!recall(image, &image->root))
		return ob_fail(
			err, OCIB_ERR_NOTFOUND,
			"image '%s' is not in the store, and no registry may be asked: offline",
			image->name.text);
	image->from_registry = true;
	ob_emit_warning(image->sources->ctx, NULL, 0,
			"offline: '%s' is taken to be %s, as it was when it was last asked for",
			image->name.text, image->root.digest.text);
	return OCIB_OK;
}

/* ---- The store. ---- */

static ocib_errc find_reference(ob_image_source *image, ocib_error **err)
{
	ob_store *store = image->sources->store;
	const ob_reference *ref = &image->name.ref;

	if (!ob_digest_is_set(&ref->digest))
		return ob_store_get_ref(store, image->full_name, &image->root, err);
	if (!ob_store_has_blob(store, &ref->digest))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "image '%s' is not in the store",
			       image->name.text);
	return ob_store_describe(store, ref->digest.text, &image->root, err);
}

static bool may_be_id(const char *text)
{
	size_t len = strlen(text);

	return len >= MIN_ID_LEN && strspn(text, "0123456789abcdef") == len;
}

static ocib_errc find_in_store(ob_image_source *image, ocib_error **err)
{
	const ob_image_name *name = &image->name;
	ob_auto(ocib_error) failure = NULL;
	ocib_errc rc = OCIB_ERR_NOTFOUND;

	if (name->ref.path)
		rc = find_reference(image, &failure);
	if (rc != OCIB_ERR_NOTFOUND)
		return rc ? ob_error_move(err, &failure) : OCIB_OK;
	if (!name->ref.path || may_be_id(name->text))
		return ob_store_find_image(image->sources->store, name->text, &image->root, err);
	return ob_error_move(err, &failure);
}

static ocib_errc find_plain(ob_image_source *image, bool pull, ocib_error **err)
{
	ob_auto(ocib_error) failure = NULL;
	bool offline = ob_context_offline(image->sources->ctx);
	/* What has a digest can be no newer, and what is an id is in no registry. */
	bool store_first = !pull || offline || !image->name.ref.path ||
			   ob_digest_is_set(&image->name.ref.digest);

	if (store_first) {
		ocib_errc rc = find_in_store(image, &failure);

		if (!rc)
			return OCIB_OK;
		if (rc != OCIB_ERR_NOTFOUND || !image->name.ref.path)
			return ob_error_move(err, &failure);
		failure = ocib_error_free(failure);
	}
	if (offline)
		return use_remembered(image, err);
	ocib_errc rc = ask_registry(image, &failure);
	if (!rc)
		return OCIB_OK;
	return store_first ? fail_nowhere(image, &failure, err) : ob_error_move(err, &failure);
}

ocib_errc ob_image_source_find(ob_image_source *image, bool pull, ocib_error **err)
{
	ob_image_sources *sources = image->sources;
	ocib_errc rc;

	switch (image->name.place) {
	case OB_PLACE_STORE: return find_plain(image, pull, err);
	case OB_PLACE_REGISTRY: return ask_registry(image, err);
	default: break;
	}
	rc = ob_layout_source_open(sources->ctx, sources->store, &image->name, &image->layout, err);
	if (rc)
		return rc;
	return ob_descriptor_copy(&image->root, &image->layout.root) ? ob_fail_nomem(err) : OCIB_OK;
}

/* ---- Manifest and config. ---- */

static ocib_errc check_manifest(const ob_image_source *image, ocib_error **err)
{
	static const char *const types[] = {OB_MEDIA_OCI_CONFIG, OB_MEDIA_DOCKER_CONFIG,
					    "application/octet-stream"};
	const ob_manifest *manifest = image->manifest;
	bool known = false;

	for (size_t i = 0; i < OB_ARRAY_LEN(types); i++)
		known = known || ob_str_eq(manifest->config.media_type, types[i]);
	if (!known)
		return ob_fail(err, OCIB_ERR_UNSUPPORTED,
			       "it is no image: its configuration is of type '%.128s'",
			       manifest->config.media_type);
	for (size_t i = 0; i < manifest->layer_count; i++) {
		if (!ob_media_is_layer(manifest->layers[i].media_type))
			return ob_fail(err, OCIB_ERR_UNSUPPORTED,
				       "its layer %zu is of type '%.128s'", i + 1,
				       manifest->layers[i].media_type);
	}
	if (manifest->config.size > OB_LIMIT_CONFIG)
		return ob_fail(err, OCIB_ERR_LIMIT, "a configuration of more than %llu bytes",
			       OB_LIMIT_CONFIG);
	return OCIB_OK;
}

static ocib_errc read_config(ob_image_source *image, ob_buffer *text, ocib_error **err)
{
	const ob_descriptor *config = &image->manifest->config;
	ob_store *layout = image->layout.layout;
	const ob_blob_place place = ob_image_source_place(image);

	if (layout && ob_store_has_blob(layout, &config->digest))
		return ob_store_read_blob(layout, &config->digest, text, err);
	ocib_errc rc = ob_blob_fetch(image->sources->fetcher, &place, config, 0, err);
	return rc ? rc : ob_store_read_blob(image->sources->store, &config->digest, text, err);
}

static ocib_errc load_config(ob_image_source *image, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "image configuration");

	ocib_errc rc = read_config(image, &text, err);
	if (!rc)
		rc = ob_config_parse(text.data ? text.data : "", text.len, &image->config, err);
	if (rc)
		return rc;
	if (image->config->diff_id_count != image->manifest->layer_count)
		return ob_fail(err, OCIB_ERR_CORRUPT, "%zu layers, and a configuration for %zu",
			       image->manifest->layer_count, image->config->diff_id_count);
	return OCIB_OK;
}

/* BuildKit uses such an image too, and says so. */
static void warn_platform(const ob_image_source *image, const ob_platform *wanted)
{
	const ob_platform *have = &image->config->platform;
	char want_text[128], have_text[128];

	if (!have->arch[0] || ob_platform_match(wanted, have) >= 0)
		return;
	ob_platform_format(wanted, want_text);
	ob_platform_format(have, have_text);
	ob_emit_warning(
		image->sources->ctx, NULL, 0,
		"InvalidBaseImagePlatform: image '%s' is for \"%s\", expected \"%s\" for this "
		"build",
		image->name.text, have_text, want_text);
}

static ocib_errc load(ob_image_source *image, const ob_platform *platform, ocib_error **err)
{
	ob_autodone(ob_descriptor) descriptor = {0};
	const ob_blob_place place = ob_image_source_place(image);

	ocib_errc rc = ob_image_document_choose(image->sources->store, image->sources->registries,
						&place, &image->root, platform, &descriptor,
						&image->manifest, err);
	if (rc)
		return rc;
	image->digest = descriptor.digest;
	rc = check_manifest(image, err);
	if (!rc)
		rc = load_config(image, err);
	if (!rc)
		warn_platform(image, platform);
	return rc;
}

ocib_errc ob_image_source_load(ob_image_source *image, const ob_platform *platform,
			       ocib_error **err)
{
	ocib_errc rc = load(image, platform, err);

	return rc ? ob_wrap(err, rc, "image '%s'", image->name.text) : OCIB_OK;
}
