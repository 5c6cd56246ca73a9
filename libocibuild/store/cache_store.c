/* store/cache_store.c — what the store keeps to save work: layer indexes, step records, unpacked trees.
 *
 * All of it can be made again, so a file that is missing or does not parse is simply not there, and
 * nothing is fsynced: a record that a crash of the machine tore is no JSON any more, and an index ends
 * with a checksum.
 */
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include "base/fds.h"
#include "base/limits.h"

bool ob_store_has_layer_index(ob_store *store, const ob_digest *diff_id)
{
	char path[OB_STORE_PATH_LEN];

	ob_store_object_path(OB_LAYERS_DIR, diff_id, path);
	return faccessat(store->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

ocib_errc ob_store_read_layer_index(ob_store *store, const ob_digest *diff_id, ob_layer_index **out,
				    ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "layer index");
	char path[OB_STORE_PATH_LEN];
	ocib_errc r;

	ob_store_object_path(OB_LAYERS_DIR, diff_id, path);
	r = ob_read_file(store->dirfd, path, &text, err);
	return r == OCIB_OK ? ob_layer_index_parse(text.data ? text.data : "", text.len, out, err)
			    : r;
}

ocib_errc ob_store_get_layer_index(ob_store *store, const ob_digest *diff_id, ob_layer_index **out,
				   ocib_error **err)
{
	char path[OB_STORE_PATH_LEN];
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = ob_store_read_layer_index(store, diff_id, out, &why);

	if (r == OCIB_OK)
		return r;
	if (r != OCIB_ERR_CORRUPT && r != OCIB_ERR_LIMIT)
		return ob_error_move(err, &why);
	/* Or ob_store_has_layer_index() would go on promising it. */
	ob_store_object_path(OB_LAYERS_DIR, diff_id, path);
	(void)unlinkat(store->dirfd, path, 0);
	return ob_fail(err, OCIB_ERR_NOTFOUND, "the index of layer %s in '%s' was damaged",
		       diff_id->text, store->path);
}

static ocib_errc refuse_layout(const ob_store *store, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_INVALID, "'%s' is an OCI layout: it has no caches",
		       store->path);
}

ocib_errc ob_store_put_layer_index(ob_store *store, const ob_digest *diff_id,
				   const ob_layer_index *index, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_LAYER_INDEX, "layer index");
	char path[OB_STORE_PATH_LEN];
	ocib_errc r;

	if (store->is_layout)
		return refuse_layout(store, err);
	r = ob_layer_index_format(index, &text, err);
	if (r != OCIB_OK)
		return r;
	ob_store_object_path(OB_LAYERS_DIR, diff_id, path);
	return ob_store_replace(store, path, text.data, text.len, OB_MAY_BE_LOST_OR_TORN, err);
}

ocib_errc ob_store_adopt_layer_index(ob_store *store, const ob_digest *diff_id, const char *path,
				     ocib_error **err)
{
	char to[OB_STORE_PATH_LEN];

	if (store->is_layout)
		return refuse_layout(store, err);
	ob_store_object_path(OB_LAYERS_DIR, diff_id, to);
	if (renameat(AT_FDCWD, path, store->dirfd, to) < 0)
		return ob_fail_errno(err, "move '%s' to '%s/%s'", path, store->path, to);
	return OCIB_OK;
}

ocib_errc ob_store_get_record(ob_store *store, const ob_digest *key, ob_json **out,
			      ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "step record");
	char path[OB_STORE_PATH_LEN];
	ocib_errc r;

	ob_store_object_path(OB_RECORDS_DIR, key, path);
	r = ob_read_file(store->dirfd, path, &text, err);
	if (r != OCIB_OK)
		return r;
	if (ob_json_parse(text.data ? text.data : "", text.len, out, NULL) != OCIB_OK)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "step record %s in '%s' is damaged",
			       ob_digest_hex(key), store->path);
	return OCIB_OK;
}

ocib_errc ob_store_put_record(ob_store *store, const ob_digest *key, const ob_json *record,
			      ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "step record");
	char path[OB_STORE_PATH_LEN];
	ocib_errc r;

	if (store->is_layout)
		return refuse_layout(store, err);
	r = ob_json_dump(record, OB_JSON_CANONICAL, &text, err);
	if (r != OCIB_OK)
		return r;
	ob_store_object_path(OB_RECORDS_DIR, key, path);
	return ob_store_replace(store, path, text.data, text.len, OB_MAY_BE_LOST_OR_TORN, err);
}

void ob_store_tree_path(const ob_digest *chain_id, char *out)
{
	ob_store_object_path(OB_TREES_DIR, chain_id, out);
}

bool ob_store_has_tree(ob_store *store, const ob_digest *chain_id)
{
	char path[OB_STORE_PATH_LEN];
	struct stat st;

	ob_store_tree_path(chain_id, path);
	return fstatat(store->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}
