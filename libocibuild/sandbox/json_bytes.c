/* sandbox/json_bytes.c — strings of any bytes in JSON messages.
 *
 * Paths, environments and file contents are bytes; JSON strings are Unicode. Nearly everything is
 * UTF-8 and stays readable; what is not, or holds a NUL, travels as an object with one member, the
 * bytes in hexadecimal.
 */
#include "sandbox/json_bytes.h"
#include <string.h>
#include "base/strings.h"

ob_json *ob_json_new_bytes(const void *data, size_t len)
{
	if (!data)
		return NULL;
	if (!memchr(data, '\0', len) && ob_utf8_valid(data, len))
		return ob_json_new_strn(data, len);

	ob_autofree char *hex = malloc(2 * len + 1);
	if (!hex)
		return NULL;
	ob_hex_encode(data, len, hex);
	ob_json *object = ob_json_object();
	if (object)
		ob_json_set(object, "hex", ob_json_new_str(hex));
	return object;
}

void ob_json_set_bytes(ob_json *object, const char *key, const void *data, size_t len)
{
	ob_json_set(object, key, ob_json_new_bytes(data, len));
}

void ob_json_set_path(ob_json *object, const char *key, const char *text)
{
	if (text)
		ob_json_set_bytes(object, key, text, strlen(text));
}

void ob_json_set_paths(ob_json *object, const char *key, const ob_strlist *list)
{
	ob_json *array = ob_json_array();

	for (size_t i = 0; i < list->len; i++)
		ob_json_push(array, ob_json_new_bytes(list->items[i], strlen(list->items[i])));
	ob_json_set(object, key, array);
}

static ocib_errc take_value(const ob_json *value, const char *key, char **out, size_t *len,
			    ocib_error **err)
{
	const char *text = ob_json_str(value), *hex = ob_json_get_str(value, "hex");
	size_t count = text ? strlen(text) : hex ? strlen(hex) / 2 : 0;

	if (!text && !hex)
		return ob_fail(err, OCIB_ERR_CORRUPT, "message member '%s' is no string of bytes",
			       key);
	ob_autofree char *bytes = malloc(count + 1);
	if (!bytes)
		return ob_fail_nomem(err);
	if (text)
		memcpy(bytes, text, count);
	else if (!ob_hex_decode(hex, (uint8_t *)bytes, count))
		return ob_fail(err, OCIB_ERR_CORRUPT, "message member '%s' is not hexadecimal",
			       key);
	bytes[count] = '\0';
	if (len)
		*len = count;
	else if (strlen(bytes) != count)
		return ob_fail(err, OCIB_ERR_CORRUPT, "message member '%s' holds a NUL byte", key);
	*out = ob_take_ptr(bytes);
	return OCIB_OK;
}

ocib_errc ob_json_take_bytes(const ob_json *object, const char *key, char **out, size_t *len,
			     ocib_error **err)
{
	return take_value(ob_json_get(object, key), key, out, len, err);
}

ocib_errc ob_json_take_path(const ob_json *object, const char *key, char **out, ocib_error **err)
{
	if (!ob_json_get(object, key)) {
		*out = NULL;
		return OCIB_OK;
	}
	return take_value(ob_json_get(object, key), key, out, NULL, err);
}

ocib_errc ob_json_take_paths(const ob_json *object, const char *key, ob_strlist *list,
			     ocib_error **err)
{
	const ob_json *array = ob_json_get(object, key);

	for (size_t i = 0; i < ob_json_len(array); i++) {
		char *text = NULL;
		ocib_errc r = take_value(ob_json_at(array, i), key, &text, NULL, err);

		if (r < 0)
			return r;
		if (ob_strlist_take(list, text) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}
