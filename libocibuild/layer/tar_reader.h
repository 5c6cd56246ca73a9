/* layer/tar_reader.h — entries out of any tar that libarchive reads; whiteouts are recognised.
 *
 * Names are taken as bytes, whatever the locale. Names that are absolute or climb ("..") are CORRUPT
 * with @p strict (layers) and clipped to the root without it (ADD of archives).
 */
#ifndef OB_LAYER_TAR_READER_H
#define OB_LAYER_TAR_READER_H

#include "io/stream.h"
#include "layer/entry.h"

typedef struct ob_tar_reader ob_tar_reader;

typedef struct ob_tar_reader_options {
	bool strict;
	bool whiteouts; /**< ".wh." names become OB_ENTRY_WHITEOUT/OPAQUE; else they are ordinary files */
	bool any_archive; /**< let libarchive undo bzip2, xz … and say whether it is a tar at all (ADD) */
	const char *what; /**< names the source in errors */
} ob_tar_reader_options;

/** @param input unpacked tar (or packed with any_archive); borrowed. */
ocib_errc ob_tar_reader_open(ob_reader *input, const ob_tar_reader_options *options,
			     ob_tar_reader **out, ocib_error **err);
/** *entry is borrowed until the next call; NULL at the end. Kinds: CORRUPT, LIMIT. */
ocib_errc ob_tar_reader_next(ob_tar_reader *tar, const ob_entry **entry, ocib_error **err);
/** Content of the current file entry, holes filled with zeros; *got == 0 at its end. */
ocib_errc ob_tar_reader_read(ob_tar_reader *tar, void *data, size_t cap, size_t *got,
			     ocib_error **err);
/** Was any of the current content, as far as it was read, not in the tar? Then data_offset says nothing,
 *  also where the sparse file's map claims that there are no holes. */
bool ob_tar_reader_has_holes(const ob_tar_reader *tar);
/** Bytes of the unpacked tar that were taken so far, for progress. */
uint64_t ob_tar_reader_position(const ob_tar_reader *tar);
/** The content as a reader, borrowed, valid until the next entry. */
ob_reader *ob_tar_reader_content(ob_tar_reader *tar);
ob_tar_reader *ob_tar_reader_free(ob_tar_reader *tar);
OB_DEFINE_AUTO(ob_tar_reader);

/** Is this an archive that ADD unpacks (tar, plain or gzip, bzip2, xz, zstd)? Looks at content. */
ocib_errc ob_archive_detect(int fd, bool *out, ocib_error **err);

#endif
