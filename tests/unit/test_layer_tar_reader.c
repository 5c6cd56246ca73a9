/* tests/unit/test_layer_tar_reader.c — tars that other tools wrote, good and bad.
 *
 * The files are the corpus of the fuzz target: GNU tar's and Python's output in all their formats.
 */
#include "layer_fixture.h"
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>
#include "base/fds.h"

#define CORPUS TEST_CORPUS "/tar_layer/"

typedef struct source {
	ob_buffer bytes;
	ob_reader *reader;
	ob_tar_reader *tar;
} source;

static void source_done(source *s)
{
	ob_tar_reader_free(s->tar);
	ob_reader_free(s->reader);
	ob_buffer_done(&s->bytes);
}

static const ob_tar_reader_options layer_rules = {
	.strict = true, .whiteouts = true, .what = "layer x"};

static ocib_errc open_source(source *s, const char *name, const ob_tar_reader_options *options,
			     ocib_error **err)
{
	ob_autofree char *path = ob_str_printf("%s%s", CORPUS, name);

	*s = (source){.bytes = OB_BUFFER_INIT(OB_MIB, "a tar")};
	ASSERT_OK(ob_read_file(AT_FDCWD, path, &s->bytes, &t_err));
	ASSERT_OK(ob_reader_open_memory(s->bytes.data, s->bytes.len, &s->reader, &t_err));
	return ob_tar_reader_open(s->reader, options, &s->tar, err);
}

static const ob_entry *next(source *s)
{
	const ob_entry *entry;

	ASSERT_OK(ob_tar_reader_next(s->tar, &entry, &t_err));
	return entry;
}

static void assert_content(source *s, const ob_entry *entry, const char *content)
{
	ob_autodone(ob_buffer) got = OB_BUFFER_INIT(OB_MIB, "content");

	ASSERT_OK(ob_reader_read_all(ob_tar_reader_content(s->tar), &got, &t_err));
	assert_int_equal(got.len, entry->size);
	assert_string_equal(got.data, content);
	/* What is said of its place is true. */
	if (entry->data_offset)
		assert_memory_equal(s->bytes.data + entry->data_offset, content, got.len);
}

/* n times the byte. */
static char *repeat(int byte, size_t n)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, byte, n);
	text[n] = '\0';
	return text;
}

static void assert_long_names(const char *name)
{
	ob_autodone(source) s = {.tar = NULL};
	ob_autofree char *x = repeat('x', 150), *y = repeat('y', 150);
	ob_autofree char *ff = repeat('\xff', 150), *z = repeat('z', 120);
	ob_autofree char *ascii = ob_str_printf("%s/%s", x, y);
	ob_autofree char *raw = ob_str_printf("%s/%s", ff, z);

	ASSERT_OK(open_source(&s, name, &layer_rules, &t_err));
	const ob_entry *e = next(&s);
	assert_string_equal(e->path, "bin/\xff\xfe");
	assert_content(&s, e, "raw");
	e = next(&s);
	assert_string_equal(e->path, "e\xcc\x81te\xcc\x81"); /* not composed */
	assert_content(&s, e, "nfd");
	e = next(&s);
	assert_string_equal(e->path, ascii);
	assert_content(&s, e, "long");
	e = next(&s);
	assert_string_equal(e->path, raw);
	assert_content(&s, e, "long raw");
	e = next(&s);
	assert_string_equal(e->path, "l");
	assert_int_equal(e->type, OB_ENTRY_SYMLINK);
	assert_int_equal(strlen(e->link), ob_str_eq(name, "gnu-names.tar") ? 200 : 201);
	assert_null(next(&s));
}

TEST(tar_reader__names_are_bytes_in_every_format)
{
	static const char *const locales[] = {"C", "C.UTF-8"};

	for (size_t i = 0; i < OB_ARRAY_LEN(locales); i++) {
		if (!setlocale(LC_ALL, locales[i]))
			continue;
		assert_long_names("gnu-names.tar");
		assert_long_names("pax-names.tar");
		/* Nothing of it stays with the thread. */
		assert_ptr_equal(uselocale((locale_t)0), LC_GLOBAL_LOCALE);
	}
	(void)setlocale(LC_ALL, "C");
}

