/* engine/build/step_cache.c — keys of steps and the records under them.
 *
 * A key is the hash of what a step does and of the key of what it stands on, so that it is known before
 * anything ran. A record says which layer came out and on which tree (by chain id). It is believed only
 * where the tree is the same now: a step that was run again and gave other bytes makes all records above
 * it void, although their keys are the same.
 *
 * A record whose layer is gone, or that cannot be read, is as good as none.
 */
#include "engine/build/step_cache.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/strings.h"

static void append_framed(ob_buffer *buffer, const void *data, size_t len)
{
	uint64_t framed = len;

	ob_buffer_append(buffer, &framed, sizeof(framed));
	if (len)
		ob_buffer_append(buffer, data, len);
}

ocib_errc ob_step_key(const char *kind, const ob_key_part *parts, size_t count,
		      uint8_t out[OB_SHA256_LEN], ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "cache key");

	append_framed(&text, kind, strlen(kind));
	for (size_t i = 0; i < count; i++)
		append_framed(&text, parts[i].data, parts[i].len);
	ocib_errc r = ob_buffer_check(&text, err);
	if (r < 0)
		return r;
	ob_sha256(text.data, text.len, out);
	return OCIB_OK;
}

ocib_errc ob_step_key_of_tree(const ob_digest *chain_id, uint8_t out[OB_SHA256_LEN],
			      ocib_error **err)
{
	const ob_key_part part = {chain_id->bytes,
				  ob_digest_is_set(chain_id) ? sizeof(chain_id->bytes) : 0};

	return ob_step_key("tree", &part, 1, out, err);
}

void ob_step_record_done(ob_step_record *record)
{
	ob_descriptor_done(&record->descriptor);
	free(record->created);
	*record = (ob_step_record){0};
}

ocib_errc ob_step_record_of_layer(const ob_layer_result *layer, const ob_digest *parent,
				  ob_step_record *out, ocib_error **err)
{
	ob_autodone(ob_step_record) record = {.diff_id = layer->diff_id, .parent = *parent};
	struct timespec now;
	char text[40];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	ob_time_format(now.tv_sec, (uint32_t)now.tv_nsec, text);
	record.created = strdup(text);
	if (!record.created || ob_descriptor_copy(&record.descriptor, &layer->descriptor) < 0)
		return ob_fail_nomem(err);
	*out = record;
	record = (ob_step_record){0};
	return OCIB_OK;
}

ocib_errc ob_step_record_to_layer(const ob_step_record *record, ob_layer_result *out,
				  ocib_error **err)
{
	ob_autodone(ob_layer_result) layer = {.diff_id = record->diff_id};

	if (ob_descriptor_copy(&layer.descriptor, &record->descriptor) < 0)
		return ob_fail_nomem(err);
	*out = layer;
	layer = (ob_layer_result){0};
	return OCIB_OK;
}

bool ob_step_record_exists(ob_store *store, const uint8_t key[OB_SHA256_LEN])
{
	char path[sizeof("cache/") + 2 * OB_SHA256_LEN];
	char hex[2 * OB_SHA256_LEN + 1];

	ob_hex_encode(key, OB_SHA256_LEN, hex);
	(void)snprintf(path, sizeof(path), "cache/%s", hex);
	return faccessat(ob_store_dirfd(store), path, F_OK, 0) == 0;
}

/* false: this is no record of ours. */
static bool parse_record(const ob_json *json, ob_step_record *out)
{
	const char *diff_id = ob_json_get_str(json, "diffId");
	const char *parent = ob_json_get_str(json, "parent");
	const char *created = ob_json_get_str(json, "created");

	if (!diff_id || !created || ob_digest_parse(diff_id, &out->diff_id, NULL) < 0)
		return false;
	if (parent && ob_digest_parse(parent, &out->parent, NULL) < 0)
		return false;
	if (ob_descriptor_from_json(ob_json_get(json, "blob"), &out->descriptor, NULL) < 0)
		return false;
	out->created = strdup(created);
	return out->created != NULL;
}

static bool same_tree(const ob_digest *a, const ob_digest *b)
{
	if (!ob_digest_is_set(a) || !ob_digest_is_set(b))
		return ob_digest_is_set(a) == ob_digest_is_set(b);
	return ob_digest_eq(a, b);
}

ocib_errc ob_step_record_find(ob_store *store, const uint8_t key[OB_SHA256_LEN],
			      const ob_digest *parent, bool *found, ob_step_record *out,
			      ocib_error **err)
{
	ob_autodone(ob_step_record) record = {0};
	ob_auto(ob_json) json = NULL;
	ob_digest name;

	*found = false;
	ob_digest_from_bytes(&name, key);
	ocib_errc r = ob_store_get_record(store, &name, &json, NULL);
	if (r == OCIB_ERR_NOMEM)
		return ob_fail_nomem(err);
	if (r < 0 || !parse_record(json, &record) || !same_tree(&record.parent, parent))
		return OCIB_OK;
	if (!ob_store_has_blob(store, &record.descriptor.digest) ||
	    !ob_store_has_layer_index(store, &record.diff_id))
		return OCIB_OK;
	*out = record;
	record = (ob_step_record){0};
	*found = true;
	return OCIB_OK;
}

ocib_errc ob_step_record_save(ob_store *store, const uint8_t key[OB_SHA256_LEN],
			      const ob_step_record *record, ocib_error **err)
{
	ob_auto(ob_json) json = ob_json_object();
	ob_digest name;

	ob_json_set_str(json, "diffId", record->diff_id.text);
	ob_json_set_str(json, "parent",
			ob_digest_is_set(&record->parent) ? record->parent.text : NULL);
	ob_json_set_str(json, "created", record->created);
	ob_json_set(json, "blob", ob_descriptor_to_json(&record->descriptor));
	ob_digest_from_bytes(&name, key);
	return ob_store_put_record(store, &name, json, err);
}
