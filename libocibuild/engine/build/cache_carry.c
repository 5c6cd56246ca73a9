/* engine/build/cache_carry.c — see cache_carry.h: places, and what is found in them.
 *
 * A cache is nobody's result: where it cannot be had, the build says so and begins with an empty one. A
 * place is opened by the first cache that is missing here, so a build that has all it needs asks nobody.
 */
#include "engine/build/cache_carry.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"

/* Paths need no transport: a directory is a layout, what ends in .tar an archive of one. */
static ocib_errc parse_place(const char *option, const char *text, ob_image_name *out,
			     ocib_error **err)
{
	bool is_path = text[0] == '/' || text[0] == '.';
	ob_autofree char *full =
		is_path ? ob_str_printf("%s%s",
					ob_str_ends(text, ".tar") ? "oci-archive:" : "oci:", text)
			: strdup(text);

	if (!full)
		return ob_fail_nomem(err);
	ocib_errc r = ob_image_name_parse(full, out, err);
	if (r < 0)
		return ob_wrap(err, r, "%s", option);
	if (out->place == OB_PLACE_STORE && out->ref.path)
		out->place = OB_PLACE_REGISTRY;
	if (out->place == OB_PLACE_REGISTRY || out->place == OB_PLACE_LAYOUT ||
	    out->place == OB_PLACE_OCI_ARCHIVE)
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID,
		       "%s is a directory, a file that ends in .tar, or a name in a registry, not "
		       "'%s'",
		       option, text);
}

static size_t count_names(const char *const *names)
{
	size_t count = 0;

	while (names && names[count])
		count++;
	return count;
}

static ocib_errc init_source(ob_cache_carry *carry, const char *name, ob_cache_source *source,
			     ocib_error **err)
{
	ocib_transfer_options options = OCIB_TRANSFER_OPTIONS_INIT;

	options.plain_http = carry->plain_http;
	source->name = name;
	ocib_errc r = ob_transfer_init(&source->transfer, carry->ctx, carry->store, &options, err);
	source->transfer.all_platforms = true; /* it has none */
	return r < 0 ? r : parse_place("--cache-mount-from", name, &source->transfer.source, err);
}

ocib_errc ob_cache_carry_init(ob_cache_carry *carry, ocib_context *ctx, ob_store *store,
			      const char *const *from, const char *const *to, bool plain_http,
			      ocib_error **err)
{
	size_t sources = count_names(from), targets = count_names(to);
	ocib_errc r = OCIB_OK;

	*carry = (ob_cache_carry){.ctx = ctx, .store = store, .plain_http = plain_http};
	(void)pthread_mutex_init(&carry->lock, NULL);
	carry->is_ready = true;
	carry->sources = calloc(sources + 1, sizeof(*carry->sources));
	carry->targets = calloc(targets + 1, sizeof(*carry->targets));
	if (!carry->sources || !carry->targets)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < sources && r == OCIB_OK; i++)
		r = init_source(carry, from[i], &carry->sources[carry->source_count++], err);
	for (size_t i = 0; i < targets && r == OCIB_OK; i++)
		r = parse_place("--cache-mount-to", to[i], &carry->targets[carry->target_count++],
				err);
	return r;
}

void ob_cache_carry_done(ob_cache_carry *carry)
{
	if (!carry->is_ready)
		return;
	for (size_t i = 0; i < carry->source_count; i++) {
		(void)ob_manifest_free(carry->sources[i].manifest);
		ob_transfer_done(&carry->sources[i].transfer);
	}
	for (size_t i = 0; i < carry->target_count; i++)
		ob_image_name_done(&carry->targets[i]);
	free(carry->sources);
	free(carry->targets);
	free(carry->uses);
	(void)pthread_mutex_destroy(&carry->lock);
	*carry = (ob_cache_carry){0};
}

/* --- what is there --- */

static ocib_errc read_manifest(ob_cache_source *source, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_auto(ob_manifest) manifest = NULL;
	ob_transfer *t = &source->transfer;

	ocib_errc r = ob_transfer_open(t, NULL, err);
	if (r == OCIB_OK)
		r = ob_store_read_blob(t->work, &t->root.digest, &text, err);
	if (r == OCIB_OK)
		r = ob_manifest_parse(text.data ? text.data : "", text.len, t->root.media_type,
				      &manifest, err);
	if (r < 0)
		return r;
	if (!manifest->artifact_type || !ob_str_eq(manifest->artifact_type, OB_CACHE_ARTIFACT))
		return ob_fail(err, OCIB_ERR_INVALID,
			       "it holds no cache mounts but something else");
	source->manifest = ob_take_ptr(manifest);
	return OCIB_OK;
}

