/* layer/tar_reader.c — libarchive's tar reader behind our own interface; see tar_reader.h.
 *
 * libarchive finds members, pax records and sparse maps; what a member may say is decided in
 * tar_member.c. Holes are filled here, and held to the expansion limit with all other content, since a
 * header of 512 bytes can claim a terabyte of them.
 *
 * Names must come through as bytes. libarchive converts pax names from UTF-8 to the current locale, and
 * normalises them on the way; only in the C locale does it give up on non-ASCII names and hand out the
 * raw bytes. So each call that may meet a name runs in the thread's C locale (uselocale), and the
 * process's own locale is left alone.
 */
#include "layer/tar_reader.h"
#include <errno.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include "base/limits.h"
#include "layer/archive_library.h"
#include "layer/tar_member.h"

#define INPUT_BLOCK (256 * 1024)

struct ob_tar_reader {
	ob_reader content; /* first: the content reader is the tar reader seen as an ob_reader */
	struct archive *archive;
	locale_t c_locale;
	ob_tar_member_rules rules;
	char *what;

	ob_reader *input;       /* borrowed */
	uint8_t *block;         /* what libarchive was last given */
	ocib_errc input_failed; /* why it could not be given more */
	ocib_error *input_error;

	ob_entry entry;
	uint64_t count;
	bool at_end;

	/* Content of the current file: the last chunk libarchive gave, and how far our reader is. */
	const uint8_t *chunk;
	uint64_t chunk_at;
	size_t chunk_len;
	bool no_more_chunks;
	bool has_holes;
	uint64_t position;
	uint64_t delivered; /* content bytes of all members so far, holes included */
};

static void restore_locale(const locale_t *previous)
{
	(void)uselocale(*previous);
}

#define IN_LOCALE(locale) \
	locale_t previous_ __attribute__((cleanup(restore_locale), unused)) = uselocale(locale)

static la_ssize_t give_block(struct archive *archive, void *arg, const void **block)
{
	ob_tar_reader *tar = arg;
	size_t got = 0;

	tar->input_failed =
		ob_reader_read(tar->input, tar->block, INPUT_BLOCK, &got, &tar->input_error);
	if (tar->input_failed) {
		ob_archive.archive_set_error(archive, EIO, "cannot read");
		return ARCHIVE_FATAL;
	}
	*block = tar->block;
	return (la_ssize_t)got;
}

/* The input's own error when it failed; else what libarchive found wrong. */
static ocib_errc fail_archive(ob_tar_reader *tar, ocib_error **err)
{
	ocib_errc failed = tar->input_failed;
	const char *text = ob_archive.archive_error_string(tar->archive);

	if (failed) {
		tar->input_failed = OCIB_OK;
		(void)ob_error_move(err, &tar->input_error);
		return ob_wrap(err, failed, "%s", tar->what);
	}
	if (ob_archive.archive_errno(tar->archive) == ENOMEM)
		return ob_fail_nomem(err);
	if (tar->count == 0)
		return ob_fail(err, OCIB_ERR_CORRUPT, "%s is not a tar archive: %s", tar->what,
			       text ? text : "unreadable");
	return ob_fail(err, OCIB_ERR_CORRUPT, "%s: after %llu members: %s", tar->what,
		       (unsigned long long)tar->count, text ? text : "unreadable");
}

/* Only what libarchive can undo itself: for the rest it would start programs. */
static void support_filters(struct archive *archive, bool any)
{
	(void)ob_archive.archive_read_support_filter_none(archive);
	if (!any)
		return;
	if (ob_archive.archive_zlib_version())
		(void)ob_archive.archive_read_support_filter_gzip(archive);
	if (ob_archive.archive_bzlib_version())
		(void)ob_archive.archive_read_support_filter_bzip2(archive);
	if (ob_archive.archive_liblzma_version())
		(void)ob_archive.archive_read_support_filter_xz(archive);
	if (ob_archive.archive_libzstd_version())
		(void)ob_archive.archive_read_support_filter_zstd(archive);
}

static ocib_errc read_content(ob_reader *self, void *data, size_t cap, size_t *got,
			      ocib_error **err)
{
	return ob_tar_reader_read((ob_tar_reader *)self, data, cap, got, err);
}

