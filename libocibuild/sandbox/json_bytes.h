/* sandbox/json_bytes.h — strings of any bytes in JSON messages: text where it is UTF-8, else {"hex": …}. */
#ifndef OB_SANDBOX_JSON_BYTES_H
#define OB_SANDBOX_JSON_BYTES_H

#include "base/json.h"

/** A value for @p len bytes; NULL for NULL data (ob_json_set() then fails at the dump) or no memory. */
ob_json *ob_json_new_bytes(const void *data, size_t len);
void ob_json_set_bytes(ob_json *object, const char *key, const void *data, size_t len);
/** The same for C strings; a NULL string makes no member. */
void ob_json_set_path(ob_json *object, const char *key, const char *text);
void ob_json_set_paths(ob_json *object, const char *key, const ob_strlist *list);

/** malloc'ed and NUL-terminated; *len may be NULL. Kinds: CORRUPT (no such member, or of another form). */
ocib_errc ob_json_take_bytes(const ob_json *object, const char *key, char **out, size_t *len,
			     ocib_error **err);
/** An absent member gives NULL; bytes with a NUL inside are CORRUPT. */
ocib_errc ob_json_take_path(const ob_json *object, const char *key, char **out, ocib_error **err);
/** An absent member gives an empty list. */
ocib_errc ob_json_take_paths(const ob_json *object, const char *key, ob_strlist *list,
			     ocib_error **err);

#endif