TEST(tar_reader__reads_ustar_with_split_names)
{
	ob_autodone(source) s = {.tar = NULL};
	ob_autofree char *d = repeat('d', 90), *fe = repeat('\xfe', 90);
	ob_autofree char *split = ob_str_printf("%s/%s", d, fe);

	ASSERT_OK(open_source(&s, "ustar-names.tar", &layer_rules, &t_err));
	assert_string_equal(next(&s)->path, "");
	assert_string_equal(next(&s)->path, "bin");
	assert_string_equal(next(&s)->path, "bin/\xff\xfe");
	assert_string_equal(next(&s)->path, "e\xcc\x81te\xcc\x81");
	const ob_entry *e = next(&s);
	assert_string_equal(e->path, split);
	assert_content(&s, e, "split");
	assert_null(next(&s));
}

TEST(tar_reader__fills_holes)
{
	static const char *const names[] = {"sparse-gnu.tar", "sparse-pax-0.0.tar",
					    "sparse-pax-0.1.tar", "sparse-pax-1.0.tar"};

	for (size_t i = 0; i < OB_ARRAY_LEN(names); i++) {
		ob_autodone(source) s = {.tar = NULL};
		ob_autodone(ob_buffer) got = OB_BUFFER_INIT(OB_MIB, "content");
		ob_autofree char *expected = calloc(1, 200000);

		memcpy(expected, "begin", 5);
		memcpy(expected + 102400, "middle", 6);
		ASSERT_OK(open_source(&s, names[i], &layer_rules, &t_err));
		const ob_entry *e = next(&s);
		assert_string_equal(e->path, "sp");
		assert_int_equal(e->size, 200000);
		assert_int_equal(e->data_offset, 0);
		ASSERT_OK(ob_reader_read_all(ob_tar_reader_content(s.tar), &got, &t_err));
		assert_int_equal(got.len, 200000);
		assert_memory_equal(got.data, expected, 200000);
		e = next(&s);
		assert_content(&s, e, "after");
		assert_null(next(&s));
	}
}

TEST(tar_reader__tells_types_ids_and_devices)
{
	ob_autodone(source) s = {.tar = NULL};

	ASSERT_OK(open_source(&s, "types.tar", &layer_rules, &t_err));
	const ob_entry *e = next(&s);
	assert_int_equal(e->mode, 04755);
	assert_int_equal(e->uid, 1000);
	assert_int_equal(e->gid, 70000);
	assert_true(e->mtime_sec == 1700000000);
	assert_int_equal(e->tar_offset, 0);
	assert_int_equal(e->data_offset, 512);
	assert_content(&s, e, "hello");
	e = next(&s);
	assert_int_equal(e->type, OB_ENTRY_HARDLINK);
	assert_string_equal(e->link, "f");
	assert_int_equal(e->tar_offset, 1024);
	e = next(&s);
	assert_int_equal(e->type, OB_ENTRY_CHAR);
	assert_int_equal(e->dev_minor, 3);
	e = next(&s);
	assert_int_equal(e->type, OB_ENTRY_BLOCK);
	assert_int_equal(e->dev_major, 8);
	assert_int_equal(e->dev_minor, 1000000);
	assert_int_equal(next(&s)->type, OB_ENTRY_FIFO);
	e = next(&s);
	assert_int_equal(e->type, OB_ENTRY_SYMLINK);
	assert_string_equal(e->link, "../../etc/x");
	assert_null(next(&s));
	assert_null(next(&s));
}

TEST(tar_reader__reads_xattrs_of_both_spellings)
{
	ob_autodone(source) s = {.tar = NULL};

	ASSERT_OK(open_source(&s, "xattrs.tar", &layer_rules, &t_err));
	const ob_entry *e = next(&s);
	assert_int_equal(e->xattr_count, 4);
	assert_int_equal(ob_entry_find_xattr(e, "security.capability")->len, 20);
	assert_memory_equal(ob_entry_find_xattr(e, "user.A")->value, "hi", 2);
	assert_memory_equal(ob_entry_find_xattr(e, "user.n")->value, "a\nb=c", 5);
	assert_int_equal(ob_entry_find_xattr(e, "user.z")->len, 0);
	assert_true(e->mtime_sec < 0);
}

TEST(tar_reader__recognises_whiteouts_where_asked)
{
	ob_autodone(source) s = {.tar = NULL}, plain = {.tar = NULL};
	const ob_tar_reader_options no_whiteouts = {.strict = true};

	ASSERT_OK(open_source(&s, "whiteouts.tar", &layer_rules, &t_err));
	assert_int_equal(next(&s)->type, OB_ENTRY_DIR);
	const ob_entry *e = next(&s);
	assert_int_equal(e->type, OB_ENTRY_OPAQUE);
	assert_string_equal(e->path, "etc");
	assert_int_equal(e->mode, 0);
	e = next(&s);
	assert_int_equal(e->type, OB_ENTRY_WHITEOUT);
	assert_string_equal(e->path, "etc/passwd");
	assert_string_equal(next(&s)->path, "var");
	assert_string_equal(next(&s)->path, "var"); /* what AUFS kept is passed over */
	assert_null(next(&s));

	ASSERT_OK(open_source(&plain, "whiteouts.tar", &no_whiteouts, &t_err));
	next(&plain);
	e = next(&plain);
	assert_int_equal(e->type, OB_ENTRY_FILE);
	assert_string_equal(e->path, "etc/.wh..wh..opq");
}

