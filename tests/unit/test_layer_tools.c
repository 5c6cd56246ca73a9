/* tests/unit/test_layer_tools.c — hard cases of layers, as Python, GNU tar and bsdtar see them. */
#include "layer_fixture.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include "base/fds.h"
#include "layer/member_name.h"

#define CHECK TEST_CORPUS "/../../tests/support/list_tar.py"

static void append_hex(ob_buffer *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ob_buffer_printf(out, "%02x", (unsigned char)text[i]);
	if (len == 0)
		ob_buffer_append_char(out, '-');
}

/* The line that list_tar.py expects. Python drops the slash of a directory. */
static void append_expected(ob_buffer *out, const ob_entry *e)
{
	ob_autodone(ob_buffer) name = OB_BUFFER_INIT(OB_MIB, "a name");
	const char *link = e->link ? e->link : "";

	ASSERT_OK(ob_member_name_format(e, &name, &t_err));
	append_hex(out, name.data, name.len - (e->type == OB_ENTRY_DIR));
	ob_buffer_printf(out, " %c %o %u %u %llu %lld ",
			 ob_entry_is_mark(e) ? 'f' : "?fdlhcbp"[e->type], e -> mode, e -> uid,
			 e -> gid, (unsigned long long)e -> size, (long long)e -> mtime_sec);
	append_hex(out, link, strlen(link));
	ob_buffer_printf(out, " %u %u\n", e->dev_major, e->dev_minor);
}

static void run_check(const char *tar, const char *expected)
{
	char *const argv[] = {(char[]){"python3"}, (char[]){CHECK}, strdup(tar), strdup(expected),
			      NULL};
	extern char **environ;
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, "python3", NULL, NULL, argv, environ) != 0)
		SKIP("no python3");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	free(argv[2]);
	free(argv[3]);
	assert_int_equal(status, 0);
}

/* Writes the entries (sorted here) as a plain tar, all content zeros, and has it looked at. */
static void assert_tools_agree(ob_layer_index *entries)
{
	const ob_layer_writer_options options = {.compression = OB_COMPRESSION_NONE};
	ob_autofree char *tar_path = ob_str_printf("%s/layer.tar", t_temp_dir());
	ob_autofree char *list_path = ob_str_printf("%s/expected", t_temp_dir());
	ob_autodone(ob_buffer) expected = OB_BUFFER_INIT(16 * OB_MIB, "a list");
	ob_autodone(ob_layer_result) result = {.index = NULL};
	ob_auto(ob_layer_writer) writer = NULL;
	ob_auto(ob_writer) to = NULL;
	ob_autofd int fd = open(tar_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ob_autofd int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && zeros >= 0);
	ASSERT_OK(ob_layer_index_settle(entries, &t_err));
	ASSERT_OK(ob_writer_open_fd(fd, &to, &t_err));
	ASSERT_OK(ob_layer_writer_open(&options, to, &writer, &t_err));
	for (size_t i = 0; i < entries->len; i++) {
		ob_auto(ob_reader) content = NULL;

		ASSERT_OK(ob_reader_open_range(zeros, false, 0, entries->entries[i].size, &content,
					       &t_err));
		ASSERT_OK(ob_layer_writer_add(
			writer, &entries->entries[i],
			entries->entries[i].type == OB_ENTRY_FILE ? content : NULL, &t_err));
		append_expected(&expected, &entries->entries[i]);
	}
	ASSERT_OK(ob_layer_writer_finish(writer, &result, &t_err));
	ASSERT_OK(ob_write_file_atomic(AT_FDCWD, list_path, expected.data, expected.len, 0600,
				       &t_err));
	run_check(tar_path, list_path);
}

static ob_entry *add(ob_layer_index *index, const char *spec)
{
	ob_autofree char *content = NULL;
	ob_entry entry;

	t_parse_entry(spec, &entry, &content);
	entry.tar_offset = index->len;
	assert_int_equal(ob_layer_index_take(index, &entry), 0);
	return &index->entries[index->len - 1];
}

