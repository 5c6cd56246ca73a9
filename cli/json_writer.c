/* cli/json_writer.c — see json_writer.h. Bytes that are no UTF-8 become U+FFFD, since JSON has none. */
#include "json_writer.h"
#include <string.h>
#include "cli.h"

static void begin(json_writer *json, const char *key)
{
	if (json->depth)
		fputs(json->filled ? ",\n" : "\n", json->to);
	fprintf(json->to, "%*s", (int)(2 * json->depth), "");
	if (key) {
		cli_format_json_string(json->to, key, strlen(key));
		fputs(": ", json->to);
	}
	json->filled = true;
}

void json_writer_open(json_writer *json, const char *key, char bracket)
{
	begin(json, key);
	fputc(bracket, json->to);
	json->depth++;
	json->filled = false;
}

void json_writer_close(json_writer *json, char bracket)
{
	json->depth--;
	if (json->filled)
		fprintf(json->to, "\n%*s", (int)(2 * json->depth), "");
	fputc(bracket, json->to);
	json->filled = true;
	if (!json->depth)
		fputc('\n', json->to);
}

/* How many bytes at text are one character; 0: they are none. */
static size_t character(const unsigned char *text, size_t len)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = *text < 0x80 ? 1 : *text < 0xc0 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;
	unsigned rune = size > 1 ? *text & (0x7fU >> size) : *text;

	if (!size || size > len || *text > 0xf4)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		rune = rune << 6 | (text[i] & 0x3f);
	}
	return rune < least[size] || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000) ? 0
											  : size;
}

static void put_text(FILE *to, const char *text)
{
	size_t left = strlen(text);

	fputc('"', to);
	while (left) {
		size_t size = character((const unsigned char *)text, left);

		if (size == 1 && (*text == '"' || *text == '\\'))
			fprintf(to, "\\%c", *text);
		else if (size == 1 && (*text < 0x20 || *text == 0x7f))
			fprintf(to, "\\u%04x", (unsigned)*text);
		else if (size)
			fwrite(text, 1, size, to);
		else
			fputs("\xef\xbf\xbd", to);
		text += size ? size : 1;
		left -= size ? size : 1;
	}
	fputc('"', to);
}

void json_writer_text(json_writer *json, const char *key, const char *text)
{
	begin(json, key);
	put_text(json->to, text);
}

void json_writer_text_if(json_writer *json, const char *key, const char *text)
{
	if (text && *text)
		json_writer_text(json, key, text);
}

void json_writer_number(json_writer *json, const char *key, unsigned long number)
{
	begin(json, key);
	fprintf(json->to, "%lu", number);
}

void json_writer_true_if(json_writer *json, const char *key, int value)
{
	if (!value)
		return;
	begin(json, key);
	fputs("true", json->to);
}

void json_writer_false(json_writer *json, const char *key)
{
	begin(json, key);
	fputs("false", json->to);
}

void json_writer_base64(json_writer *json, const char *key, const char *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *bytes = (const unsigned char *)data;

	begin(json, key);
	fputc('"', json->to);
	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		unsigned long three = (unsigned long)bytes[i] << 16 |
				      (have > 1 ? (unsigned long)bytes[i + 1] << 8 : 0) |
				      (have > 2 ? bytes[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			fputc(k <= have ? digits[three >> (18 - 6 * k) & 63] : '=', json->to);
	}
	fputc('"', json->to);
}