TEST(tar_reader__ignores_global_headers_and_old_formats_have_none)
{
	ob_autodone(source) s = {.tar = NULL}, v7 = {.tar = NULL}, empty = {.tar = NULL};

	ASSERT_OK(open_source(&s, "global.tar", &layer_rules, &t_err));
	assert_content(&s, next(&s), "1");
	assert_content(&s, next(&s), "2");
	assert_null(next(&s));
	ASSERT_OK(open_source(&v7, "v7.tar", &layer_rules, &t_err));
	assert_content(&v7, next(&v7), "after");
	ASSERT_OK(open_source(&empty, "empty.tar", &layer_rules, &t_err));
	assert_null(next(&empty));
}

static void assert_refused(const char *name, ocib_errc code, const char *text)
{
	ob_autodone(source) s = {.tar = NULL};
	const ob_entry *entry;
	ocib_errc r;

	ASSERT_OK(open_source(&s, name, &layer_rules, &t_err));
	do {
		r = ob_tar_reader_next(s.tar, &entry, &t_err);
	} while (!r && entry);
	ASSERT_ERROR(r, code, text);
}

TEST(tar_reader__refuses_what_a_layer_may_not_have)
{
	assert_refused("absolute.tar", OCIB_ERR_CORRUPT,
		       "layer x: the name '/etc/passwd' is absolute");
	assert_refused("climbs.tar", OCIB_ERR_CORRUPT, "'a/../../b' climbs out");
	assert_refused("hardlink-climbs.tar", OCIB_ERR_CORRUPT, "member 'a': hard link");
	assert_refused("big-id.tar", OCIB_ERR_CORRUPT, "user id 8589934592");
	assert_refused("truncated.tar", OCIB_ERR_CORRUPT, "after 1 members");
}

TEST(tar_reader__clips_names_of_archives)
{
	ob_autodone(source) s = {.tar = NULL}, t = {.tar = NULL};
	const ob_tar_reader_options loose = {.strict = false};

	ASSERT_OK(open_source(&s, "absolute.tar", &loose, &t_err));
	assert_string_equal(next(&s)->path, "etc/passwd");
	ASSERT_OK(open_source(&t, "climbs.tar", &loose, &t_err));
	assert_string_equal(next(&t)->path, "b");
}

/* A header of 512 bytes can claim any size of hole. */
TEST(tar_reader__holes_are_held_to_the_expansion_limit)
{
	ob_autodone(source) s = {.tar = NULL};
	ob_autofree uint8_t *block = malloc(OB_MIB);
	ocib_errc r;
	size_t got;

	ASSERT_OK(open_source(&s, "sparse-gnu.tar", &layer_rules, &t_err));
	s.tar = ob_tar_reader_free(s.tar);
	s.reader = ob_reader_free(s.reader);
	/* GNU's real size is at 483; 0777777777777 octal is 64 GiB. */
	memcpy(s.bytes.data + 483, "07777777777\0", 12);
	unsigned sum = 0;
	memset(s.bytes.data + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)s.bytes.data[i];
	(void)snprintf(s.bytes.data + 148, 8, "%06o", sum);
	ASSERT_OK(ob_reader_open_memory(s.bytes.data, s.bytes.len, &s.reader, &t_err));
	ASSERT_OK(ob_tar_reader_open(s.reader, &layer_rules, &s.tar, &t_err));
	assert_true(next(&s)->size > OB_LIMIT_EXPANSION_FREE);
	do {
		r = ob_tar_reader_read(s.tar, block, OB_MIB, &got, &t_err);
	} while (!r && got);
	ASSERT_ERROR(r, OCIB_ERR_LIMIT, "times its size");
}

static ocib_errc fail_read(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	(void)self;
	(void)data;
	(void)cap;
	(void)got;
	return ob_fail(err, OCIB_ERR_NETWORK, "the wire is cut");
}

