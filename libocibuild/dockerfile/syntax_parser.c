/* dockerfile/syntax_parser.c — physical lines to nodes: directives, comments, continuation, heredocs.
 *
 * A line goes on when it ends in the escape character, blanks behind it allowed, unless another escape
 * character is in front of that one. Inside an instruction comment lines are dropped and empty lines
 * skipped (and their numbers kept), and lines keep their leading white space. The lines of a heredoc's body are
 * not looked at in any of these ways.
 *
 * Nodes come one at a time, so that the first mistake in the file is the one that is reported, be it one
 * of lines or one of instructions.
 */
#include <string.h>
#include "dockerfile/heredoc.h"
#include "dockerfile/runes.h"
#include "dockerfile/syntax_node.h"

void ob_syntax_parser_init(ob_syntax_parser *parser, const ob_source_text *source)
{
	*parser = (ob_syntax_parser){
		.source = source,
		.reader = {.source = source},
		.escape = '\\',
	};
}

void ob_syntax_parser_done(ob_syntax_parser *parser)
{
	ob_logical_line_done(&parser->line);
	ob_strlist_done(&parser->comments);
	free(parser->empty_lines);
}

static ob_span without_ending(ob_span line)
{
	while (line.len > 0 && (line.text[line.len - 1] == '\n' || line.text[line.len - 1] == '\r'))
		line.len--;
	return line;
}

static ob_span without_indent(ob_span line)
{
	size_t blanks = ob_space_prefix(line.text, line.len);

	return (ob_span){line.text + blanks, line.len - blanks};
}

static bool is_comment(ob_span line)
{
	line = without_indent(line);
	return line.len > 0 && *line.text == '#';
}

/* Does the line go on? Then *line loses its escape character and what is behind it. */
static bool cut_continuation(char escape, ob_span *line)
{
	size_t len = line->len;

	while (len > 0 && (line->text[len - 1] == ' ' || line->text[len - 1] == '\t'))
		len--;
	if (len == 0 || line->text[len - 1] != escape)
		return false;
	if (len > 1 && line->text[len - 2] == escape)
		return false;
	line->len = len - 1;
	return true;
}

/* Only a '#' in the first column is removed: an indented comment documents nothing. */
static int note_comment(ob_syntax_parser *parser, ob_span line)
{
	ob_span text = ob_span_trim((ob_span){line.text + 1, line.len - 1});

	if (text.len > 0)
		return ob_strlist_add_len(&parser->comments, text.text, text.len);
	ob_strlist_done(&parser->comments);
	return 0;
}

static ocib_errc fail_at_line(ob_syntax_parser *parser, ocib_errc code, ocib_error **err)
{
	ob_location at = {parser->reader.number, parser->reader.number, 1};

	return ob_source_locate(parser->source, &at, code, err);
}

static ocib_errc set_escape(ob_syntax_parser *parser, ob_span value, ocib_error **err)
{
	if (value.len != 1 || (*value.text != '\\' && *value.text != '`')) {
		ob_fail(err, OCIB_ERR_SYNTAX, "invalid escape token '%.*s': it must be ` or \\",
			(int)value.len, value.text);
		return fail_at_line(parser, OCIB_ERR_SYNTAX, err);
	}
	parser->escape = *value.text;
	return OCIB_OK;
}

