/* dockerfile/instruction.h — a Dockerfile as typed instructions: what BuildKit's instructions package gives.
 *
 * Nothing is expanded here: variables need the stage's environment, which only the planner has. Every
 * word keeps its place in the source.
 */
#ifndef OB_DOCKERFILE_INSTRUCTION_H
#define OB_DOCKERFILE_INSTRUCTION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/strlist.h"
#include "dockerfile/source_text.h"

typedef enum ob_instruction_type {
	OB_INSTRUCTION_ADD = 1,
	OB_INSTRUCTION_ARG,
	OB_INSTRUCTION_CMD,
	OB_INSTRUCTION_COPY,
	OB_INSTRUCTION_ENTRYPOINT,
	OB_INSTRUCTION_ENV,
	OB_INSTRUCTION_EXPOSE,
	OB_INSTRUCTION_FROM,
	OB_INSTRUCTION_HEALTHCHECK,
	OB_INSTRUCTION_LABEL,
	OB_INSTRUCTION_MAINTAINER,
	OB_INSTRUCTION_ONBUILD,
	OB_INSTRUCTION_RUN,
	OB_INSTRUCTION_SHELL,
	OB_INSTRUCTION_STOPSIGNAL,
	OB_INSTRUCTION_USER,
	OB_INSTRUCTION_VOLUME,
	OB_INSTRUCTION_WORKDIR
} ob_instruction_type;

struct ob_heredoc;
struct ob_findings;

/** By name in any case; 0 when there is no such instruction. */
ob_instruction_type ob_instruction_find(const char *name);
/** In capitals. */
const char *ob_instruction_name(ob_instruction_type type);
/** The instruction that was probably meant, in capitals, or NULL. */
const char *ob_instruction_nearest(const char *name);

typedef struct ob_word {
	char *text; /**< as written (quotes and escapes kept) unless it comes from a JSON array */
	size_t len; /**< of text; it has no NUL inside */
	ob_location at;
	const struct ob_heredoc *heredoc; /**< COPY, ADD: the inline file here, else NULL */
} ob_word;

typedef struct ob_words {
	ob_word *items;
	size_t len;
} ob_words;

typedef struct ob_heredoc {
	char *name;    /**< the delimiter without quotes: names the file */
	char *content; /**< tabs already removed for <<- */
	size_t len;
	char *raw; /**< as written: what a shell that reads the heredoc itself is given */
	size_t raw_len;
	bool expand; /**< delimiter was not quoted */
	bool chomp;  /**< <<- */
	unsigned fd;
	ob_location at; /**< of the body */
} ob_heredoc;

/** KEY=VALUE as ENV, LABEL and ARG have it. */
typedef struct ob_pair {
	char *key;
	char *value;   /**< NULL: ARG without a default */
	bool no_delim; /**< legacy "ENV key value" */
	ob_location at;
} ob_pair;

/** --flag=value of an instruction, in order; value "" and !has_value for a bare boolean flag. */
typedef struct ob_flag {
	char *name;  /**< without "--" */
	char *value; /**< quotes and escapes removed */
	bool has_value;
	ob_location at;
} ob_flag;

/** The flags of HEALTHCHECK in nanoseconds; 0: not given or zero. */
typedef struct ob_health_flags {
	int64_t interval, timeout, start_period, start_interval;
	int32_t retries;
} ob_health_flags; /* ob_healthcheck is the one of image/config.h */

typedef struct ob_instruction {
	ob_instruction_type type;
	char *name;     /**< lower case */
	char *original; /**< the whole instruction as written, continuation lines joined */
	ob_location at;
	char **comments; /**< doc comment lines directly above, without '#'; NULL-terminated or NULL */
	ob_flag *flags; /**< checked: known for this instruction, scalar ones at most once */
	size_t flag_count;
	ob_heredoc *heredocs;
	size_t heredoc_count;

	bool json_form; /**< words came from a JSON array: not a shell line */
	/**
	 * The arguments. COPY, ADD: sources and last the destination; RUN, CMD, ENTRYPOINT as a
	 * shell line: one word, which may be empty; HEALTHCHECK: the command; EXPOSE: sorted; VOLUME,
	 * SHELL, USER, WORKDIR, STOPSIGNAL, MAINTAINER: as they are. Others have none.
	 */
	ob_words words;
	ob_pair *pairs; /**< ENV, LABEL, ARG */
	size_t pair_count;

	/* FROM */
	char *from;          /**< image or stage name, unexpanded */
	ob_location from_at; /**< of that name */
	char *as;            /**< stage name in lower case, or NULL */
	char *as_original;
	char *as_keyword; /**< "AS" as it is written, or NULL */
	/* RUN */
	bool heredoc_only; /**< the line is one heredoc and nothing else: its body is the script */
	/* HEALTHCHECK */
	bool healthcheck_none;
	ob_health_flags health; /**< words are the command */
	/* ONBUILD: the trigger's text as the config stores it, heredoc bodies included */
	char *onbuild;
	/** It parsed, with those bodies; NULL when it is wrong, which is a warning: only a build that
	 * uses the image would fail. */
	struct ob_instruction *trigger;
} ob_instruction;

/** A stage: its FROM and what follows. Borrowed from the Dockerfile. */
typedef struct ob_stage_source {
	const ob_instruction *from;
	const ob_instruction *instructions; /**< without the FROM */
	size_t len;
} ob_stage_source;

typedef struct ob_dockerfile {
	ob_source_text source;
	char escape;
	char *syntax;                 /**< value of "# syntax=", or NULL */
	char *check;                  /**< value of "# check=", or NULL */
	ob_instruction *instructions; /**< all, in order */
	size_t len;
	size_t global_count; /**< ARGs before the first FROM */
	ob_stage_source *stages;
	size_t stage_count;
	ob_strlist warnings;   /**< "line: text": what is no rule of a check */
	unsigned *empty_lines; /**< the first empty line of each instruction that has some */
	size_t empty_line_count;
} ob_dockerfile;

/**
 * Parse a whole Dockerfile; @p data is copied. Kinds: SYNTAX (with location and excerpt), LIMIT.
 * @param name how errors call it, e.g. "build/Dockerfile.app".
 */
ocib_errc ob_dockerfile_parse(const char *name, const char *data, size_t len, ob_dockerfile **out,
			      ocib_error **err);
/** The same, and what a check finds in the text as such is added, also where parsing fails. */
ocib_errc ob_dockerfile_parse_checked(const char *name, const char *data, size_t len,
				      struct ob_findings *findings, ob_dockerfile **out,
				      ocib_error **err);
ob_dockerfile *ob_dockerfile_free(ob_dockerfile *dockerfile);
OB_DEFINE_AUTO(ob_dockerfile);

/** One instruction's text without a FROM, as ONBUILD triggers come from an image's config. */
ocib_errc ob_instruction_parse_trigger(const char *text, ob_dockerfile **out, ocib_error **err);

const char *ob_instruction_flag(const ob_instruction *i,
				const char *name); /**< last value or NULL */
/** A boolean flag: --name and --name=true are true; @p absent when it is not given. */
bool ob_instruction_flag_bool(const ob_instruction *i, const char *name, bool absent);
/** An error that points at @p at in the Dockerfile: "Dockerfile:3: …" with excerpt. Returns code. */
#define ob_fail_at(err, dockerfile, at, code, ...) \
	(ob_fail((err), (code), __VA_ARGS__),      \
	 ob_source_locate(&(dockerfile)->source, (at), (code), (err)))

#endif
