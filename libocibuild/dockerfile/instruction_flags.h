/* dockerfile/instruction_flags.h — which flags an instruction has, and what is wrong with those given. */
#ifndef OB_DOCKERFILE_INSTRUCTION_FLAGS_H
#define OB_DOCKERFILE_INSTRUCTION_FLAGS_H

#include "dockerfile/instruction.h"

typedef enum ob_flag_kind { OB_FLAG_BOOL, OB_FLAG_STRING, OB_FLAG_STRINGS } ob_flag_kind;

typedef struct ob_flag_rule {
	const char *name;
	ob_flag_kind kind;
} ob_flag_rule;

/** The flags of @p type; NULL when it has none. */
const ob_flag_rule *ob_flag_rules(ob_instruction_type type, size_t *count);

/**
 * "--name=value" words to flags, checked against the rules. Kinds: SYNTAX (no location; *wrong is
 * the word's index). @p who names the instruction in errors.
 */
ocib_errc ob_flags_parse(const char *who, const ob_flag_rule *rules, size_t rule_count,
			 const ob_words *words, ob_flag **out, size_t *count, size_t *wrong,
			 ocib_error **err);
void ob_flags_free(ob_flag *flags, size_t count);

#endif