/* Under the lock. The first build of all finds nothing; that is worth a note and no warning. */
static void open_source(const ob_cache_carry *carry, ob_cache_source *source)
{
	ob_auto(ocib_error) why = NULL;

	source->is_open = true;
	ocib_errc r = read_manifest(source, &why);
	if (r == OCIB_ERR_NOTFOUND)
		ob_emit_note(carry->ctx, "there are no cache mounts in '%s' yet", source->name);
	else if (r < 0)
		ob_emit_warning(carry->ctx, NULL, 0, "cache mounts from '%s': %s", source->name,
				ocib_error_message(why));
}

static const ob_descriptor *find_layer(const ob_manifest *manifest, const ob_digest *key)
{
	for (size_t i = 0; manifest && i < manifest->layer_count; i++) {
		const char *have = ob_descriptor_annotation(&manifest->layers[i], OB_CACHE_KEY);

		if (have && ob_str_eq(have, key->text))
			return &manifest->layers[i];
	}
	return NULL;
}

bool ob_cache_carry_find(ob_cache_carry *carry, const ob_digest *key, ob_cache_found *out)
{
	*out = (ob_cache_found){0};
	if (!carry->source_count)
		return false;
	(void)pthread_mutex_lock(&carry->lock);
	for (size_t i = 0; i < carry->source_count && !out->layer; i++) {
		ob_cache_source *source = &carry->sources[i];

		if (!source->is_open)
			open_source(carry, source);
		out->source = source;
		out->layer = find_layer(source->manifest, key);
	}
	(void)pthread_mutex_unlock(&carry->lock);
	return out->layer != NULL;
}

/* "UID:GID" and the mode in octal. */
static bool read_root(const ob_descriptor *layer, ob_tree_root *root)
{
	const char *owner = ob_descriptor_annotation(layer, OB_CACHE_ROOT_OWNER);
	const char *mode = ob_descriptor_annotation(layer, OB_CACHE_ROOT_MODE);
	const char *colon = owner ? strchr(owner, ':') : NULL;
	uint64_t numbers[3];

	if (!colon || !mode)
		return false;
	ob_autofree char *uid = strndup(owner, (size_t)(colon - owner));
	if (!uid || !ob_parse_u64(uid, 10, UINT32_MAX, &numbers[0]) ||
	    !ob_parse_u64(colon + 1, 10, UINT32_MAX, &numbers[1]) ||
	    !ob_parse_u64(mode, 8, 07777, &numbers[2]))
		return false;
	*root = (ob_tree_root){
		.uid = (uint32_t)numbers[0],
		.gid = (uint32_t)numbers[1],
		.mode = (uint32_t)numbers[2],
	};
	return true;
}

ocib_errc ob_cache_carry_fetch(const ob_cache_found *found, uint32_t step, char **path,
			       ob_digest *diff_id, ob_tree_root *root, ocib_error **err)
{
	const ob_transfer *t = &found->source->transfer;
	const char *claim = ob_descriptor_annotation(found->layer, OB_CACHE_DIFF_ID);

	if (!claim || !read_root(found->layer, root))
		return ob_fail(err, OCIB_ERR_CORRUPT, "layer %s does not say what it is",
			       found->layer->digest.text);
	ocib_errc r = ob_digest_parse(claim, diff_id, err);
	if (r == OCIB_OK)
		r = ob_blob_fetch(t->fetcher, &t->place, found->layer, step, err);
	if (r < 0)
		return r;
	*path = ob_str_printf("%s/blobs/sha256/%s", ob_store_path(t->work),
			      ob_digest_hex(&found->layer->digest));
	return *path ? OCIB_OK : ob_fail_nomem(err);
}

/* --- what was used --- */

/* Under the lock. */
static ocib_errc add_use(ob_cache_carry *carry, const ob_digest *key, const char *id,
			 ocib_error **err)
{
	ob_cache_use *grown;

	for (size_t i = 0; i < carry->use_count; i++)
		if (ob_digest_eq(&carry->uses[i].key, key))
			return OCIB_OK;
	grown = reallocarray(carry->uses, carry->use_count + 1, sizeof(*grown));
	if (!grown)
		return ob_fail_nomem(err);
	carry->uses = grown;
	grown[carry->use_count++] = (ob_cache_use){.key = *key, .id = id};
	return OCIB_OK;
}

ocib_errc ob_cache_carry_note(ob_cache_carry *carry, const ob_digest *key, const char *id,
			      ocib_error **err)
{
	if (!carry->target_count)
		return OCIB_OK;
	(void)pthread_mutex_lock(&carry->lock);
	ocib_errc r = add_use(carry, key, id, err);
	(void)pthread_mutex_unlock(&carry->lock);
	return r;
}