/* A line that is not inside an instruction: a directive, a comment, or neither. */
static ocib_errc look_at_line(ob_syntax_parser *parser, ob_span line, ocib_error **err)
{
	ob_directive directive;
	ob_span value;
	ocib_errc r;

	r = ob_directive_scan_line(&parser->directives, "#", without_indent(without_ending(line)),
				   &directive, &value, err);
	if (r != OCIB_OK)
		return fail_at_line(parser, r, err);
	if (directive == OB_DIRECTIVE_ESCAPE)
		return set_escape(parser, value, err);
	if (directive == OB_DIRECTIVE_NONE && is_comment(line) && note_comment(parser, line) < 0)
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* The line read last, without its ending, is the instruction's; *goes_on: so is the next one. */
static ocib_errc add_line(ob_syntax_parser *parser, ob_span line, size_t indent, bool *goes_on,
			  ocib_error **err)
{
	*goes_on = cut_continuation(parser->escape, &line);
	if (ob_logical_line_add(&parser->line, line, parser->reader.number, (unsigned)indent + 1) <
	    0)
		return parser->line.text.failed ? ob_buffer_check(&parser->line.text, err)
						: ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc note_empty_line(ob_syntax_parser *parser, unsigned number, ocib_error **err)
{
	size_t count = parser->empty_line_count;

	if ((count & (count - 1)) == 0) {
		unsigned *grown =
			reallocarray(parser->empty_lines, count ? count * 2 : 1, sizeof(*grown));

		if (!grown)
			return ob_fail_nomem(err);
		parser->empty_lines = grown;
	}
	parser->empty_lines[parser->empty_line_count++] = number;
	return OCIB_OK;
}

/* The lines that continue the instruction. */
static ocib_errc add_continuation(ob_syntax_parser *parser, ocib_error **err)
{
	unsigned empty = 0;
	bool goes_on = true;

	while (goes_on) {
		ob_span line;
		bool found;
		ocib_errc r = ob_line_reader_next(&parser->reader, &line, &found, err);

		if (r != OCIB_OK)
			return r;
		if (!found)
			break;
		if (is_comment(line))
			continue;
		line = without_ending(line);
		if (without_indent(line).len == 0) {
			empty = empty ? empty : parser->reader.number;
			continue;
		}
		r = add_line(parser, line, 0, &goes_on, err);
		if (r != OCIB_OK)
			return r;
	}
	return empty ? note_empty_line(parser, empty, err) : OCIB_OK;
}

/* Collect the next instruction's logical line; *first is its first line, 0 at the end of the file. */
static ocib_errc next_line(ob_syntax_parser *parser, unsigned *first, ocib_error **err)
{
	const char *start;
	ob_span line;
	bool found, goes_on = false;
	ocib_errc r;

	*first = 0;
	ob_logical_line_clear(&parser->line);
	while (!*first) {
		r = ob_line_reader_next(&parser->reader, &line, &found, err);
		if (r != OCIB_OK || !found)
			return r;
		r = look_at_line(parser, line, err);
		if (r != OCIB_OK)
			return r;
		start = line.text;
		line = without_indent(without_ending(line));
		if (line.len == 0 || *line.text == '#')
			continue;
		*first = parser->reader.number;
		r = add_line(parser, line, (size_t)(line.text - start), &goes_on, err);
		if (r != OCIB_OK)
			return r;
	}
	return goes_on ? add_continuation(parser, err) : OCIB_OK;
}

static ocib_errc read_heredocs(ob_syntax_parser *parser, ob_syntax_node *node, ocib_error **err)
{
	ocib_errc r;

	if (!ob_syntax_node_takes_heredocs(node) || !strstr(node->original, "<<"))
		return OCIB_OK;
	r = ob_heredocs_of_line(&parser->line, &node->heredocs, &node->heredoc_count, err);
	for (size_t i = 0; i < node->heredoc_count && r == OCIB_OK; i++) {
		ob_location word = node->heredocs[i].at;

		r = ob_heredoc_read(&node->heredocs[i], &parser->reader, err);
		if (r != OCIB_OK)
			return ob_source_locate(parser->source, &word, r, err);
	}
	return r;
}

ocib_errc ob_syntax_parser_next(ob_syntax_parser *parser, ob_syntax_node **out, ocib_error **err)
{
	ob_auto(ob_syntax_node) node = NULL;
	const char *wrong = NULL;
	ob_location at;
	unsigned first;
	ocib_errc r = next_line(parser, &first, err);

	*out = NULL;
	if (r != OCIB_OK || !first)
		return r;
	r = ob_syntax_node_parse((ob_span){parser->line.text.data, parser->line.text.len},
				 &parser->line, parser->escape, &node, &wrong, err);
	if (r != OCIB_OK) {
		at = wrong ? ob_logical_line_locate(&parser->line, wrong)
			   : (ob_location){first, parser->reader.number, 0};
		return ob_source_locate(parser->source, &at, r, err);
	}
	r = read_heredocs(parser, node, err);
	node->at.end_line = parser->reader.number;
	if (r != OCIB_OK)
		return ob_source_locate(parser->source, &node->at, r, err);
	node->comments = parser->comments;
	parser->comments = (ob_strlist){0};
	*out = ob_take_ptr(node);
	return OCIB_OK;
}
