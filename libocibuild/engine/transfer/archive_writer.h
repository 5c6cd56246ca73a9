/* engine/transfer/archive_writer.h — a tar of plain files, written to appear whole or not
 * at all.
 */
#ifndef OB_ENGINE_ARCHIVE_WRITER_H
#define OB_ENGINE_ARCHIVE_WRITER_H

#include "base/context.h"

typedef struct ob_archive_writer ob_archive_writer;

/** @param file "-": fd 1. A regular file is replaced at the end; a device or pipe is written to. */
ocib_errc ob_archive_writer_open(ocib_context *ctx, const char *file, ob_archive_writer **out,
				 ocib_error **err);
ocib_errc ob_archive_writer_add(ob_archive_writer *writer, const char *name, const void *data,
				size_t len, ocib_error **err);
/** @p size bytes of @p fd from its start. Kinds: CORRUPT (it is shorter), CANCELED. */
ocib_errc ob_archive_writer_add_fd(ob_archive_writer *writer, const char *name, int fd,
				   uint64_t size, ocib_error **err);
ocib_errc ob_archive_writer_add_dir(ob_archive_writer *writer, const char *name, ocib_error **err);
ocib_errc ob_archive_writer_finish(ob_archive_writer *writer, ocib_error **err);
/** Without finish: removes what was written. */
ob_archive_writer *ob_archive_writer_free(ob_archive_writer *writer);
OB_DEFINE_AUTO(ob_archive_writer);

#endif
