/* test_engine_copy_digest.c — what makes a copy another one, and files that change under it. */
#include "copy_fixture.h"
#include <sys/xattr.h>

static void digest_of(copy_fixture *f, const char *instruction, uint8_t out[OB_SHA256_LEN])
{
	ob_auto(ob_context_scan) scan = NULL;
	ob_auto(ob_copy_job) job = NULL;

	copy_open(f);
	ob_copy_input input = copy_input(f, instruction);
	scan = input.scan;
	ASSERT_OK(copy_prepare(f, &input, &job));
	memcpy(out, f->digest, OB_SHA256_LEN);
}

static bool changes(copy_fixture *f, const char *instruction, uint8_t digest[OB_SHA256_LEN])
{
	uint8_t now[OB_SHA256_LEN];

	digest_of(f, instruction, now);
	bool changed = memcmp(digest, now, sizeof(now)) != 0;
	memcpy(digest, now, sizeof(now));
	return changed;
}

TEST(digest__changes_with_content_mode_name_and_links)
{
	ob_autodone(copy_fixture) f = {0};
	uint8_t digest[OB_SHA256_LEN] = {0};

	copy_file(&f, "d/a", "one");
	copy_file(&f, "other", "x");
	assert_true(changes(&f, "COPY d /", digest));
	assert_false(changes(&f, "COPY d /", digest));
	copy_file(&f, "d/a", "two"); /* same size */
	assert_true(changes(&f, "COPY d /", digest));
	copy_mode(&f, "d/a", 0755);
	assert_true(changes(&f, "COPY d /", digest));
	copy_symlink(&f, "d/l", "a");
	assert_true(changes(&f, "COPY d /", digest));
	copy_dir(&f, "d/e", 0755);
	assert_true(changes(&f, "COPY d /", digest));
	copy_file(&f, "other", "y");
	assert_false(changes(&f, "COPY d /", digest));
}

TEST(digest__is_not_of_times_but_under_an_epoch)
{
	ob_autodone(copy_fixture) f = {0};
	const struct timespec later[2] = {{COPY_MTIME + 5, 0}, {COPY_MTIME + 5, 0}};
	uint8_t digest[OB_SHA256_LEN];

	copy_file(&f, "a", "one");
	digest_of(&f, "COPY a /", digest);
	assert_int_equal(utimensat(AT_FDCWD, copy_path(&f, "a"), later, 0), 0);
	assert_false(changes(&f, "COPY a /", digest));
	f.has_epoch = true;
	f.epoch = COPY_MTIME + 100;
	assert_true(changes(&f, "COPY a /", digest));
	copy_file(&f, "a", "one");
	assert_true(changes(&f, "COPY a /", digest));
	f.epoch = COPY_MTIME - 100; /* now both times are clamped */
	digest_of(&f, "COPY a /", digest);
	assert_int_equal(utimensat(AT_FDCWD, copy_path(&f, "a"), later, 0), 0);
	assert_false(changes(&f, "COPY a /", digest));
}

TEST(digest__same_hard_links_in_another_source_are_the_same)
{
	ob_autodone(copy_fixture) f = {0};
	uint8_t digest[OB_SHA256_LEN];
	char other[4096];

	copy_file(&f, "d/a", "x");
	copy_file(&f, "d/b", "x");
	digest_of(&f, "COPY d /", digest);
	(void)snprintf(other, sizeof(other), "%s", copy_path(&f, "d/b"));
	assert_int_equal(unlink(other), 0);
	assert_int_equal(link(copy_path(&f, "d/a"), other), 0);
	assert_true(changes(&f, "COPY d /", digest));
}

TEST(defer__reading_once_gives_the_same_layer_and_digest)
{
	ob_autodone(copy_fixture) f = {.has_epoch = true, .epoch = COPY_MTIME};
	uint8_t digest[OB_SHA256_LEN], blob[OB_SHA256_LEN];
	char other[4096];

	copy_file(&f, "d/a", "one");
	copy_file(&f, "d/b", "two");
	copy_file(&f, "e/b", "three");
	(void)snprintf(other, sizeof(other), "%s", copy_path(&f, "d/c"));
	assert_int_equal(link(copy_path(&f, "d/a"), other), 0);
	(void)setxattr(copy_path(&f, "d/b"), "user.x", "1", 1, 0);
	copy_ok(&f, "COPY d e /x/");
	memcpy(digest, f.digest, sizeof(digest));
	memcpy(blob, f.blob_digest, sizeof(blob));
	f.defer = true;
	f.base = ob_tree_free(f.base);
	copy_ok(&f, "COPY d e /x/");
	assert_memory_equal(digest, f.digest, sizeof(digest));
	assert_memory_equal(blob, f.blob_digest, sizeof(blob));
}

