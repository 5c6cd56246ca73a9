/* dockerfile/json_words.h — the exec form: a JSON array of strings, word by word with its place. */
#ifndef OB_DOCKERFILE_JSON_WORDS_H
#define OB_DOCKERFILE_JSON_WORDS_H

#include "dockerfile/instruction.h"
#include "dockerfile/logical_line.h"

/** Append a word; text is copied, a NUL in it as well. -1: no memory. */
int ob_words_add(ob_words *words, ob_span text, ob_location at);
void ob_words_done(ob_words *words);

/**
 * Is @p text, the whole of it, a JSON array? *is_json false: it is not, and means a shell line.
 * Words are appended; @p line says where they are and may be NULL. Kinds: SYNTAX (no location; *wrong
 * is the byte): an array, but not of strings.
 */
ocib_errc ob_json_words(ob_span text, const ob_logical_line *line, bool *is_json, ob_words *words,
			const char **wrong, ocib_error **err);

#endif
