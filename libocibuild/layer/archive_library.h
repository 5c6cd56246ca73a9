/* layer/archive_library.h — libarchive's functions, by way of a table.
 *
 * libarchive brings an XML parser and all of Unicode along, and only layers of other builders and archives
 * for ADD need it. So it is loaded when it is first needed: archive_read_new() is ob_archive.archive_read_new().
 */
#ifndef OB_LAYER_ARCHIVE_LIBRARY_H
#define OB_LAYER_ARCHIVE_LIBRARY_H

#include <archive.h>
#include <archive_entry.h>
#include "base/error.h"

#define OB_ARCHIVE_FUNCTIONS(X)              \
	X(archive_bzlib_version)             \
	X(archive_entry_filetype)            \
	X(archive_entry_gid)                 \
	X(archive_entry_hardlink)            \
	X(archive_entry_mtime)               \
	X(archive_entry_mtime_nsec)          \
	X(archive_entry_pathname)            \
	X(archive_entry_perm)                \
	X(archive_entry_rdevmajor)           \
	X(archive_entry_rdevminor)           \
	X(archive_entry_size)                \
	X(archive_entry_sparse_count)        \
	X(archive_entry_symlink)             \
	X(archive_entry_uid)                 \
	X(archive_entry_xattr_next)          \
	X(archive_entry_xattr_reset)         \
	X(archive_errno)                     \
	X(archive_error_string)              \
	X(archive_filter_bytes)              \
	X(archive_liblzma_version)           \
	X(archive_libzstd_version)           \
	X(archive_read_data_block)           \
	X(archive_read_free)                 \
	X(archive_read_header_position)      \
	X(archive_read_new)                  \
	X(archive_read_next_header)          \
	X(archive_read_open)                 \
	X(archive_read_support_filter_bzip2) \
	X(archive_read_support_filter_gzip)  \
	X(archive_read_support_filter_none)  \
	X(archive_read_support_filter_xz)    \
	X(archive_read_support_filter_zstd)  \
	X(archive_read_support_format_empty) \
	X(archive_read_support_format_tar)   \
	X(archive_set_error)                 \
	X(archive_zlib_version)

typedef struct ob_archive_functions {
#define OB_ARCHIVE_FIELD(name) __typeof__(name) *name;
	OB_ARCHIVE_FUNCTIONS(OB_ARCHIVE_FIELD)
#undef OB_ARCHIVE_FIELD
} ob_archive_functions;

/** All NULL until ob_archive_library_load() has succeeded once; constant from then on. */
extern ob_archive_functions ob_archive;

/** Load libarchive, once per process. Any thread. Kinds: SYSTEM (there is none, or one too old). */
ocib_errc ob_archive_library_load(ocib_error **err);

#endif
