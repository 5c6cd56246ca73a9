/* base/json.c — the only file that knows jansson; an ob_json is a json_t under another name.
 *
 * A failure while building (no memory, a NULL value) is remembered inside the document as a string that
 * is not UTF-8: jansson refuses to dump such a document, and no parsed document can contain one, since
 * text that is not UTF-8 never passes the parser and is mended on its way into a builder.
 */
#include "base/json.h"
#include <jansson.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"

#define POISON "\xff"

static json_t *inner(const ob_json *json)
{
	union {
		const ob_json *outer;
		json_t *held;
	} u = {.outer = json};

	return u.held;
}

static ob_json *outer(const json_t *json)
{
	union {
		const json_t *held;
		ob_json *outer;
	} u = {.held = json};

	return u.outer;
}

/* jansson recurses up to 2048 levels; our limit is checked before it sees the text. */
static bool is_shallow(const char *data, size_t len)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if ((c == '{' || c == '[') && ++depth > OB_LIMIT_JSON_DEPTH)
			return false;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return true;
}

ocib_errc ob_json_parse(const char *data, size_t len, ob_json **out, ocib_error **err)
{
	json_error_t why;

	if (!is_shallow(data, len))
		return ob_fail(err, OCIB_ERR_LIMIT, "JSON is nested more than %d levels deep",
			       OB_LIMIT_JSON_DEPTH);
	json_t *json = json_loadb(data, len, JSON_DECODE_ANY, &why);
	if (json) {
		*out = outer(json);
		return OCIB_OK;
	}
	if (json_error_code(&why) == json_error_out_of_memory)
		return ob_fail_nomem(err);
	return ob_fail(err, OCIB_ERR_CORRUPT, "not valid JSON: %s (line %d, column %d)", why.text,
		       why.line, why.column);
}

ob_json *ob_json_free(ob_json *json)
{
	json_decref(inner(json));
	return NULL;
}

ob_json *ob_json_ref(ob_json *json)
{
	return outer(json_incref(inner(json)));
}

bool ob_json_is_object(const ob_json *json)
{
	return json_is_object(inner(json));
}

bool ob_json_is_array(const ob_json *json)
{
	return json_is_array(inner(json));
}

bool ob_json_is_null(const ob_json *json)
{
	return json_is_null(inner(json));
}

bool ob_json_is_bool(const ob_json *json)
{
	return json_is_boolean(inner(json));
}

const ob_json *ob_json_get(const ob_json *object, const char *key)
{
	return outer(json_object_get(inner(object), key));
}

const char *ob_json_str(const ob_json *json)
{
	return json_string_value(inner(json));
}

const char *ob_json_get_str(const ob_json *object, const char *key)
{
	return ob_json_str(ob_json_get(object, key));
}

bool ob_json_get_bool(const ob_json *object, const char *key)
{
	return json_is_true(inner(ob_json_get(object, key)));
}

bool ob_json_get_i64(const ob_json *object, const char *key, int64_t *out)
{
	const json_t *value = inner(ob_json_get(object, key));

	if (!json_is_integer(value))
		return false;
	*out = json_integer_value(value);
	return true;
}

size_t ob_json_len(const ob_json *json)
{
	const json_t *in = inner(json);

	return json_is_array(in) ? json_array_size(in) : json_object_size(in);
}

const ob_json *ob_json_at(const ob_json *array, size_t index)
{
	return outer(json_array_get(inner(array), index));
}

const ob_json *ob_json_member(const ob_json *object, size_t index, const char **key)
{
	void *iter = ob_json_iter(object);

	for (; iter && index; index--)
		iter = ob_json_iter_next(object, iter);
	if (!iter)
		return NULL;
	if (key)
		*key = ob_json_iter_key(iter);
	return ob_json_iter_value(iter);
}

int ob_json_get_strlist(const ob_json *object, const char *key, ob_strlist *list)
{
	const ob_json *array = ob_json_get(object, key);

	for (size_t i = 0; i < ob_json_len(array); i++) {
		const char *text = ob_json_str(ob_json_at(array, i));

		if (!text || ob_strlist_add(list, text) < 0)
			return -1;
	}
	return 0;
}

void *ob_json_iter(const ob_json *object)
{
	return json_object_iter(inner(object));
}

void *ob_json_iter_next(const ob_json *object, void *iter)
{
	return json_object_iter_next(inner(object), iter);
}

