/* engine/source/blob_origin.c — a record per blob: {"repositories": ["127.0.0.1:5000/runtime", …]}.
 *
 * Written when an image is looked at in a registry or pushed to one, and only if it says something
 * new. Two processes may overwrite each other's addition; the next transfer makes up for it.
 */
#include "engine/source/blob_origin.h"
#include <string.h>
#include "base/json.h"
#include "base/strings.h"

#define MAX_ORIGINS 8

static int make_key(const ob_digest *digest, ob_digest *out)
{
	ob_autofree char *text = ob_str_printf("blob origin\n%s", digest->text);

	if (!text)
		return -1;
	ob_digest_of(out, text, strlen(text));
	return 0;
}

ocib_errc ob_blob_origin_list(ob_store *store, const ob_digest *digest, ob_strlist *out,
			      ocib_error **err)
{
	ob_auto(ocib_error) failure = NULL;
	ob_auto(ob_json) record = NULL;
	ob_digest key;

	if (make_key(digest, &key))
		return ob_fail_nomem(err);
	ocib_errc rc = ob_store_get_record(store, &key, &record, &failure);
	if (rc == OCIB_ERR_NOTFOUND)
		return OCIB_OK;
	if (rc)
		return ob_error_move(err, &failure);
	if (ob_json_get_strlist(record, "repositories", out))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

void ob_blob_origin_add(ob_store *store, const ob_digest *digest, const ob_reference *repository)
{
	ob_autofree char *name = ob_str_printf("%s/%s", repository->domain, repository->path);
	ob_autodone(ob_strlist) old = {0};
	ob_autodone(ob_strlist) list = {0};
	ob_auto(ob_json) record = ob_json_object();
	ob_digest key;

	if (!name || make_key(digest, &key) || ob_blob_origin_list(store, digest, &old, NULL) ||
	    (old.len && ob_str_eq(old.items[0], name)) || ob_strlist_add(&list, name))
		return;
	for (size_t i = 0; i < old.len && list.len < MAX_ORIGINS; i++) {
		if (!ob_str_eq(old.items[i], name) && ob_strlist_add(&list, old.items[i]))
			return;
	}
	ob_json_set(record, "repositories", ob_json_new_strlist(&list));
	(void)ob_store_put_record(store, &key, record, NULL);
}
