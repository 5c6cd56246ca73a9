/* dockerfile/syntax_node.h — the first level: a Dockerfile's lines as instructions with words.
 *
 * Here is decided what belongs to an instruction and how its line is split; whether that makes sense is
 * the second level's question (instruction.h). An unknown instruction is a node too.
 */
#ifndef OB_DOCKERFILE_SYNTAX_NODE_H
#define OB_DOCKERFILE_SYNTAX_NODE_H

#include "dockerfile/directives.h"
#include "dockerfile/instruction.h"
#include "dockerfile/logical_line.h"

typedef struct ob_syntax_node {
	ob_instruction_type type; /**< 0: unknown */
	char *value;              /**< the instruction as written */
	char *original;           /**< the logical line */
	ob_location at;           /**< heredoc bodies included */
	ob_words flags;           /**< "--name=value" */
	ob_words words;           /**< ENV and LABEL: key, value and "=" or "" by turns */
	bool json;
	struct ob_syntax_node *child; /**< the instruction in an ONBUILD */
	ob_heredoc *heredocs;
	size_t heredoc_count;
	ob_strlist comments; /**< directly above */
} ob_syntax_node;

ob_syntax_node *ob_syntax_node_free(ob_syntax_node *node);
OB_DEFINE_AUTO(ob_syntax_node);

/**
 * One logical line (or with ONBUILD the rest of one) to a node without heredoc bodies. Kinds: SYNTAX
 * (not located; *wrong is the byte, or NULL).
 */
ocib_errc ob_syntax_node_parse(ob_span text, const ob_logical_line *line, char escape,
			       ob_syntax_node **out, const char **wrong, ocib_error **err);
/** May heredocs stand in this line? RUN, COPY, ADD and ONBUILD of these, and no JSON. */
bool ob_syntax_node_takes_heredocs(const ob_syntax_node *node);

typedef struct ob_syntax_parser {
	const ob_source_text *source;
	ob_line_reader reader;
	ob_directive_scan directives;
	char escape;
	ob_logical_line line;
	ob_strlist comments;
	unsigned *empty_lines; /**< the first of each instruction that has some; to be taken */
	size_t empty_line_count;
} ob_syntax_parser;

void ob_syntax_parser_init(ob_syntax_parser *parser, const ob_source_text *source);
void ob_syntax_parser_done(ob_syntax_parser *parser);
/** The next instruction; *out NULL at the end. Kinds: SYNTAX, LIMIT (located). */
ocib_errc ob_syntax_parser_next(ob_syntax_parser *parser, ob_syntax_node **out, ocib_error **err);

#endif
