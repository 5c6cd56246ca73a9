/* dockerfile/heredoc.c — see heredoc.h.
 *
 * Which words of a line are heredocs is decided by the shell lexer, which is kept from expanding
 * anything, and always with '\' as the escape character, whatever the directive says. A line that the
 * lexer cannot take apart (an odd quote) has no heredocs; that is BuildKit's rule. A word is
 * one when it is [fd]<<[-]NAME and NAME lexes to one field; if quotes were lost on the way, the body is
 * not to be expanded.
 */
#include "dockerfile/heredoc.h"
#include <limits.h>
#include <string.h>
#include "base/limits.h"
#include "dockerfile/shell_lexer.h"

void ob_heredoc_done(ob_heredoc *heredoc)
{
	free(heredoc->name);
	free(heredoc->content);
	free(heredoc->raw);
	*heredoc = (ob_heredoc){0};
}

void ob_heredocs_free(ob_heredoc *heredocs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ob_heredoc_done(&heredocs[i]);
	free(heredocs);
}

/* [fd]<<[-], then blanks: where the name begins, NULL when the word is something else. */
static const char *skip_operator(const char *word, unsigned *fd, bool *chomp)
{
	for (*fd = 0; *word >= '0' && *word <= '9'; word++) {
		unsigned digit = (unsigned)(*word - '0');

		*fd = *fd > (UINT_MAX - digit) / 10 ? UINT_MAX : *fd * 10 + digit;
	}
	if (word[0] != '<' || word[1] != '<')
		return NULL;
	word += 2;
	*chomp = *word == '-';
	word += *chomp;
	word += strspn(word, "\t\n\f\r ");
	return *word && !strchr(word, '<') ? word : NULL;
}

static size_t count_quotes(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\'' || *text == '"';
	return count;
}

ocib_errc ob_heredoc_parse(const char *word, ob_heredoc *out, bool *is_heredoc, ocib_error **err)
{
	ob_shell_options options = {.escape = '\\', .skip_unset = true};
	ob_autodone(ob_strlist) plain = {0};
	ob_autodone(ob_strlist) raw = {0};
	unsigned fd;
	bool chomp;
	const char *name = skip_operator(word, &fd, &chomp);
	ocib_errc r;

	*is_heredoc = false;
	if (!name)
		return OCIB_OK;
	r = ob_shell_words(name, NULL, &options, &plain, err);
	if (r != OCIB_OK || plain.len != 1)
		return r;
	options.raw_quotes = true;
	r = ob_shell_words(name, NULL, &options, &raw, err);
	if (r != OCIB_OK || raw.len != 1)
		return r;
	*out = (ob_heredoc){
		.expand = count_quotes(plain.items[0]) == count_quotes(raw.items[0]),
		.chomp = chomp,
		.fd = fd,
		.name = strdup(plain.items[0]),
	};
	if (!out->name)
		return ob_fail_nomem(err);
	*is_heredoc = true;
	return OCIB_OK;
}

bool ob_heredoc_is_word(const char *word)
{
	ob_heredoc heredoc = {0};
	bool is_heredoc = false;

	if (ob_heredoc_parse(word, &heredoc, &is_heredoc, NULL) != OCIB_OK)
		return false;
	ob_heredoc_done(&heredoc);
	return is_heredoc;
}

static ocib_errc add_heredoc(const char *word, ob_location at, ob_heredoc **list, size_t *count,
			     ocib_error **err)
{
	ob_heredoc found = {0};
	bool is_heredoc;
	ocib_errc r = ob_heredoc_parse(word, &found, &is_heredoc, err);

	if (r != OCIB_OK || !is_heredoc)
		return r;
	if ((*count & (*count - 1)) == 0) {
		ob_heredoc *grown = realloc(*list, (*count ? *count * 2 : 1) * sizeof(*grown));

		if (!grown) {
			ob_heredoc_done(&found);
			return ob_fail_nomem(err);
		}
		*list = grown;
	}
	found.at = at;
	(*list)[(*count)++] = found;
	return OCIB_OK;
}

ocib_errc ob_heredocs_of_line(const ob_logical_line *line, ob_heredoc **out, size_t *count,
			      ocib_error **err)
{
	static const ob_shell_options options = {
		.escape = '\\', .raw_quotes = true, .raw_escapes = true, .skip_unset = true};
	ob_autodone(ob_strlist) words = {0};
	ob_autofree size_t *starts = NULL;
	ob_heredoc *list = NULL;
	size_t used = 0;
	ocib_errc r = ob_shell_split(line->text.data, &options, &words, &starts, err);

	if (r == OCIB_ERR_SYNTAX && err)
		*err = ocib_error_free(*err);
	if (r == OCIB_ERR_SYNTAX)
		return OCIB_OK;
	for (size_t i = 0; i < words.len && r == OCIB_OK; i++)
		r = add_heredoc(words.items[i],
				ob_logical_line_locate(line, line->text.data + starts[i]), &list,
				&used, err);
	if (r != OCIB_OK) {
		ob_heredocs_free(list, used);
		return r;
	}
	*out = list;
	*count = used;
	return OCIB_OK;
}

/* Does line, with its ending, end the heredoc? */
static bool is_terminator(const ob_heredoc *heredoc, ob_span line)
{
	while (line.len > 0 && (line.text[line.len - 1] == '\n' || line.text[line.len - 1] == '\r'))
		line.len--;
	while (heredoc->chomp && line.len > 0 && *line.text == '\t') {
		line.text++;
		line.len--;
	}
	return line.len == strlen(heredoc->name) && !memcmp(line.text, heredoc->name, line.len);
}

static void append_chomped(ob_buffer *out, ob_span line, bool chomp)
{
	while (chomp && line.len > 0 && *line.text == '\t') {
		line.text++;
		line.len--;
	}
	ob_buffer_append(out, line.text, line.len);
}

ocib_errc ob_heredoc_read(ob_heredoc *heredoc, ob_line_reader *reader, ocib_error **err)
{
	ob_autodone(ob_buffer) content = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "heredoc");
	unsigned first = reader->number + 1;
	size_t start = reader->next, end = start;
	ob_span line;
	bool found;

	while (true) {
		ocib_errc r = ob_line_reader_next(reader, &line, &found, err);

		if (r != OCIB_OK)
			return r;
		if (!found)
			return ob_fail(err, OCIB_ERR_SYNTAX,
				       "unterminated heredoc: no line '%s' follows", heredoc->name);
		if (is_terminator(heredoc, line))
			break;
		append_chomped(&content, line, heredoc->chomp);
		end = reader->next;
	}
	heredoc->at = (ob_location){first, reader->number > first ? reader->number - 1 : first, 1};
	heredoc->raw_len = end - start;
	heredoc->raw = strndup(reader->source->data + start, heredoc->raw_len);
	if (!heredoc->raw)
		return ob_fail_nomem(err);
	heredoc->len = content.len;
	return ob_buffer_finish(&content, &heredoc->content, err);
}
