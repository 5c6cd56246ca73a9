/* dockerfile/instruction_build.h — inside of the second level: one node becomes one typed instruction. */
#ifndef OB_DOCKERFILE_INSTRUCTION_BUILD_H
#define OB_DOCKERFILE_INSTRUCTION_BUILD_H

#include "dockerfile/instruction.h"
#include "dockerfile/syntax_node.h"

typedef struct ob_instruction_build {
	const ob_source_text *source; /**< NULL: errors get no location */
	ob_strlist *warnings;
	ocib_error **err;
} ob_instruction_build;

/** Moves the node's content into @p out (zeroed), also when it fails. Kinds: SYNTAX (located). */
ocib_errc ob_instruction_make(const ob_instruction_build *build, ob_syntax_node *node,
			      ob_instruction *out);
void ob_instruction_done(ob_instruction *instruction);

/** Fail at a place: an error with its location. */
#define ob_fail_build(build, at, ...)                         \
	(ob_fail((build)->err, OCIB_ERR_SYNTAX, __VA_ARGS__), \
	 ob_build_locate((build), (at), OCIB_ERR_SYNTAX))
ocib_errc ob_build_locate(const ob_instruction_build *build, const ob_location *at, ocib_errc code);

/* The checks of single instructions; words are in out already. */
ocib_errc ob_build_sources(const ob_instruction_build *build, ob_instruction *out); /* ADD, COPY */
ocib_errc ob_build_run(const ob_instruction_build *build, ob_instruction *out);
ocib_errc ob_build_healthcheck(const ob_instruction_build *build, ob_instruction *out);
ocib_errc ob_build_onbuild(const ob_instruction_build *build, ob_syntax_node *node,
			   ob_instruction *out);

#endif