static void keep_content(ob_reader *self)
{
	(void)self; /* borrowed from the tar reader, which frees itself */
}

static const ob_reader_ops content_ops = {.read = read_content, .destroy = keep_content};

ocib_errc ob_tar_reader_open(ob_reader *input, const ob_tar_reader_options *options,
			     ob_tar_reader **out, ocib_error **err)
{
	ob_auto(ob_tar_reader) tar = calloc(1, sizeof(*tar));
	ocib_errc r = ob_archive_library_load(err);

	if (r)
		return r;
	if (!tar)
		return ob_fail_nomem(err);
	tar->content.ops = &content_ops;
	tar->rules.strict = options->strict;
	tar->rules.whiteouts = options->whiteouts;
	tar->input = input;
	tar->what = strdup(options->what ? options->what : "the archive");
	tar->block = malloc(INPUT_BLOCK);
	tar->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	tar->archive = ob_archive.archive_read_new();
	if (!tar->what || !tar->block || !tar->c_locale || !tar->archive)
		return ob_fail_nomem(err);

	IN_LOCALE(tar->c_locale);
	support_filters(tar->archive, options->any_archive);
	(void)ob_archive.archive_read_support_format_tar(tar->archive);
	(void)ob_archive.archive_read_support_format_empty(tar->archive);
	if (ob_archive.archive_read_open(tar->archive, tar, NULL, give_block, NULL) < ARCHIVE_WARN)
		return fail_archive(tar, err);
	*out = ob_take_ptr(tar);
	return OCIB_OK;
}

/* *member is NULL at the end. */
static ocib_errc next_header(ob_tar_reader *tar, struct archive_entry **member, ocib_error **err)
{
	*member = NULL;
	if (tar->at_end)
		return OCIB_OK;
	switch (ob_archive.archive_read_next_header(tar->archive, member)) {
	case ARCHIVE_EOF:
		tar->at_end = true;
		*member = NULL;
		return OCIB_OK;
	case ARCHIVE_OK:
	case ARCHIVE_WARN: break;
	default: return fail_archive(tar, err);
	}
	if (++tar->count > OB_LIMIT_LAYER_ENTRIES)
		return ob_fail(err, OCIB_ERR_LIMIT, "%s has more than %d members", tar->what,
			       OB_LIMIT_LAYER_ENTRIES);
	return OCIB_OK;
}

static void forget_entry(ob_tar_reader *tar)
{
	ob_entry_done(&tar->entry);
	tar->chunk = NULL;
	tar->chunk_len = 0;
	tar->chunk_at = 0;
	tar->no_more_chunks = false;
	tar->has_holes = false;
	tar->position = 0;
}

ocib_errc ob_tar_reader_next(ob_tar_reader *tar, const ob_entry **entry, ocib_error **err)
{
	IN_LOCALE(tar->c_locale);
	struct archive_entry *member;
	bool skip;
	ocib_errc r;

	do {
		skip = false;
		forget_entry(tar);
		r = next_header(tar, &member, err);
		if (r)
			return r;
		if (!member) {
			*entry = NULL;
			return OCIB_OK;
		}
		r = ob_tar_member_parse(member, &tar->rules, &tar->entry, &skip, err);
		if (r)
			return ob_wrap(err, r, "%s", tar->what);
	} while (skip);

	tar->entry.tar_offset = (uint64_t)ob_archive.archive_read_header_position(tar->archive);
	/* All headers are consumed now. The content of a sparse file is in pieces. */
	if (tar->entry.size > 0 && ob_archive.archive_entry_sparse_count(member) == 0)
		tar->entry.data_offset = (uint64_t)ob_archive.archive_filter_bytes(tar->archive, 0);
	*entry = &tar->entry;
	return OCIB_OK;
}

uint64_t ob_tar_reader_position(const ob_tar_reader *tar)
{
	return (uint64_t)ob_archive.archive_filter_bytes(tar->archive, 0);
}

