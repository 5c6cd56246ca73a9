/* ocibuild/check.h — what is questionable in a Dockerfile, what a stage takes, and which stages there are.
 *
 * None of these builds anything. A check and an outline plan a build, so they look at the manifests and
 * configurations of base images, in the store or in their registries; a base that cannot be had does not
 * end them. The rules are BuildKit's, by its names.
 *
 * Thread rule: a result belongs to one thread at a time; what is borrowed from it lives as long as it.
 */
#ifndef OCIBUILD_CHECK_H
#define OCIBUILD_CHECK_H

#include <ocibuild/build.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a check looks for. Static. */
typedef struct ocib_check_rule {
	const char *name;        /**< as "# check=skip=NAME" has it */
	const char *description; /**< what it asks of a Dockerfile, one line */
	const char *url;         /**< a page about it, or NULL */
	int experimental;        /**< non-zero: only looked for when it is asked for by name */
} ocib_check_rule;

OCIB_API size_t ocib_check_rule_count(void);
/** In the order of their names; NULL when @p index is out of range. */
OCIB_API const ocib_check_rule *ocib_check_rule_get(size_t index);

/** Something that was found. */
typedef struct ocib_finding {
	const ocib_check_rule *rule;
	const char *message; /**< one line about this very place */
	unsigned line;       /**< 1-based, of the instruction */
	unsigned end_line;   /**< its last line */
	const char *excerpt; /**< the source lines, ready to print */
} ocib_finding;

/** What a check came to. */
typedef struct ocib_check ocib_check;

/**
 * Check a Dockerfile under the same options as a build of it: the build arguments, the target (without
 * one, all stages), the ignore file. Rules are left out as "# check=" lines in the file and comments
 * above instructions say, or instead of the former the build argument BUILDKIT_DOCKERFILE_CHECK.
 *
 * That the Dockerfile has findings, or is wrong, is no failure of this call.
 * @param out  free with ocib_check_free(). Untouched on failure.
 * @return OCIB_OK. Branch on: OCIB_ERR_INVALID, OCIB_ERR_NOTFOUND (context or Dockerfile),
 *         OCIB_ERR_CANCELED.
 */
OCIB_API ocib_errc ocib_check_run(ocib_context *ctx, ocib_store *store,
				  const ocib_build_options *options, ocib_check **out,
				  ocib_error **err);
OCIB_API ocib_check *ocib_check_free(ocib_check *check);
OCIB_API size_t ocib_check_count(const ocib_check *check);
/** In the order of lines; NULL when @p index is out of range. Borrowed. */
OCIB_API const ocib_finding *ocib_check_get(const ocib_check *check, size_t index);
/** Findings past the limit of a list (OB_LIMIT_FINDINGS), which are only counted. */
OCIB_API size_t ocib_check_dropped(const ocib_check *check);
/**
 * Why the Dockerfile could not be built, or NULL: a mistake in it, a base that cannot be had (then
 * what depends on that base was not looked for), or findings that "error=true" makes count. Borrowed.
 */
OCIB_API const ocib_error *ocib_check_failure(const ocib_check *check);
/** How messages call the Dockerfile. Borrowed. */
OCIB_API const char *ocib_check_file(const ocib_check *check);
/** Its text. Borrowed; NUL-terminated. @param len may be NULL. */
OCIB_API const char *ocib_check_text(const ocib_check *check, size_t *len);

/** What a stage takes from outside. Values are append-only. */
typedef enum ocib_outline_kind {
	OCIB_OUTLINE_ARG = 1, /**< --build-arg */
	OCIB_OUTLINE_SECRET,  /**< --secret */
	OCIB_OUTLINE_SSH      /**< --ssh */
} ocib_outline_kind;

typedef struct ocib_outline_item {
	const char *name;
	const char *value;       /**< of an ARG under these options; "" when it has none */
	const char *description; /**< what the comment above says of it, or "" */
	int required;            /**< of a secret or an agent: the build fails without it */
	unsigned line, end_line; /**< 1-based, of the instruction */
} ocib_outline_item;

typedef struct ocib_outline ocib_outline;

/**
 * What the target stage, and all that it needs, takes. A base that cannot be had is warned about; what it
 * would bring in is not in the outline then.
 * @param out  free with ocib_outline_free(). Untouched on failure.
 * @return OCIB_OK. Branch on what ocib_build_run() fails with before it executes anything.
 */
OCIB_API ocib_errc ocib_outline_run(ocib_context *ctx, ocib_store *store,
				    const ocib_build_options *options, ocib_outline **out,
				    ocib_error **err);
OCIB_API ocib_outline *ocib_outline_free(ocib_outline *outline);
OCIB_API const char *ocib_outline_name(const ocib_outline *outline); /**< the stage's, or "" */
/** What the comment above the stage says of it, or "". Borrowed. */
OCIB_API const char *ocib_outline_description(const ocib_outline *outline);
OCIB_API size_t ocib_outline_count(const ocib_outline *outline, ocib_outline_kind kind);
/** In the order of lines; NULL when @p index is out of range. Borrowed. */
OCIB_API const ocib_outline_item *ocib_outline_get(const ocib_outline *outline,
						   ocib_outline_kind kind, size_t index);
/** The Dockerfile's text. Borrowed; NUL-terminated. @param len may be NULL. */
OCIB_API const char *ocib_outline_text(const ocib_outline *outline, size_t *len);

/** A stage; strings are "" where there is nothing. */
typedef struct ocib_target {
	const char *name;        /**< in small letters; "" when it has none */
	const char *description; /**< what the comment above says of it */
	const char *base;        /**< as written */
	const char *platform;    /**< of FROM --platform, as written */
	int is_default;          /**< non-zero: built when no target is named */
	unsigned line, end_line; /**< 1-based, of the FROM */
} ocib_target;

typedef struct ocib_targets ocib_targets;

/**
 * The stages of a Dockerfile, which is only parsed.
 * @param out  free with ocib_targets_free(). Untouched on failure.
 * @return OCIB_OK. Branch on: OCIB_ERR_SYNTAX, OCIB_ERR_NOTFOUND, OCIB_ERR_INVALID,
 *         OCIB_ERR_CANCELED.
 */
OCIB_API ocib_errc ocib_targets_run(ocib_context *ctx, ocib_store *store,
				    const ocib_build_options *options, ocib_targets **out,
				    ocib_error **err);
OCIB_API ocib_targets *ocib_targets_free(ocib_targets *targets);
OCIB_API size_t ocib_targets_count(const ocib_targets *targets);
/** In the order of the file; NULL when @p index is out of range. Borrowed. */
OCIB_API const ocib_target *ocib_targets_get(const ocib_targets *targets, size_t index);
/** The Dockerfile's text. Borrowed; NUL-terminated. @param len may be NULL. */
OCIB_API const char *ocib_targets_text(const ocib_targets *targets, size_t *len);

#ifdef __cplusplus
}
#endif
#endif
