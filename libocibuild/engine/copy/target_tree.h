/* engine/copy/target_tree.h — the tree that a layer will make: entries to be written over a base.
 *
 * Instructions put things into it one after the other, and each sees what those before it did. At the end
 * the entries are written, sorted. Paths are entry paths without links in their parents unless a function
 * says that it follows them.
 */
#ifndef OB_ENGINE_TARGET_TREE_H
#define OB_ENGINE_TARGET_TREE_H

#include "engine/copy/copy_source.h"
#include "layer/layer_stack.h"

/** Where the content of a target file comes from. */
typedef struct ob_content {
	enum {
		OB_CONTENT_NONE = 0,
		OB_CONTENT_SOURCE, /**< the node's file in source */
		OB_CONTENT_INLINE, /**< data */
		OB_CONTENT_BLOB,   /**< a whole blob of the store */
		OB_CONTENT_SPOOL,  /**< at offset in the spool file */
		OB_CONTENT_BASE    /**< found in the base tree */
	} kind;
	union {
		ob_copy_source_reader *source;
		const char *data;
		const ob_digest *blob;
		uint64_t offset;
		ob_found found;
	};
} ob_content;

typedef struct ob_target_node {
	char *path;
	ob_entry_type type;
	bool gone;   /**< replaced by something above it */
	bool fresh;  /**< nothing of the base is below it */
	bool opaque; /**< a new directory where the base has one with content */
	uint32_t mode, uid, gid;
	uint32_t dev_major, dev_minor;
	uint32_t group; /**< hard links to one another, as in ob_copy_file */
	uint64_t size;
	int64_t mtime_sec;
	const char *link;   /**< borrowed from the file, or a text of the tree */
	ob_copy_file *file; /**< what it is a copy of: digest, and xattrs without extra; or NULL */
	ob_entry *extra;    /**< owned: xattrs that are not the file's own; or NULL */
	ob_content content;
} ob_target_node;

typedef struct ob_target_tree ob_target_tree;

/** @p base may be NULL: an empty tree (--link). Borrowed. */
ob_target_tree *ob_target_tree_new(const ob_layer_stack *base);
ob_target_tree *ob_target_tree_free(ob_target_tree *tree);
OB_DEFINE_AUTO(ob_target_tree);

/** What is at a path now: a node of ours, else what the base has there. */
typedef struct ob_target_view {
	ob_entry_type type;   /**< 0: nothing */
	ob_target_node *node; /**< or NULL */
	ob_found base;
} ob_target_view;
ob_target_view ob_target_look(ob_target_tree *tree, const char *path);

/** Follow all links of @p path from @p root on (see ob_path_resolve). */
ocib_errc ob_target_resolve(ob_target_tree *tree, const char *root, const char *path,
			    char **resolved, ocib_error **err);

/**
 * Put a thing of @p type at a path, over what is there (@p view, just looked at), and give its node to be
 * filled in: zeroed but for path, type and what is said about the base. A directory over a directory
 * keeps what is below it; everything else takes it away.
 */
ocib_errc ob_target_put(ob_target_tree *tree, const char *path, const ob_target_view *view,
			ob_entry_type type, ob_target_node **out, ocib_error **err);
/** A copy of @p text that lives as long as the tree; NULL: no memory. */
char *ob_target_text(ob_target_tree *tree, const char *text);

typedef struct ob_new_dirs {
	uint32_t mode, uid, gid;
	int64_t mtime_sec;
} ob_new_dirs;
/** mkdir -p. Kinds: SYNTAX when something on the way is not a directory. */
ocib_errc ob_target_make_dirs(ob_target_tree *tree, const char *path, const ob_new_dirs *how,
			      ocib_error **err);

/** Live nodes in the order of a layer. The array is the caller's to free. */
ocib_errc ob_target_sorted(const ob_target_tree *tree, ob_target_node ***out, size_t *count,
			   ocib_error **err);

#endif