static ocib_errc next_chunk(ob_tar_reader *tar, ocib_error **err)
{
	const void *data = NULL;
	size_t len = 0;
	la_int64_t at = 0;

	int r = ob_archive.archive_read_data_block(tar->archive, &data, &len, &at);
	if (r == ARCHIVE_EOF) {
		tar->no_more_chunks = true;
		return OCIB_OK;
	}
	if (r < ARCHIVE_WARN)
		return fail_archive(tar, err);
	if (at < 0 || (uint64_t)at < tar->position || (uint64_t)at > tar->entry.size ||
	    len > tar->entry.size - (uint64_t)at)
		return ob_fail(err, OCIB_ERR_CORRUPT, "%s: a sparse file's map is wrong",
			       tar->what);
	tar->chunk = data;
	tar->chunk_len = len;
	tar->chunk_at = (uint64_t)at;
	return OCIB_OK;
}

/* Content against what had to be read for it, packed. */
static ocib_errc check_expansion(ob_tar_reader *tar, size_t more, ocib_error **err)
{
	uint64_t packed = (uint64_t)ob_archive.archive_filter_bytes(tar->archive, -1);

	tar->delivered += more;
	if (tar->delivered > OB_LIMIT_EXPANSION_FREE &&
	    tar->delivered / OB_LIMIT_EXPANSION_RATIO > packed)
		return ob_fail(err, OCIB_ERR_LIMIT, "%s unpacks to more than %d times its size",
			       tar->what, OB_LIMIT_EXPANSION_RATIO);
	return OCIB_OK;
}

/* The next piece that is all hole or all data, of at most cap bytes. */
static size_t take_piece(ob_tar_reader *tar, uint8_t *data, size_t cap)
{
	uint64_t hole_end = tar->chunk_len ? tar->chunk_at : tar->entry.size;
	size_t len = cap;

	if (tar->position < hole_end) {
		if (len > hole_end - tar->position)
			len = (size_t)(hole_end - tar->position);
		memset(data, 0, len);
		tar->has_holes = true;
	} else {
		if (len > tar->chunk_len)
			len = tar->chunk_len;
		memcpy(data, tar->chunk, len);
		tar->chunk += len;
		tar->chunk_at += len;
		tar->chunk_len -= len;
	}
	tar->position += len;
	return len;
}

ocib_errc ob_tar_reader_read(ob_tar_reader *tar, void *data, size_t cap, size_t *got,
			     ocib_error **err)
{
	*got = 0;
	if (cap == 0 || tar->position == tar->entry.size)
		return OCIB_OK;
	while (tar->chunk_len == 0 && !tar->no_more_chunks) {
		ocib_errc r = next_chunk(tar, err);

		if (r)
			return r;
	}
	*got = take_piece(tar, data, cap);
	return check_expansion(tar, *got, err);
}

bool ob_tar_reader_has_holes(const ob_tar_reader *tar)
{
	return tar->has_holes;
}

ob_reader *ob_tar_reader_content(ob_tar_reader *tar)
{
	return &tar->content;
}

ob_tar_reader *ob_tar_reader_free(ob_tar_reader *tar)
{
	if (!tar)
		return NULL;
	if (tar->archive)
		(void)ob_archive.archive_read_free(tar->archive);
	if (tar->c_locale)
		freelocale(tar->c_locale);
	ob_entry_done(&tar->entry);
	(void)ocib_error_free(tar->input_error);
	free(tar->block);
	free(tar->what);
	free(tar);
	return NULL;
}

ocib_errc ob_archive_detect(int fd, bool *out, ocib_error **err)
{
	const ob_tar_reader_options options = {.any_archive = true, .what = "the file"};
	ob_auto(ob_reader) input = NULL;
	ob_auto(ob_tar_reader) tar = NULL;
	ob_auto(ocib_error) ignored = NULL;
	const ob_entry *first = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return ob_fail_errno(err, "stat");
	*out = false;
	if (!S_ISREG(st.st_mode))
		return OCIB_OK;
	ocib_errc r = ob_reader_open_range(fd, false, 0, (uint64_t)st.st_size, &input, err);
	if (r)
		return r;
	r = ob_tar_reader_open(input, &options, &tar, &ignored);
	if (!r)
		r = ob_tar_reader_next(tar, &first, &ignored);
	if (r == OCIB_ERR_SYSTEM || r == OCIB_ERR_NOMEM)
		return ob_error_move(err, &ignored);
	/* An archive with a member that we refuse is an archive all the same: ADD is to say why. */
	*out = tar && tar->count > 0;
	return OCIB_OK;
}
