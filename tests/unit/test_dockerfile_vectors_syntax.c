/* The first level against the shared vectors: nodes, words, JSON arrays, heredocs, directives. */
#include "dockerfile/heredoc.h"
#include "dockerfile/json_words.h"
#include "dockerfile/runes.h"
#include "dockerfile/syntax_node.h"
#include "dockerfile/word_split.h"
#include "vectors.h"

/* As Go's %q, for the texts that Dockerfiles have. */
static void dump_quoted(ob_buffer *out, const char *text, size_t len)
{
	static const char specials[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";

	ob_buffer_append_char(out, '"');
	for (size_t at = 0, width; at < len; at += width) {
		const char *special = memchr(specials, text[at], sizeof(specials) - 1);
		uint32_t rune;

		width = ob_rune_decode(text + at, len - at, &rune);
		if (special)
			ob_buffer_printf(out, "\\%c", letters[special - specials]);
		else if (rune < 0x20 || rune == 0x7f || rune >= OB_RUNE_INVALID)
			ob_buffer_printf(out, "\\x%02x", (unsigned char)text[at]);
		else if (rune == 0xa0 || rune == 0xad || (rune >= 0x2000 && rune <= 0x200f))
			ob_buffer_printf(out, "\\u%04x", rune);
		else
			ob_buffer_append(out, text + at, width);
	}
	ob_buffer_append_char(out, '"');
}

static void dump_node(ob_buffer *out, const ob_syntax_node *node)
{
	ob_buffer_append_char(out, '(');
	for (const char *c = node->value; *c; c++)
		ob_buffer_append_char(out, *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c);
	for (size_t i = 0; i < node->flags.len; i++) {
		ob_buffer_append_str(out, i ? " " : " [");
		dump_quoted(out, node->flags.items[i].text, node->flags.items[i].len);
	}
	ob_buffer_append_str(out, node->flags.len ? "]" : "");
	if (node->child) {
		ob_buffer_append_char(out, ' ');
		dump_node(out, node->child);
	}
	for (size_t i = 0; i < node->words.len; i++) {
		ob_buffer_append_char(out, ' ');
		dump_quoted(out, node->words.items[i].text, node->words.items[i].len);
	}
	ob_buffer_append_char(out, ')');
}

typedef ocib_errc (*node_visit)(const ob_syntax_node *node, size_t index, void *user);

/* All nodes of a text. A text without any is an error. */
static ocib_errc visit_nodes(const char *text, node_visit visit, void *user)
{
	ob_autodone(ob_source_text) source = {0};
	ob_autodone(ob_syntax_parser) parser = {0};
	ocib_errc r = ob_source_text_init(&source, "Dockerfile", text, strlen(text), &t_err);

	if (r != OCIB_OK)
		return r;
	ob_syntax_parser_init(&parser, &source);
	for (size_t i = 0;; i++) {
		ob_auto(ob_syntax_node) node = NULL;

		r = ob_syntax_parser_next(&parser, &node, &t_err);
		if (r == OCIB_OK && !node)
			return i ? OCIB_OK : OCIB_ERR_SYNTAX;
		if (r == OCIB_OK)
			r = visit(node, i, user);
		if (r != OCIB_OK)
			return r;
	}
}

static ocib_errc dump_one(const ob_syntax_node *node, size_t index, void *user)
{
	(void)index;
	dump_node(user, node);
	ob_buffer_append_char(user, '\n');
	return OCIB_OK;
}

static bool check_parser(const ob_json *vector)
{
	ob_autodone(ob_buffer) dump = OB_BUFFER_INIT(OB_MIB, "dump");
	ocib_errc r = visit_nodes(ob_json_get_str(vector, "dockerfile"), dump_one, &dump);

	if (ob_json_get_bool(vector, "error"))
		return r == OCIB_OK ? VECTOR_WRONG(vector, "was not refused") : true;
	if (r != OCIB_OK)
		return VECTOR_WRONG(vector, "%s", ocib_error_message(t_err));
	if (strcmp(dump.data, ob_json_get_str(vector, "ast")) != 0)
		return VECTOR_WRONG(vector, "got\n%swanted\n%s", dump.data,
				    ob_json_get_str(vector, "ast"));
	return true;
}

static bool same_words(const ob_json *wanted, const ob_words *words)
{
	bool same = ob_json_len(wanted) == words->len;

	for (size_t i = 0; same && i < words->len; i++)
		same = !strcmp(ob_json_str(ob_json_at(wanted, i)), words->items[i].text);
	return same;
}

static bool check_words(const ob_json *vector)
{
	const char *input = ob_json_get_str(vector, "input");
	ob_autodone(ob_words) words = {0};
	ob_split split = {NULL, '\\'};

	ASSERT_OK(ob_split_quoted(&split, (ob_span){input, strlen(input)}, &words, &t_err));
	return same_words(ob_json_get(vector, "words"), &words) ||
	       VECTOR_WRONG(vector, "'%s' splits into %zu words", input, words.len);
}

static bool check_json_array(const ob_json *vector)
{
	const char *input = ob_json_get_str(vector, "input"), *wrong;
	ob_autodone(ob_words) words = {0};
	bool is_json;
	ocib_errc r = ob_json_words((ob_span){input, strlen(input)}, NULL, &is_json, &words, &wrong,
				    &t_err);

	if (ob_json_get_bool(vector, "error"))
		return r != OCIB_OK || !is_json || VECTOR_WRONG(vector, "was not refused");
	return (r == OCIB_OK && is_json && same_words(ob_json_get(vector, "array"), &words)) ||
	       VECTOR_WRONG(vector, "'%s' gives %zu words", input, words.len);
}

static bool check_heredoc_word(const ob_json *vector)
{
	ob_autodone(ob_heredoc) heredoc = {0};
	bool is_heredoc;
	const char *name = ob_json_get_str(vector, "name");
	ocib_errc r =
		ob_heredoc_parse(ob_json_get_str(vector, "word"), &heredoc, &is_heredoc, &t_err);

	if (ob_json_get_bool(vector, "error"))
		return r != OCIB_OK || VECTOR_WRONG(vector, "was not refused");
	if (r != OCIB_OK)
		return VECTOR_WRONG(vector, "%s", ocib_error_message(t_err));
	if (is_heredoc != (name != NULL))
		return VECTOR_WRONG(vector, "is %sa heredoc", is_heredoc ? "" : "not ");
	return !name ||
	       (!strcmp(heredoc.name, name) &&
		heredoc.expand == ob_json_get_bool(vector, "expand") &&
		heredoc.chomp == ob_json_get_bool(vector, "chomp")) ||
	       VECTOR_WRONG(vector, "name '%s', expand %d, chomp %d", heredoc.name, heredoc.expand,
			    heredoc.chomp);
}

static bool check_heredoc_line(const ob_json *vector)
{
	const char *text = ob_json_get_str(vector, "line");
	const ob_json *names = ob_json_get(vector, "names");
	ob_autodone(ob_logical_line) line = {0};
	ob_heredoc *heredocs = NULL;
	size_t count = 0;
	bool same;

	ob_logical_line_clear(&line);
	assert_int_equal(ob_logical_line_add(&line, (ob_span){text, strlen(text)}, 1, 1), 0);
	ASSERT_OK(ob_heredocs_of_line(&line, &heredocs, &count, &t_err));
	same = count == ob_json_len(names);
	for (size_t i = 0; same && i < count; i++)
		same = !strcmp(heredocs[i].name, ob_json_str(ob_json_at(names, i)));
	ob_heredocs_free(heredocs, count);
	return same || VECTOR_WRONG(vector, "%zu heredocs in '%s'", count, text);
}

static bool is_same_heredoc(const ob_heredoc *heredoc, const ob_json *wanted)
{
	int64_t fd = 0;

	ob_json_get_i64(wanted, "fd", &fd);
	return !strcmp(heredoc->name, ob_json_get_str(wanted, "name")) &&
	       !strcmp(heredoc->raw, ob_json_get_str(wanted, "content")) &&
	       heredoc->expand == ob_json_get_bool(wanted, "expand") &&
	       heredoc->chomp == ob_json_get_bool(wanted, "chomp") && heredoc->fd == fd;
}

static ocib_errc compare_heredocs(const ob_syntax_node *node, size_t index, void *user)
{
	const ob_json *wanted = ob_json_at(user, index - 1);

	if (index == 0 || !wanted)
		return OCIB_OK;
	if (node->heredoc_count != ob_json_len(wanted))
		return ob_fail(&t_err, OCIB_ERR_CORRUPT, "instruction %zu: %zu heredocs", index,
			       node->heredoc_count);
	for (size_t i = 0; i < node->heredoc_count; i++)
		if (!is_same_heredoc(&node->heredocs[i], ob_json_at(wanted, i)))
			return ob_fail(&t_err, OCIB_ERR_CORRUPT, "instruction %zu: heredoc %zu",
				       index, i);
	return OCIB_OK;
}

static bool check_heredoc_document(const ob_json *vector)
{
	ob_auto(ob_json) wanted = ob_json_copy(ob_json_get(vector, "heredocs"));
	ocib_errc r = visit_nodes(ob_json_get_str(vector, "dockerfile"), compare_heredocs, wanted);

	if (ob_json_get_bool(vector, "error"))
		return r != OCIB_OK || VECTOR_WRONG(vector, "was not refused");
	return r == OCIB_OK || VECTOR_WRONG(vector, "%s", ocib_error_message(t_err));
}

static bool check_directive(const ob_json *vector)
{
	const char *text = ob_json_get_str(vector, "text"),
		   *wanted = ob_json_get_str(vector, "value");
	ob_autofree char *value = NULL;
	int64_t wanted_line;
	unsigned line;

	ASSERT_OK(ob_directive_find(text, strlen(text), ob_json_get_str(vector, "name"), &value,
				    &line, &t_err));
	if (!wanted || !value)
		return (!wanted && !value) ||
		       VECTOR_WRONG(vector, "is %s", value ? value : "not set");
	if (strcmp(value, wanted) != 0)
		return VECTOR_WRONG(vector, "is '%s'", value);
	return !ob_json_get_i64(vector, "line", &wanted_line) || wanted_line == line ||
	       VECTOR_WRONG(vector, "in line %u", line);
}

TEST(vectors__lines_are_parsed_to_nodes)
{
	run_vectors("parser", check_parser);
}

TEST(vectors__arguments_are_split_into_words)
{
	run_vectors("words-split", check_words);
}

TEST(vectors__json_arrays_are_recognised)
{
	run_vectors("json-array", check_json_array);
}

TEST(vectors__heredoc_words_are_recognised)
{
	run_vectors("heredoc-word", check_heredoc_word);
}

TEST(vectors__heredocs_of_a_line_are_found)
{
	run_vectors("heredoc-line", check_heredoc_line);
}

TEST(vectors__heredoc_bodies_are_read)
{
	run_vectors("heredoc-document", check_heredoc_document);
}

TEST(vectors__directives_are_found)
{
	run_vectors("directives", check_directive);
}