TEST(tar_reader__error_of_its_input_comes_through)
{
	static const ob_reader_ops ops = {.read = fail_read};
	ob_reader broken = {.ops = &ops};
	ob_auto(ob_tar_reader) tar = NULL;
	const ob_entry *entry;
	ocib_errc r = ob_tar_reader_open(&broken, &layer_rules, &tar, &t_err);

	if (!r)
		r = ob_tar_reader_next(tar, &entry, &t_err);
	ASSERT_ERROR(r, OCIB_ERR_NETWORK, "layer x: the wire is cut");
}

TEST(tar_reader__garbage_is_no_tar)
{
	ob_auto(ob_reader) reader = NULL;
	ob_auto(ob_tar_reader) tar = NULL;
	ob_autofree char *text = repeat('q', 5000);

	ASSERT_OK(ob_reader_open_memory(text, 5000, &reader, &t_err));
	ASSERT_ERROR(ob_tar_reader_open(reader, &layer_rules, &tar, &t_err), OCIB_ERR_CORRUPT,
		     "layer x is not a tar archive");
}

static bool detect(const char *path)
{
	ob_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_archive = true;

	assert_true(fd >= 0);
	ASSERT_OK(ob_archive_detect(fd, &is_archive, &t_err));
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	return is_archive;
}

static void write_temp(const char *name, const void *data, size_t len, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", t_temp_dir(), name);
	ASSERT_OK(ob_write_file_atomic(AT_FDCWD, path, data, len, 0600, &t_err));
}

TEST(archive__is_detected_by_content)
{
	ob_autodone(source) s = {.tar = NULL};
	ob_autodone(ob_buffer) packed = OB_BUFFER_INIT(OB_MIB, "packed");
	char path[256];

	assert_true(detect(CORPUS "types.tar"));
	assert_true(detect(CORPUS "absolute.tar"));
	assert_true(detect(CORPUS "big-id.tar")); /* ADD says what is wrong with it */
	assert_false(detect(CORPUS "empty.tar"));
	ASSERT_OK(open_source(&s, "types.tar", &layer_rules, &t_err));
	ASSERT_OK(ob_zstd_pack(s.bytes.data, s.bytes.len, 0, &packed, &t_err));
	write_temp("a.tar.zst", packed.data, packed.len, path);
	assert_true(detect(path));
	ob_buffer_clear(&packed);
	ASSERT_OK(ob_zstd_pack("text", 4, 0, &packed, &t_err));
	write_temp("text.zst", packed.data, packed.len, path);
	assert_false(detect(path));
	write_temp("nothing", "", 0, path);
	assert_false(detect(path));
	write_temp("script", "#!/bin/sh\n", 10, path);
	assert_false(detect(path));
}

static ob_layer_index *scan(const char *name)
{
	ob_autodone(source) s = {.tar = NULL};
	ob_auto(ob_reader) again = NULL;
	ob_layer_index *index = NULL;

	ASSERT_OK(open_source(&s, name, &layer_rules, &t_err));
	ASSERT_OK(ob_reader_open_memory(s.bytes.data, s.bytes.len, &again, &t_err));
	ASSERT_OK(ob_layer_index_scan(again, name, &index, &t_err));
	assert_int_equal(index->tar_size, s.bytes.len);
	return index;
}

TEST(scan__makes_an_index_with_digests)
{
	ob_auto(ob_layer_index) index = scan("types.tar");
	uint8_t sha256[OB_SHA256_LEN];

	assert_int_equal(index->len, 6);
	const ob_entry *f = ob_layer_index_find(index, "f");
	ob_sha256("hello", 5, sha256);
	assert_true(f->has_digest);
	assert_memory_equal(f->digest, sha256, sizeof(sha256));
	assert_false(ob_layer_index_find(index, "s")->has_digest);
	ob_auto(ob_layer_index) sparse = scan("sparse-pax-1.0.tar");
	assert_true(ob_layer_index_find(sparse, "sp")->has_digest);
}

TEST(scan__refuses_a_directory_swapped_for_a_link)
{
	ob_autodone(source) s = {.tar = NULL};
	ob_auto(ob_reader) again = NULL;
	ob_layer_index *index = NULL;

	ASSERT_OK(open_source(&s, "swapped.tar", &layer_rules, &t_err));
	ASSERT_OK(ob_reader_open_memory(s.bytes.data, s.bytes.len, &again, &t_err));
	ASSERT_ERROR(ob_layer_index_scan(again, "layer y", &index, &t_err), OCIB_ERR_CORRUPT,
		     "layer y: 'd' is a directory and something else");
}
