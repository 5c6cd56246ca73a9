/* engine/build/rootfs_sink.h — a merged tree written out: as a tar, or as files in a directory. */
#ifndef OB_ENGINE_BUILD_ROOTFS_SINK_H
#define OB_ENGINE_BUILD_ROOTFS_SINK_H

#include "engine/tree.h"

typedef struct ob_rootfs_sink ob_rootfs_sink;
typedef struct ob_rootfs_sink_ops {
	/** One thing; @p entry->path is its path. @p content for files that are not empty. */
	ocib_errc (*add)(ob_rootfs_sink *self, const ob_entry *entry, ob_reader *content,
			 ocib_error **err);
	ocib_errc (*finish)(ob_rootfs_sink *self, ocib_error **err);
	void (*destroy)(ob_rootfs_sink *self);
} ob_rootfs_sink_ops;
struct ob_rootfs_sink {
	const ob_rootfs_sink_ops *ops;
};

/** A tar to @p path, "-" for standard output. It appears when it is finished. */
ocib_errc ob_rootfs_sink_open_tar(const char *path, ob_rootfs_sink **out, ocib_error **err);
/** Files below directory @p path, made if missing, all owned by whoever we are. */
ocib_errc ob_rootfs_sink_open_dir(const char *path, ob_rootfs_sink **out, ocib_error **err);
ob_rootfs_sink *ob_rootfs_sink_free(ob_rootfs_sink *sink);
OB_DEFINE_AUTO(ob_rootfs_sink);

/**
 * Everything in @p tree: directories and what has no content first, then files in the order of their
 * layers' tars, further names of a file as hard links. The sink is not finished.
 * @param folder where all of it is put; NULL: at the top.
 */
ocib_errc ob_rootfs_write(ocib_context *ctx, ob_tree *tree, const char *folder,
			  ob_rootfs_sink *sink, ocib_error **err);

#endif
