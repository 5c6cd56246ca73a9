/* registry/server_message.c — a refusal's body, whoever wrote it, as one harmless line.
 *
 * Registries answer {"errors":[{"code","message","detail"}]}; token servers {"details"},
 * {"message"} or OAuth's {"error","error_description"}; proxies a page of HTML, which helps nobody.
 * The bytes come from outside and go to a terminal: control characters and broken UTF-8 become '?'.
 */
#include "registry/server_message.h"
#include <string.h>
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"

static void append_safe(ob_buffer *out, size_t limit, const char *text, size_t len)
{
	bool valid = ob_utf8_valid(text, len);

	for (size_t i = 0; i < len && out->len < limit; i++) {
		unsigned char c = (unsigned char)text[i];
		/* C1 controls are 0xc2 0x80…0x9f in UTF-8. */
		bool c1 = valid && c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0;

		if (c == '\n' || c == '\t' || c == '\r')
			c = ' ';
		else if (c < 0x20 || c == 0x7f || c1 || (!valid && c >= 0x80))
			c = '?';
		ob_buffer_append_char(out, (char)c);
		i += c1;
	}
	/* Never end inside a character. */
	while (out->len && valid && out->len >= limit && (out->data[out->len - 1] & 0x80)) {
		bool lead = (out->data[out->len - 1] & 0x40) != 0;

		out->data[--out->len] = '\0';
		if (lead)
			break;
	}
}

static void append_pair(ob_buffer *out, size_t limit, const char *code, const char *message)
{
	if (code)
		append_safe(out, limit, code, strlen(code));
	if (code && message && *message)
		ob_buffer_append_str(out, ": ");
	if (message)
		append_safe(out, limit, message, strlen(message));
}

static void append_json(ob_buffer *out, size_t limit, const ob_json *json)
{
	static const char *const keys[] = {"details", "message", "error_description", "error"};
	const ob_json *errors = ob_json_get(json, "errors");

	for (size_t i = 0; i < ob_json_len(errors) && out->len < limit; i++) {
		const ob_json *one = ob_json_at(errors, i);

		if (i)
			ob_buffer_append_str(out, "; ");
		append_pair(out, limit, ob_json_get_str(one, "code"),
			    ob_json_get_str(one, "message"));
	}
	for (size_t i = 0; i < OB_ARRAY_LEN(keys) && !ob_json_len(errors); i++) {
		const char *text = ob_json_get_str(json, keys[i]);

		if (!text)
			continue;
		append_pair(out, limit, NULL, text);
		return;
	}
}

void ob_server_message(const char *body, size_t len, ob_buffer *out)
{
	size_t limit = out->len + OB_LIMIT_HTTP_MESSAGE;
	ob_auto(ob_json) json = NULL;
	ob_auto(ocib_error) ignored = NULL;

	while (len && strchr(" \r\n\t", body[len - 1]))
		len--;
	while (len && strchr(" \r\n\t", *body)) {
		body++;
		len--;
	}
	if (!len || *body == '<')
		return;
	if (ob_json_parse(body, len, &json, &ignored) == OCIB_OK)
		append_json(out, limit, json);
	else
		append_safe(out, limit, body, len);
}
