/* image/go_json.c — JSON as Go's encoding/json writes it.
 *
 * Configs and manifests of nearly all images were written by Go programs. Writing them the same way
 * makes an image of ours comparable byte by byte with BuildKit's, and reading them with the same
 * leniency (null is absent) accepts what Go programs leave behind; nothing else is forgiven: a member of
 * another type than expected is an error that names it.
 *
 * The dump is the JSON library's compact text with Go's escapes put in afterwards. That is safe on
 * finished text: <, >, & and the bytes of U+2028 can only occur inside its strings.
 */
#include "image/go_json.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"

/** Append [text, text + len), escaped as Go does it. */
static void append_escaped(ob_buffer *out, const char *text, size_t len)
{
	size_t done = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\\' && i + 1 < len && text[i + 1] != 'u') {
			i++;
		} else if (c == '\\' && i + 5 < len) {
			char hex[7];

			memcpy(hex, text + i, 6);
			hex[6] = '\0';
			ob_str_lower(hex);
			ob_buffer_append(out, text + done, i - done);
			ob_buffer_append_str(out, hex);
			i += 5;
			done = i + 1;
		} else if (c == '<' || c == '>' || c == '&') {
			ob_buffer_append(out, text + done, i - done);
			ob_buffer_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
			done = i + 1;
		} else if (c == '\xe2' && i + 2 < len && text[i + 1] == '\x80' &&
			   (text[i + 2] == '\xa8' || text[i + 2] == '\xa9')) {
			ob_buffer_append(out, text + done, i - done);
			ob_buffer_append_str(out, text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029");
			i += 2;
			done = i + 1;
		}
	}
	ob_buffer_append(out, text + done, len - done);
}

ocib_errc ob_go_json_dump(const ob_json *json, ob_buffer *out, ocib_error **err)
{
	ob_autodone(ob_buffer) plain = OB_BUFFER_INIT(OB_LIMIT_JSON, "JSON document");
	ocib_errc r = ob_json_dump(json, OB_JSON_COMPACT, &plain, err);

	if (r != OCIB_OK)
		return r;
	append_escaped(out, plain.data, plain.len);
	return ob_buffer_check(out, err);
}

ob_json *ob_go_json_sorted(ob_json *object)
{
	ob_auto(ob_json) from = object;
	ob_auto(ob_json) to = ob_json_object();
	ob_autodone(ob_strlist) keys = {0};
	const ob_json *value;
	const char *key;

	ob_json_foreach (from, key, value) {
		(void)value;
		if (ob_strlist_add(&keys, key) < 0)
			return NULL;
	}
	ob_strlist_sort(&keys);
	for (size_t i = 0; i < keys.len; i++)
		ob_json_set(to, keys.items[i], ob_json_copy(ob_json_get(from, keys.items[i])));
	return ob_take_ptr(to);
}

static ocib_errc wrong_type(const char *key, const char *wanted, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_CORRUPT, "'%.100s' is not %s", key, wanted);
}

/** The member, or NULL where it is absent or null. */
static const ob_json *present(const ob_json *object, const char *key)
{
	const ob_json *value = ob_json_get(object, key);

	return ob_json_is_null(value) ? NULL : value;
}

ocib_errc ob_go_json_read_text(const ob_json *object, const char *key, char **out, ocib_error **err)
{
	const ob_json *value = present(object, key);
	const char *text = ob_json_str(value);

	if (value && !text)
		return wrong_type(key, "a string", err);
	if (!text || !text[0])
		return OCIB_OK;
	*out = strdup(text);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_go_json_read_texts(const ob_json *object, const char *key, ob_strlist *out,
				ocib_error **err)
{
	const ob_json *array;
	ocib_errc r = ob_go_json_read_array(object, key, SIZE_MAX, &array, err);

	for (size_t i = 0; r == OCIB_OK && i < ob_json_len(array); i++) {
		const char *text = ob_json_str(ob_json_at(array, i));

		if (!text)
			r = wrong_type(key, "an array of strings", err);
		else if (ob_strlist_add(out, text) < 0)
			r = ob_fail_nomem(err);
	}
	return r;
}

ocib_errc ob_go_json_read_int(const ob_json *object, const char *key, int64_t *out,
			      ocib_error **err)
{
	if (present(object, key) && !ob_json_get_i64(object, key, out))
		return wrong_type(key, "an integer", err);
	return OCIB_OK;
}

ocib_errc ob_go_json_read_bool(const ob_json *object, const char *key, bool *out, ocib_error **err)
{
	const ob_json *value = present(object, key);

	if (value && !ob_json_is_bool(value))
		return wrong_type(key, "true or false", err);
	if (value)
		*out = ob_json_get_bool(object, key);
	return OCIB_OK;
}

ocib_errc ob_go_json_read_array(const ob_json *object, const char *key, size_t max,
				const ob_json **out, ocib_error **err)
{
	const ob_json *value = present(object, key);

	if (value && !ob_json_is_array(value))
		return wrong_type(key, "an array", err);
	if (value && ob_json_len(value) > max)
		return ob_fail(err, OCIB_ERR_LIMIT, "'%s' has more than %zu elements", key, max);
	*out = value;
	return OCIB_OK;
}

ocib_errc ob_go_json_read_object(const ob_json *object, const char *key, const ob_json **out,
				 ocib_error **err)
{
	const ob_json *value = present(object, key);

	if (value && !ob_json_is_object(value))
		return wrong_type(key, "an object", err);
	*out = value;
	return OCIB_OK;
}

ocib_errc ob_go_json_read_map(const ob_json *object, const char *key, ob_strlist *out,
			      ocib_error **err)
{
	const ob_json *map, *value;
	const char *name;
	ocib_errc r = ob_go_json_read_object(object, key, &map, err);

	if (r != OCIB_OK)
		return r;
	ob_json_foreach (map, name, value) {
		if (!ob_json_str(value))
			return wrong_type(key, "an object of strings", err);
		if (strchr(name, '='))
			return ob_fail(err, OCIB_ERR_CORRUPT, "'%s': key '%.100s' has a '='", key,
				       name);
		if (ob_strlist_add_printf(out, "%s=%s", name, ob_json_str(value)) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

ob_json *ob_go_json_map(const ob_strlist *pairs)
{
	ob_json *map = ob_json_object();

	if (!pairs->len)
		return ob_json_free(map);
	for (size_t i = 0; i < pairs->len; i++) {
		const char *equals = strchr(pairs->items[i], '=');
		ob_autofree char *key =
			equals ? strndup(pairs->items[i], (size_t)(equals - pairs->items[i]))
			       : NULL;

		ob_json_set(map, key ? key : "", key ? ob_json_new_str(equals + 1) : NULL);
	}
	return ob_go_json_sorted(map);
}

ocib_errc ob_go_json_read_rest(const ob_json *object, const char *const *known, ob_json **out,
			       ocib_error **err)
{
	ob_auto(ob_json) rest = NULL;
	const ob_json *value;
	const char *key;

	ob_json_foreach (object, key, value) {
		const char *const *one = known;
		ob_json *copy;

		while (*one && !ob_str_eq(*one, key))
			one++;
		if (*one)
			continue;
		if (!rest)
			rest = ob_json_object();
		copy = ob_json_copy(value);
		if (!rest || !copy) {
			ob_json_free(copy);
			return ob_fail_nomem(err);
		}
		ob_json_set(rest, key, copy);
	}
	*out = ob_take_ptr(rest);
	return OCIB_OK;
}
