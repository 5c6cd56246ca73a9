/* layer/layer_index_codec.h — what writer and reader of index documents share. Private to them.
 *
 * docs/internals/layer-index.md describes the format.
 */
#ifndef OB_LAYER_LAYER_INDEX_CODEC_H
#define OB_LAYER_LAYER_INDEX_CODEC_H

#include "layer/layer_index.h"
#include "layer/tar_writer.h"

#define OB_INDEX_MAGIC    "OBLI\x01" /* four letters and the version */
#define OB_INDEX_HEAD_LEN 5

#define OB_INDEX_TAG_TYPE   0x0fU
#define OB_INDEX_TAG_DIGEST 0x10U
#define OB_INDEX_TAG_XATTRS 0x20U
#define OB_INDEX_TAG_NSEC   0x40U
#define OB_INDEX_TAG_SAME   0x80U /* mode, uid and gid as of the entry before */

/** What an entry is coded against: the one before it. */
typedef struct ob_index_before {
	const char *path; /**< borrowed from that entry */
	uint32_t mode, uid, gid;
	int64_t mtime_sec;
	uint64_t
		tar_end; /**< where the next member begins if it is a ustar header and follows directly */
} ob_index_before;

static inline ob_index_before ob_index_before_init(void)
{
	return (ob_index_before){.path = ""};
}

static inline ob_index_before ob_index_before_next(const ob_entry *entry)
{
	bool has_data = entry->type == OB_ENTRY_FILE && entry->size && entry->data_offset;

	return (ob_index_before){
		.path = entry->path,
		.mode = entry->mode,
		.uid = entry->uid,
		.gid = entry->gid,
		.mtime_sec = entry->mtime_sec,
		.tar_end = has_data ? entry->data_offset + entry->size + ob_tar_padding(entry->size)
				    : entry->tar_offset + OB_TAR_BLOCK,
	};
}

#endif
