/* dockerfile/json_words.c — see json_words.h.
 *
 * Written out here and not given to the JSON library: each word needs its place in the Dockerfile, and
 * what is no JSON at all ("[ -f x ] && y", single quotes) has to be told from an array of the wrong
 * things, which is an error. The whole text is checked before anything is said about it.
 */
#include "dockerfile/json_words.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "dockerfile/runes.h"

int ob_words_add(ob_words *words, ob_span text, ob_location at)
{
	size_t count = words->len;
	char *copy = malloc(text.len + 1);

	if (!copy)
		return -1;
	memcpy(copy, text.text, text.len);
	copy[text.len] = '\0';
	if ((count & (count - 1)) == 0) {
		ob_word *grown = realloc(words->items, (count ? count * 2 : 1) * sizeof(*grown));

		if (!grown) {
			free(copy);
			return -1;
		}
		words->items = grown;
	}
	words->items[words->len++] = (ob_word){.text = copy, .len = text.len, .at = at};
	return 0;
}

void ob_words_done(ob_words *words)
{
	for (size_t i = 0; i < words->len; i++)
		free(words->items[i].text);
	free(words->items);
	*words = (ob_words){0};
}

typedef struct scanner {
	const char *at, *end;
} scanner;

static void skip_blanks(scanner *s)
{
	while (s->at < s->end && *s->at && strchr(" \t\r\n", *s->at))
		s->at++;
}

static bool take(scanner *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits at p. */
static bool hex4(const char *p, const char *end, uint32_t *out)
{
	*out = 0;
	if (end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return false;
		*out = *out << 4 | (uint32_t)digit;
	}
	return true;
}

/* Behind the quote: to behind the other one. */
static bool skip_string(scanner *s)
{
	uint32_t unused;

	for (; s->at < s->end; s->at++) {
		if (*s->at == '"') {
			s->at++;
			return true;
		}
		if ((unsigned char)*s->at < 0x20)
			return false;
		if (*s->at != '\\')
			continue;
		if (++s->at == s->end || !*s->at || !strchr("\"\\/bfnrtu", *s->at))
			return false;
		if (*s->at == 'u' && !hex4(s->at + 1, s->end, &unused))
			return false;
	}
	return false;
}

static bool skip_digits(scanner *s)
{
	const char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > start;
}

static bool skip_number(scanner *s)
{
	take(s, '-');
	if (!take(s, '0') && !skip_digits(s))
		return false;
	if (take(s, '.') && !skip_digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		return skip_digits(s);
	}
	return true;
}

static bool skip_literal(scanner *s, const char *literal)
{
	size_t len = strlen(literal);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, literal, len) != 0)
		return false;
	s->at += len;
	return true;
}

static bool skip_value(scanner *s, int depth);

/* The members of an array or object, behind its bracket. */
static bool skip_members(scanner *s, char close, int depth)
{
	skip_blanks(s);
	if (take(s, close))
		return true;
	do {
		skip_blanks(s);
		if (close == '}') {
			if (!take(s, '"') || !skip_string(s))
				return false;
			skip_blanks(s);
			if (!take(s, ':'))
				return false;
		}
		if (!skip_value(s, depth))
			return false;
		skip_blanks(s);
	} while (take(s, ','));
	return take(s, close);
}

static bool skip_value(scanner *s, int depth)
{
	skip_blanks(s);
	if (s->at == s->end || depth > OB_LIMIT_JSON_DEPTH)
		return false;
	switch (*s->at) {
	case '"': s->at++; return skip_string(s);
	case '[': s->at++; return skip_members(s, ']', depth + 1);
	case '{': s->at++; return skip_members(s, '}', depth + 1);
	case 't': return skip_literal(s, "true");
	case 'f': return skip_literal(s, "false");
	case 'n': return skip_literal(s, "null");
	default: return skip_number(s);
	}
}

static bool is_array(ob_span text)
{
	scanner s = {text.text, text.text + text.len};

	if (!take(&s, '[') || !skip_members(&s, ']', 1))
		return false;
	skip_blanks(&s);
	return s.at == s.end;
}

/* \uXXXX, maybe two of them; *p is at the u and goes to the last digit. */
static uint32_t unicode_escape(const char **p, const char *end)
{
	uint32_t high = 0, low = 0;

	hex4(*p + 1, end, &high);
	*p += 4;
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high < 0xdc00 && end - *p > 2 && (*p)[1] == '\\' && (*p)[2] == 'u' &&
	    hex4(*p + 3, end, &low) && low >= 0xdc00 && low <= 0xdfff) {
		*p += 6;
		return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	}
	return 0xfffd;
}

/* A checked string without its quotes into out; returns its length, which is not more. */
static size_t unescape(ob_span text, char *out)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *end = text.text + text.len;
	char *start = out;

	for (const char *p = text.text; p < end; p++) {
		const char *letter;

		if (*p != '\\') {
			*out++ = *p;
			continue;
		}
		if (*++p == 'u') {
			out += ob_rune_encode(unicode_escape(&p, end), out);
			continue;
		}
		letter = strchr(letters, *p);
		*out++ = letter ? meant[letter - letters] : *p;
	}
	return (size_t)(out - start);
}

static ocib_errc add_string(ob_span text, const ob_logical_line *line, ob_words *words,
			    ocib_error **err)
{
	ob_location at = line ? ob_logical_line_locate(line, text.text - 1) : (ob_location){0};
	ob_autofree char *word = malloc(text.len + 1);

	if (!word || ob_words_add(words, (ob_span){word, unescape(text, word)}, at) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

ocib_errc ob_json_words(ob_span text, const ob_logical_line *line, bool *is_json, ob_words *words,
			const char **wrong, ocib_error **err)
{
	size_t blanks = ob_space_prefix(text.text, text.len);
	scanner s = {text.text + blanks, text.text + text.len};

	*is_json = is_array((ob_span){s.at, text.len - blanks});
	if (!*is_json)
		return OCIB_OK;
	s.at++;
	for (skip_blanks(&s); !take(&s, ']'); skip_blanks(&s)) {
		const char *start = s.at;
		ocib_errc r;

		if (*start != '"') {
			*wrong = start;
			return ob_fail(err, OCIB_ERR_SYNTAX,
				       "an array of arguments must be of strings only");
		}
		s.at++;
		skip_string(&s);
		r = add_string((ob_span){start + 1, (size_t)(s.at - start) - 2}, line, words, err);
		if (r != OCIB_OK)
			return r;
		skip_blanks(&s);
		take(&s, ',');
	}
	return OCIB_OK;
}
