/* base/json.h — JSON documents with limits. The only file that knows jansson is base/json.c.
 *
 * A document is a tree of ob_json values; a child is borrowed from its parent. Building: setters own
 * what they are given and make the document remember failure, which ob_json_dump() reports, so that
 * a document is built without a check per line. Objects keep the order of insertion.
 */
#ifndef OB_BASE_JSON_H
#define OB_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/strlist.h"

typedef struct ob_json ob_json; /* in fact a json_t */

/** Parse exactly one value of at most OB_LIMIT_JSON_DEPTH levels. Kinds: CORRUPT, LIMIT. */
ocib_errc ob_json_parse(const char *data, size_t len, ob_json **out, ocib_error **err);
ob_json *ob_json_free(ob_json *json); /**< drops a reference to a root */
ob_json *ob_json_ref(ob_json *json);  /**< one more reference, to keep a child beyond its parent */

/* Readers: NULL/false/0 when absent or of another type; everything accepts NULL. */
bool ob_json_is_object(const ob_json *json);
bool ob_json_is_array(const ob_json *json);
bool ob_json_is_null(const ob_json *json);
bool ob_json_is_bool(const ob_json *json);
const ob_json *ob_json_get(const ob_json *object, const char *key);
const char *ob_json_str(const ob_json *json);
const char *ob_json_get_str(const ob_json *object, const char *key);
bool ob_json_get_bool(const ob_json *object, const char *key);
bool ob_json_get_i64(const ob_json *object, const char *key, int64_t *out); /**< false if absent */
size_t ob_json_len(const ob_json *json); /**< of an array or object */
const ob_json *ob_json_at(const ob_json *array, size_t index);
/** The index-th member of an object, in order. O(index): iterate with ob_json_foreach. */
const ob_json *ob_json_member(const ob_json *object, size_t index, const char **key);
/** All strings of an array appended to list; -1 when one is not a string or there is no memory. */
int ob_json_get_strlist(const ob_json *object, const char *key, ob_strlist *list);

/** for (each member) — `ob_json_foreach(object, key, value) { … }`. */
void *ob_json_iter(const ob_json *object);
void *ob_json_iter_next(const ob_json *object, void *iter);
const char *ob_json_iter_key(void *iter);
const ob_json *ob_json_iter_value(void *iter);
#define ob_json_foreach(object, key, value)                                                \
	for (void *it_ = ob_json_iter(object);                                             \
	     it_ && ((key) = ob_json_iter_key(it_), (value) = ob_json_iter_value(it_), 1); \
	     it_ = ob_json_iter_next(object, it_))

/* Builders. A NULL container or value makes the whole build fail at ob_json_dump(). */
ob_json *ob_json_object(void);
ob_json *ob_json_array(void);
ob_json *ob_json_new_str(const char *text);
ob_json *ob_json_new_strn(const char *text, size_t len);
ob_json *ob_json_new_int(int64_t value);
ob_json *ob_json_new_bool(bool value);
ob_json *ob_json_new_null(void);
ob_json *ob_json_new_strlist(const ob_strlist *list);
void ob_json_set(ob_json *object, const char *key, ob_json *value); /**< owns value */
void ob_json_set_str(ob_json *object, const char *key,
		     const char *text); /**< NULL text: no member */
void ob_json_set_int(ob_json *object, const char *key, int64_t value);
void ob_json_set_bool(ob_json *object, const char *key, bool value);
void ob_json_push(ob_json *array, ob_json *value); /**< owns value */
void ob_json_del(ob_json *object, const char *key);
ob_json *ob_json_copy(const ob_json *json); /**< deep */

typedef enum ob_json_style {
	OB_JSON_COMPACT,
	OB_JSON_INDENT,
	OB_JSON_CANONICAL /* sorted keys */
} ob_json_style;
/** Append the text of @p json. Kinds: NOMEM, LIMIT. */
ocib_errc ob_json_dump(const ob_json *json, ob_json_style style, ob_buffer *out, ocib_error **err);

OB_DEFINE_AUTO(ob_json);

#endif
