/* dockerfile/word_split.h — the argument line of an instruction, split in the ways instructions need.
 *
 * Words are added as they are written: quotes and escapes are kept, variables are not looked at.
 */
#ifndef OB_DOCKERFILE_WORD_SPLIT_H
#define OB_DOCKERFILE_WORD_SPLIT_H

#include "dockerfile/json_words.h"

/** What all of them need. */
typedef struct ob_split {
	const ob_logical_line *line; /**< says where words are; may be NULL */
	char escape;
} ob_split;

/** Split off the first word at [\t\v\f\r ]+; *rest begins behind the blanks. False: one word only. */
bool ob_split_first(ob_span text, ob_span *first, ob_span *rest);
/** At [\t\v\f\r ]+. Kinds: NOMEM. */
ocib_errc ob_split_blanks(const ob_split *split, ob_span text, ob_words *words, ocib_error **err);
/** The next word of *text, which ends at white space outside of quotes; false at the end. */
bool ob_next_quoted(ob_span *text, char escape, ob_span *word);
/** All of them. Kinds: NOMEM. */
ocib_errc ob_split_quoted(const ob_split *split, ob_span text, ob_words *words, ocib_error **err);
/**
 * The --flags in front; *text goes on behind them ("--" ends them and is dropped). Their quotes and
 * escapes are removed. Kinds: NOMEM.
 */
ocib_errc ob_split_flags(const ob_split *split, ob_span *text, ob_words *flags, ocib_error **err);

#endif
