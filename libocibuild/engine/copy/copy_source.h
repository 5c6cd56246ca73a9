/* engine/copy/copy_source.h — where COPY reads from: a local directory or the tree of an image or stage.
 *
 * Both answer the same three questions, on entry paths and without following links: what is there, what
 * is below it, and what is in it. Walks are parents first and in byte order of names.
 */
#ifndef OB_ENGINE_COPY_SOURCE_H
#define OB_ENGINE_COPY_SOURCE_H

#include "engine/copy/copy_file.h"
#include "engine/tree.h"

typedef enum ob_walk_next {
	OB_WALK_ENTER, /* go on, into this one if it is a directory */
	OB_WALK_SKIP,  /* do not enter this directory */
	OB_WALK_STOP
} ob_walk_next;

/** @p file may be moved out. */
typedef ocib_errc (*ob_source_visit)(void *arg, ob_copy_file *file, ob_walk_next *next,
				     ocib_error **err);

typedef struct ob_copy_source_reader ob_copy_source_reader;
typedef struct ob_copy_source_ops {
	/** @p path: its parents are directories. out->type 0: nothing is there. */
	ocib_errc (*lookup)(ob_copy_source_reader *self, const char *path, ob_copy_file *out,
			    ocib_error **err);
	/** @p eager: the visitor will enter nearly everything, so it may be read ahead. */
	ocib_errc (*walk)(ob_copy_source_reader *self, const char *dir, bool eager,
			  ob_source_visit visit, void *arg, ocib_error **err);
	/**
	 * Write a file as @p entry; fails when it is not what it was. Digest and xattrs of one that was
	 * not read before are set in @p file on the way.
	 */
	ocib_errc (*write)(ob_copy_source_reader *self, ob_copy_file *file, const ob_entry *entry,
			   ob_layer_writer *writer, ocib_error **err);
	/** Why a path that is not there is not there, as a hint on *err. */
	void (*explain)(ob_copy_source_reader *self, const char *path, ocib_error **err);
	void (*destroy)(ob_copy_source_reader *self);
} ob_copy_source_ops;

struct ob_copy_source_reader {
	const ob_copy_source_ops *ops;
};

/** Reads a tree; keeps a reference to it. */
ocib_errc ob_tree_source_new(ob_tree *tree, ob_copy_source_reader **out, ocib_error **err);
ob_copy_source_reader *ob_copy_source_reader_free(ob_copy_source_reader *source);
OB_DEFINE_AUTO(ob_copy_source_reader);

/**
 * Follow all links of a path inside the source's root, as fs.RootPath does. *resolved is an entry path,
 * also where the end of it does not exist (then out->type is 0). Kinds: LIMIT, SYNTAX (through a file).
 */
ocib_errc ob_copy_source_resolve(ob_copy_source_reader *source, const char *path, char **resolved,
				 ob_copy_file *out, ocib_error **err);

#endif