TEST(listing__many_directories_on_several_threads_come_in_order)
{
	ob_autodone(copy_fixture) f = {.has_epoch = true, .epoch = COPY_MTIME};
	ob_autodone(ob_strlist) want = {0};
	char name[64];

	assert_int_equal(ob_strlist_add(&want, "d x 0755 0:0"), 0);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "t/%03d/sub/f", i);
		copy_file(&f, name, "y");
		assert_int_equal(ob_strlist_add_printf(&want, "d x/%03d 0755 0:0", i), 0);
		assert_int_equal(ob_strlist_add_printf(&want, "d x/%03d/sub 0755 0:0", i), 0);
		assert_int_equal(ob_strlist_add_printf(&want, "f x/%03d/sub/f 0644 0:0 y", i), 0);
	}
	copy_ok(&f, "COPY t /x");
	copy_assert_layer(&f, (const char *const *)want.items);
}

static ocib_errc change_between(copy_fixture *f, const char *instruction,
				void (*change)(copy_fixture *f))
{
	ob_auto(ob_context_scan) scan = NULL;
	ob_auto(ob_copy_job) job = NULL;
	ob_copy_input input = copy_input(f, instruction);

	scan = input.scan;
	ASSERT_OK(copy_prepare(f, &input, &job));
	change(f);
	return copy_write(f, job);
}

static void rewrite(copy_fixture *f)
{
	copy_file(f, "d/a", "two");
}

static void replace_by_link(copy_fixture *f)
{
	assert_int_equal(unlink(copy_path(f, "d/a")), 0);
	copy_symlink(f, "d/a", "/etc/passwd");
}

static void replace_parent_by_link(copy_fixture *f)
{
	char other[4096];

	(void)snprintf(other, sizeof(other), "%s", copy_path(f, "old"));
	assert_int_equal(rename(copy_path(f, "d"), other), 0);
	copy_symlink(f, "d", "old");
}

static void overwrite_in_place(copy_fixture *f)
{
	ob_autofd int fd = open(copy_path(f, "d/a"), O_WRONLY | O_CLOEXEC);
	const struct timespec times[2] = {{COPY_MTIME, 0}, {COPY_MTIME, 0}};

	assert_int_equal(write(fd, "two", 3), 3);
	assert_int_equal(futimens(fd, times), 0);
}

TEST(change__between_the_phases_is_an_error)
{
	void (*const ways[])(copy_fixture *) = {rewrite, replace_by_link, replace_parent_by_link,
						overwrite_in_place};

	for (size_t i = 0; i < OB_ARRAY_LEN(ways); i++) {
		ob_autodone(copy_fixture) f = {0};

		copy_file(&f, "d/a", "one");
		assert_int_equal(change_between(&f, "COPY d /x", ways[i]), OCIB_ERR_CORRUPT);
		assert_non_null(strstr(ocib_error_message(t_err), "d/a"));
		t_err = ocib_error_free(t_err);
		(void)ob_remove_tree(AT_FDCWD, f.plan.dir, NULL);
		copy_fixture_done(&f);
		f = (copy_fixture){0};
		(void)ob_remove_tree(AT_FDCWD, t_temp_dir(), NULL);
		assert_int_equal(mkdir(t_temp_dir(), 0700), 0);
	}
}

TEST(change__of_what_was_not_read_yet_is_an_error_too)
{
	ob_autodone(copy_fixture) f = {.defer = true};

	copy_file(&f, "d/a", "one");
	assert_int_equal(change_between(&f, "COPY d /x", rewrite), OCIB_ERR_CORRUPT);
	assert_non_null(strstr(ocib_error_message(t_err), "'d/a' changed while the build"));
}

static void cancel(copy_fixture *f)
{
	ocib_context_cancel(f->plan.ctx);
}

TEST(cancel__ends_the_writing)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "d/a", "one");
	assert_int_equal(change_between(&f, "COPY d /x", cancel), OCIB_ERR_CANCELED);
}

TEST(bytes__are_the_same_for_the_same_input)
{
	uint8_t first[OB_SHA256_LEN];
	ob_autodone(copy_fixture) f = {.has_epoch = true, .epoch = COPY_MTIME};
	char name[32];

	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "d/%d/%d", i % 7, i);
		copy_file(&f, name, name);
	}
	copy_ok(&f, "COPY d /x");
	memcpy(first, f.blob_digest, sizeof(first));
	f.base = ob_tree_free(f.base);
	copy_ok(&f, "COPY d /x");
	assert_memory_equal(first, f.blob_digest, sizeof(first));
}
