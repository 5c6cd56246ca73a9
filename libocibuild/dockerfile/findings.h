/* dockerfile/findings.h — what a check found, in one list that parsing and planning add to.
 *
 * Adding never fails visibly, so that a rule is one line where it is applied; that memory ran out is
 * said at the end, and of more than OB_LIMIT_FINDINGS the rest is only counted. All functions take
 * a list of NULL, for which nothing counts.
 */
#ifndef OB_DOCKERFILE_FINDINGS_H
#define OB_DOCKERFILE_FINDINGS_H

#include "dockerfile/check_options.h"
#include "dockerfile/instruction.h"

typedef struct ob_finding {
	ob_rule rule;
	char *message;
	ob_location at; /**< without a column: whole lines */
} ob_finding;

typedef struct ob_findings {
	ob_check_options options;
	bool given; /**< by the caller: what the file says of itself does not count */
	ob_finding *items;
	size_t len;
	size_t dropped; /**< found, and not in the list */
	bool failed;    /**< no memory */
} ob_findings;

void ob_findings_done(ob_findings *findings);
/** Options that replace the file's own (BUILDKIT_DOCKERFILE_CHECK). Kinds: SYNTAX (no location). */
ocib_errc ob_findings_set_options(ob_findings *findings, const char *text, ocib_error **err);
/** Take the options of the "# check=" line, if there is one and none were given. Kinds: SYNTAX. */
ocib_errc ob_findings_read_options(ob_findings *findings, const ob_source_text *source,
				   ocib_error **err);

/**
 * Add one at the lines of @p at, unless options skip the rule, those of the file or those in a comment
 * directly above @p near (may be NULL).
 */
void ob_findings_add(ob_findings *findings, ob_rule rule, const ob_instruction *near,
		     const ob_location *at, const char *format, ...) ob_printf(5, 6);

/** By line; what stands at one line stays in the order it was found. */
void ob_findings_sort(ob_findings *findings);
/** Kinds: NOMEM; SYNTAX (located): there are findings, and "error=true" makes them count. */
ocib_errc ob_findings_verdict(const ob_findings *findings, const ob_dockerfile *dockerfile,
			      ocib_error **err);

#endif
