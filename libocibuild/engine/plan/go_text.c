/* engine/plan/go_text.c — see go_text.h.
 *
 * BuildKit writes history entries with Go's fmt verbs. They have corners of their own (escapes by
 * Unicode property, durations in their largest unit), so they are followed here rather than
 * approximated with printf.
 */
#include "engine/plan/go_text.h"
#include <string.h>
#include "base/strings.h"
#include "dockerfile/runes.h"

/* What strconv.IsPrint refuses, as ranges: controls, spaces other than ' ', format characters,
 * surrogates, private use, noncharacters. Unassigned code points, which change with every Unicode
 * version, count as printable. */
static bool is_printable(uint32_t rune)
{
	static const uint32_t refused[][2] = {
		{0x00, 0x1F},     {0x7F, 0xA0},       {0xAD, 0xAD},       {0x600, 0x605},
		{0x61C, 0x61C},   {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x1680, 0x1680},
		{0x180E, 0x180E}, {0x2000, 0x200F},   {0x2028, 0x202F},   {0x205F, 0x206F},
		{0x3000, 0x3000}, {0xD800, 0xF8FF},   {0xFEFF, 0xFEFF},   {0xFFF0, 0xFFFB},
		{0xFFFE, 0xFFFF}, {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF}, {0xF0000, 0x10FFFF},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(refused); i++)
		if (rune >= refused[i][0] && rune <= refused[i][1])
			return false;
	return true;
}

static void quote_rune(uint32_t rune, const char *bytes, size_t len, ob_buffer *out)
{
	static const char letters[] = "abtnvfr"; /* \a is 7, and so on */

	if (rune == '"' || rune == '\\') {
		ob_buffer_printf(out, "\\%c", (char)rune);
	} else if (rune >= OB_RUNE_INVALID) {
		ob_buffer_printf(out, "\\x%02x", (unsigned)(unsigned char)*bytes);
	} else if (is_printable(rune)) {
		ob_buffer_append(out, bytes, len);
	} else if (rune >= '\a' && rune <= '\r') {
		ob_buffer_printf(out, "\\%c", letters[rune - '\a']);
	} else if (rune < ' ' || rune == 0x7F) {
		ob_buffer_printf(out, "\\x%02x", (unsigned)rune);
	} else if (rune < 0x10000) {
		ob_buffer_printf(out, "\\u%04x", (unsigned)rune);
	} else {
		ob_buffer_printf(out, "\\U%08x", (unsigned)rune);
	}
}

void ob_go_quote(const char *text, ob_buffer *out)
{
	size_t left = strlen(text);

	ob_buffer_append_char(out, '"');
	while (left) {
		uint32_t rune = 0;
		size_t len = ob_rune_decode(text, left, &rune);

		quote_rune(rune, text, len, out);
		text += len;
		left -= len;
	}
	ob_buffer_append_char(out, '"');
}

void ob_go_quote_list(const ob_strlist *list, ob_buffer *out)
{
	ob_buffer_append_char(out, '[');
	for (size_t i = 0; i < list->len; i++) {
		if (i)
			ob_buffer_append_char(out, ' ');
		ob_go_quote(list->items[i], out);
	}
	ob_buffer_append_char(out, ']');
}

void ob_go_list(const ob_strlist *list, ob_buffer *out)
{
	ob_buffer_append_char(out, '[');
	for (size_t i = 0; i < list->len; i++)
		ob_buffer_printf(out, "%s%s", i ? " " : "", list->items[i]);
	ob_buffer_append_char(out, ']');
}

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL
#define NS_PER_M  (60 * NS_PER_S)
#define NS_PER_H  (60 * NS_PER_M)

/* value/unit with its fraction, trailing zeros dropped: 1500 of 1000 is "1.5". */
static void format_fraction(uint64_t value, uint64_t unit, ob_buffer *out)
{
	uint64_t rest = value % unit;

	ob_buffer_printf(out, "%llu", (unsigned long long)(value / unit));
	if (!rest)
		return;
	ob_buffer_append_char(out, '.');
	while (rest) {
		unit /= 10;
		ob_buffer_append_char(out, (char)('0' + rest / unit));
		rest %= unit;
	}
}

void ob_go_duration_format(int64_t ns, ob_buffer *out)
{
	uint64_t value = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	if (ns < 0)
		ob_buffer_append_char(out, '-');
	if (value == 0) {
		ob_buffer_append_str(out, "0s");
	} else if (value < NS_PER_US) {
		ob_buffer_printf(out, "%lluns", (unsigned long long)value);
	} else if (value < NS_PER_S) {
		uint64_t unit = value < NS_PER_MS ? NS_PER_US : NS_PER_MS;

		format_fraction(value, unit, out);
		ob_buffer_append_str(out, unit == NS_PER_US ? "\u00b5s" : "ms");
	} else {
		if (value >= NS_PER_H)
			ob_buffer_printf(out, "%lluh", (unsigned long long)(value / NS_PER_H));
		if (value >= NS_PER_M)
			ob_buffer_printf(out, "%llum",
					 (unsigned long long)(value % NS_PER_H / NS_PER_M));
		format_fraction(value % NS_PER_M, NS_PER_S, out);
		ob_buffer_append_char(out, 's');
	}
}
