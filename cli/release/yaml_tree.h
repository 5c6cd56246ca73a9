/* cli/release/yaml_tree.h — a YAML file as a tree of scalars, sequences and mappings with their lines.
 *
 * The part of YAML that a configuration needs: one document; no anchors, aliases or tags; keys are
 * scalars and there is one of each. Everything else, and whatever is no YAML, is one problem with a
 * line. Depth and size have limits.
 */
#ifndef CLI_RELEASE_YAML_TREE_H
#define CLI_RELEASE_YAML_TREE_H

#include "text_pool.h"

typedef enum yaml_tree_kind {
	YAML_TREE_SCALAR = 1,
	YAML_TREE_SEQUENCE,
	YAML_TREE_MAPPING
} yaml_tree_kind;

typedef struct yaml_tree yaml_tree;
struct yaml_tree {
	yaml_tree_kind kind;
	unsigned line;
	const char *key; /**< of a member of a mapping, else NULL */
	unsigned key_line;
	const char *text; /**< of a scalar */
	bool is_plain;    /**< a scalar without quotes: true, null and numbers mean something */
	yaml_tree *first, *last; /**< of a sequence or mapping */
	yaml_tree *next;
};

/** What is wrong with a file. */
typedef struct config_problem {
	unsigned line; /**< 0: none in particular */
	char text[400];
} config_problem;
/** @return false, so that a failing function can end with it. */
bool config_fail(config_problem *problem, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** *out NULL: an empty document. @return false with *problem set. */
bool yaml_tree_parse(text_pool *pool, const char *data, size_t len, yaml_tree **out,
		     config_problem *problem);
/** A scalar that says nothing: "key:", "key: null", "key: ~". */
bool yaml_tree_is_null(const yaml_tree *node);
/** "a mapping", "a list", "a value"; for messages. */
const char *yaml_tree_describe(const yaml_tree *node);

#endif