const char *ob_json_iter_key(void *iter)
{
	return json_object_iter_key(iter);
}

const ob_json *ob_json_iter_value(void *iter)
{
	return outer(json_object_iter_value(iter));
}

ob_json *ob_json_object(void)
{
	return outer(json_object());
}

ob_json *ob_json_array(void)
{
	return outer(json_array());
}

ob_json *ob_json_new_str(const char *text)
{
	return text ? ob_json_new_strn(text, strlen(text)) : NULL;
}

/* Every byte that is not part of UTF-8 text becomes U+FFFD, as Go's encoder does. */
static ob_json *new_mended_str(const char *text, size_t len)
{
	ob_autodone(ob_buffer) mended = OB_BUFFER_INIT(SIZE_MAX - 1, "string");

	for (size_t i = 0; i < len;) {
		size_t step = text[i] ? ob_utf8_step(text + i, len - i) : 0;

		if (step)
			ob_buffer_append(&mended, text + i, step);
		else
			ob_buffer_append_str(&mended, "\xef\xbf\xbd");
		i += step ? step : 1;
	}
	if (mended.failed)
		return NULL;
	return outer(json_stringn_nocheck(mended.data, mended.len));
}

ob_json *ob_json_new_strn(const char *text, size_t len)
{
	if (ob_utf8_valid(text, len) && !memchr(text, '\0', len))
		return outer(json_stringn_nocheck(text, len));
	return new_mended_str(text, len);
}

ob_json *ob_json_new_int(int64_t value)
{
	return outer(json_integer(value));
}

ob_json *ob_json_new_bool(bool value)
{
	return outer(json_boolean(value));
}

ob_json *ob_json_new_null(void)
{
	return outer(json_null());
}

ob_json *ob_json_new_strlist(const ob_strlist *list)
{
	ob_json *array = ob_json_array();

	for (size_t i = 0; i < list->len; i++)
		ob_json_push(array, ob_json_new_str(list->items[i]));
	return array;
}

static void poison(json_t *container)
{
	json_t *bad = json_stringn_nocheck(POISON, 1);

	if (json_is_array(container))
		(void)json_array_append_new(container, bad);
	else
		(void)json_object_set_new_nocheck(container, POISON, bad);
}

void ob_json_set(ob_json *object, const char *key, ob_json *value)
{
	ob_auto(ob_json) mended = NULL;
	json_t *in = inner(object);

	if (!ob_utf8_valid(key, strlen(key))) {
		mended = ob_json_new_str(key);
		key = ob_json_str(mended);
	}
	if (!value || !key) {
		json_decref(inner(value));
		poison(in);
	} else if (json_object_set_new_nocheck(in, key, inner(value)) < 0) {
		poison(in);
	}
}

void ob_json_set_str(ob_json *object, const char *key, const char *text)
{
	if (text)
		ob_json_set(object, key, ob_json_new_str(text));
}

void ob_json_set_int(ob_json *object, const char *key, int64_t value)
{
	ob_json_set(object, key, ob_json_new_int(value));
}

void ob_json_set_bool(ob_json *object, const char *key, bool value)
{
	ob_json_set(object, key, ob_json_new_bool(value));
}

void ob_json_push(ob_json *array, ob_json *value)
{
	if (!value || json_array_append_new(inner(array), inner(value)) < 0)
		poison(inner(array));
}

void ob_json_del(ob_json *object, const char *key)
{
	(void)json_object_del(inner(object), key);
}

ob_json *ob_json_copy(const ob_json *json)
{
	return outer(json_deep_copy(inner(json)));
}

static int append_piece(const char *piece, size_t len, void *arg)
{
	ob_buffer *out = arg;

	ob_buffer_append(out, piece, len);
	return out->failed ? -1 : 0;
}

ocib_errc ob_json_dump(const ob_json *json, ob_json_style style, ob_buffer *out, ocib_error **err)
{
	static const size_t flags[] = {
		[OB_JSON_COMPACT] = JSON_COMPACT,
		[OB_JSON_INDENT] = JSON_INDENT(2),
		[OB_JSON_CANONICAL] = JSON_COMPACT | JSON_SORT_KEYS,
	};

	if (json &&
	    json_dump_callback(inner(json), append_piece, out, flags[style] | JSON_ENCODE_ANY) == 0)
		return OCIB_OK;
	if (out->failed)
		return ob_buffer_check(out, err);
	return ob_fail_nomem(err);
}
