/* image/go_json.h — JSON text as Go's encoding/json writes it, which is what other builders' bytes are.
 *
 * Also the readers that image documents share: a member of the wrong type is CORRUPT with its name,
 * an absent one or null is empty, as for Go's decoder.
 */
#ifndef OB_IMAGE_GO_JSON_H
#define OB_IMAGE_GO_JSON_H

#include "base/json.h"

/** Append compact text: <, >, & and U+2028/9 escaped, hex in lower case. Kinds: NOMEM, LIMIT. */
ocib_errc ob_go_json_dump(const ob_json *json, ob_buffer *out, ocib_error **err);
/** A copy of @p object with its members in bytewise order, as Go writes a map. Takes @p object. */
ob_json *ob_go_json_sorted(ob_json *object);

/** malloc'ed into *out; empty, null and absent leave it NULL. Kinds: CORRUPT, NOMEM. */
ocib_errc ob_go_json_read_text(const ob_json *object, const char *key, char **out,
			       ocib_error **err);
/** Appends the strings of an array. */
ocib_errc ob_go_json_read_texts(const ob_json *object, const char *key, ob_strlist *out,
				ocib_error **err);
ocib_errc ob_go_json_read_int(const ob_json *object, const char *key, int64_t *out,
			      ocib_error **err);
ocib_errc ob_go_json_read_bool(const ob_json *object, const char *key, bool *out, ocib_error **err);
/** The array of that name with at most @p max elements, or NULL in *out. Kinds: CORRUPT, LIMIT. */
ocib_errc ob_go_json_read_array(const ob_json *object, const char *key, size_t max,
				const ob_json **out, ocib_error **err);
/** The object of that name, or NULL in *out. */
ocib_errc ob_go_json_read_object(const ob_json *object, const char *key, const ob_json **out,
				 ocib_error **err);
/** An object of strings appended as KEY=VALUE; a key with '=' is CORRUPT. */
ocib_errc ob_go_json_read_map(const ob_json *object, const char *key, ob_strlist *out,
			      ocib_error **err);
/** The inverse: sorted by key; NULL when the list is empty. */
ob_json *ob_go_json_map(const ob_strlist *pairs);
/** Members of @p object whose keys are not among @p known (NULL-terminated), or NULL: a new object. */
ocib_errc ob_go_json_read_rest(const ob_json *object, const char *const *known, ob_json **out,
			       ocib_error **err);

#endif
