/* dockerfile/heredoc.h — "<<EOF" words, the ones of a line, and their bodies. */
#ifndef OB_DOCKERFILE_HEREDOC_H
#define OB_DOCKERFILE_HEREDOC_H

#include "dockerfile/instruction.h"
#include "dockerfile/logical_line.h"

/**
 * Is @p word, the whole of it, a heredoc? Fills name, expand, chomp and fd. Kinds: SYNTAX (no
 * location): it looks like one, but its quotes do not match.
 */
ocib_errc ob_heredoc_parse(const char *word, ob_heredoc *out, bool *is_heredoc, ocib_error **err);
/** The same as a question: what is malformed is no heredoc. */
bool ob_heredoc_is_word(const char *word);

/** The heredocs that an instruction's line opens, without bodies. Kinds: SYNTAX (no location). */
ocib_errc ob_heredocs_of_line(const ob_logical_line *line, ob_heredoc **out, size_t *count,
			      ocib_error **err);
/** Read the body from the lines that follow. Kinds: SYNTAX (not located): unterminated; LIMIT. */
ocib_errc ob_heredoc_read(ob_heredoc *heredoc, ob_line_reader *reader, ocib_error **err);

void ob_heredoc_done(ob_heredoc *heredoc);
void ob_heredocs_free(ob_heredoc *heredocs, size_t count);

#endif
