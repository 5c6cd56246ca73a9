/* dockerfile/word_split.c — see word_split.h.
 *
 * Three ways, because that is what the language has: FROM, COPY and their like know no quotes at all;
 * ENV, LABEL and ARG split outside of quotes and keep them for the shell lexer; builder flags lose
 * them at once. Only ASCII white space divides flags. Bytes that are no UTF-8 stay what they are
 * (BuildKit reads flags byte by byte and garbles what is not ASCII there; nobody can rely on that).
 */
#include "dockerfile/word_split.h"
#include <string.h>
#include "base/limits.h"
#include "dockerfile/runes.h"

static ocib_errc add_word(const ob_split *split, ob_words *words, ob_span word, const char *place,
			  ocib_error **err)
{
	ob_location at =
		split->line ? ob_logical_line_locate(split->line, place) : (ob_location){0};

	return ob_words_add(words, word, at) < 0 ? ob_fail_nomem(err) : OCIB_OK;
}

bool ob_split_first(ob_span text, ob_span *first, ob_span *rest)
{
	size_t len = 0, next;

	while (len < text.len && !ob_is_blank(text.text[len]))
		len++;
	next = len;
	while (next < text.len && ob_is_blank(text.text[next]))
		next++;
	*first = (ob_span){text.text, len};
	*rest = (ob_span){text.text + next, text.len - next};
	return next > len;
}

ocib_errc ob_split_blanks(const ob_split *split, ob_span text, ob_words *words, ocib_error **err)
{
	ocib_errc r = OCIB_OK;
	ob_span word;

	while (text.len > 0 && r == OCIB_OK) {
		ob_split_first(text, &word, &text);
		r = add_word(split, words, word, word.text, err);
	}
	return r;
}

/*
 * The end of the word that begins at p. *keep: what of it is kept; an escape character that ends the
 * line is dropped.
 */
static const char *quoted_word_end(const char *p, const char *end, char escape, const char **keep)
{
	char quote = '\0';

	while (p < end) {
		uint32_t rune;
		size_t width = ob_rune_decode(p, (size_t)(end - p), &rune);

		if (!quote && ob_rune_is_space(rune))
			break;
		if (*p == escape && quote != '\'') {
			if (p + 1 == end) {
				*keep = p;
				return end;
			}
			p++;
			width = ob_rune_decode(p, (size_t)(end - p), &rune);
		} else if (quote) {
			quote = *p == quote ? '\0' : quote;
		} else if (*p == '\'' || *p == '"') {
			quote = *p;
		}
		p += width;
	}
	*keep = p;
	return p;
}

bool ob_next_quoted(ob_span *text, char escape, ob_span *word)
{
	const char *start = text->text + ob_space_prefix(text->text, text->len);
	const char *end = text->text + text->len, *keep;
	const char *next = quoted_word_end(start, end, escape, &keep);

	*text = (ob_span){next, (size_t)(end - next)};
	*word = (ob_span){start, (size_t)(keep - start)};
	return word->len > 0;
}

ocib_errc ob_split_quoted(const ob_split *split, ob_span text, ob_words *words, ocib_error **err)
{
	ocib_errc r = OCIB_OK;
	ob_span word;

	while (r == OCIB_OK && ob_next_quoted(&text, split->escape, &word))
		r = add_word(split, words, word, word.text, err);
	return r;
}

/* Append a flag without its quotes and escapes; returns its end. */
static const char *unquote_flag(const char *p, const char *end, char escape, ob_buffer *out)
{
	char quote = '\0';

	for (; p < end; p++) {
		if (!quote && ob_is_blank(*p))
			break;
		if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
			continue;
		}
		if (quote && *p == quote) {
			quote = '\0';
			continue;
		}
		if (*p == escape && ++p == end)
			break;
		ob_buffer_append_char(out, *p);
	}
	return p;
}

ocib_errc ob_split_flags(const ob_split *split, ob_span *text, ob_words *flags, ocib_error **err)
{
	ob_autodone(ob_buffer) flag = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "flag");
	const char *p = text->text, *end = p + text->len;
	ocib_errc r = OCIB_OK;

	while (r == OCIB_OK) {
		const char *start;

		while (p < end && ob_is_blank(*p))
			p++;
		if (end - p < 2 || p[0] != '-' || p[1] != '-')
			break;
		start = p;
		ob_buffer_clear(&flag);
		p = unquote_flag(p, end, split->escape, &flag);
		r = ob_buffer_check(&flag, err);
		if (r != OCIB_OK || flag.len == 2)
			break;
		r = add_word(split, flags, (ob_span){flag.data, flag.len}, start, err);
	}
	*text = (ob_span){p, (size_t)(end - p)};
	return r;
}