/* A file, or a link, of a long name made of one byte. */
static void add_long(ob_layer_index *index, char first, int byte, size_t len, size_t slash_every,
		     bool as_link)
{
	ob_autofree char *name = malloc(len + 2);
	ob_entry entry = {.type = as_link ? OB_ENTRY_SYMLINK : OB_ENTRY_FILE, .size = 0};

	name[0] = first;
	for (size_t i = 1; i < len; i++)
		name[i] = i % slash_every == 0 && i + 1 < len ? '/' : (char)byte;
	name[len] = '\0';
	entry.mode = as_link ? 0777 : 0644;
	entry.path =
		as_link ? ob_str_printf("link-%c-%zu-%x", first, len, byte & 0xff) : strdup(name);
	entry.link = as_link ? strdup(name) : NULL;
	entry.tar_offset = index->len;
	assert_int_equal(ob_layer_index_take(index, &entry), 0);
}

TEST(tools__agree_on_all_types_and_marks)
{
	ob_auto(ob_layer_index) index = ob_layer_index_new();

	add(index, "d . 0755");
	add(index, "d etc 01777");
	add(index, "o etc");
	add(index, "w etc/passwd");
	add(index, "w gone");
	add(index, "d gone");
	add(index, "f a 06755 hello");
	add(index, "h b a");
	add(index, "l c /etc/../a");
	add(index, "c null 1 3");
	add(index, "b disk 259 1048575");
	add(index, "p pipe");
	add(index, "f tab\tand\nnewline\\and\x01");
	assert_tools_agree(index);
}

TEST(tools__agree_on_names_of_all_lengths_and_bytes)
{
	static const size_t lengths[] = {2, 99, 100, 101, 156, 255, 256, 257, 300, 5000};
	static const int bytes[] = {'n', '\xff', '\xe9'};
	ob_auto(ob_layer_index) index = ob_layer_index_new();

	for (size_t i = 0; i < OB_ARRAY_LEN(lengths); i++) {
		for (size_t k = 0; k < OB_ARRAY_LEN(bytes); k++) {
			char first = (char)('A' + (char)i);

			add_long(index, first, bytes[k], lengths[i], 77, false);
			add_long(index, first, bytes[k], lengths[i], 77, true);
		}
	}
	add(index, "f e\xcc\x81 0644 decomposed");
	add(index, "f \xc3\xa9 0644 composed");
	assert_tools_agree(index);
}

TEST(tools__agree_on_numbers_at_their_ends)
{
	static const int64_t times[] = {0,           -1, -62135596800, 077777777777, 0100000000000,
					253402300799};
	static const uint32_t ids[] = {0, 07777777, 010000000, UINT32_MAX};
	ob_auto(ob_layer_index) index = ob_layer_index_new();

	for (size_t i = 0; i < OB_ARRAY_LEN(times); i++) {
		for (size_t k = 0; k < OB_ARRAY_LEN(ids); k++) {
			ob_autofree char *spec = ob_str_printf("f t%zu-%zu", i, k);
			ob_entry *entry = add(index, spec);

			entry->mtime_sec = times[i];
			entry->uid = ids[k];
			entry->gid = ids[(k + 1) % OB_ARRAY_LEN(ids)];
		}
	}
	assert_tools_agree(index);
}

TEST(tools__agree_on_long_raw_names_with_pax_records)
{
	ob_auto(ob_layer_index) index = ob_layer_index_new();

	for (char first = 'A'; first < 'F'; first++) {
		add_long(index, first, '\xfe', 400, 90, first % 2);
		ob_entry *entry = &index->entries[index->len - 1];

		entry->uid = UINT32_MAX - 1;
		entry->mtime_sec = -5;
		assert_int_equal(ob_entry_add_xattr(entry, "user.x", "1", 1), 0);
	}
	assert_tools_agree(index);
}

TEST(tools__agree_on_xattrs_and_content)
{
	ob_auto(ob_layer_index) index = ob_layer_index_new();
	uint8_t bytes[256];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < 20; i++) {
		ob_autofree char *spec = ob_str_printf("f f%zu", i);
		ob_entry *entry = add(index, spec);

		entry->size = i * i * 511;
		assert_int_equal(ob_entry_add_xattr(entry, "user.bytes", bytes, i * 12), 0);
		assert_int_equal(ob_entry_add_xattr(entry, "security.capability", bytes, 20), 0);
	}
	assert_tools_agree(index);
}
