/* test_store_open.c — stores and layouts made, opened and refused; what a killed process leaves. */
#include "harness.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/strings.h"
#include "store/store.h"

static char *in_temp(const char *name)
{
	char *path = ob_str_printf("%s/%s", t_temp_dir(), name);

	assert_non_null(path);
	return path;
}

static void put(const char *dir, const char *name, const char *text)
{
	ob_autofree char *path = ob_str_printf("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static bool exists(const char *dir, const char *name)
{
	ob_autofree char *path = ob_str_printf("%s/%s", dir, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

static unsigned count_names(const char *path)
{
	ob_autodir DIR *dir = opendir(path);
	unsigned count = 0;

	if (!dir)
		return 0;
	for (struct dirent *one = readdir(dir); one; one = readdir(dir))
		count += one->d_name[0] != '.';
	return count;
}

TEST(store__is_made_where_it_is_missing_and_opened_again)
{
	ob_autofree char *path = in_temp("a/b/store");
	ob_auto(ocib_store) store = NULL;
	ob_auto(ocib_store) again = NULL;
	ob_auto(ob_index) index = NULL;
	struct stat st;

	ASSERT_OK(ocib_store_open(NULL, path, &store, &t_err));
	ASSERT_OK(ocib_store_open(NULL, path, &again, &t_err));
	assert_string_equal(ocib_store_path(again), path);
	assert_true(exists(path, "oci-layout") && exists(path, "version"));
	assert_true(exists(path, "blobs/sha256"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	ASSERT_OK(ob_store_list_refs(again, &index, &t_err));
	assert_int_equal(index->manifest_count, 0);
}

TEST(store__of_another_version_is_refused_and_not_touched)
{
	static const char *const TEXTS[] = {"{\"version\":2}", "{\"version\":\"1\"}", "", "garbage",
					    "{\"version\":0}"};
	ob_autofree char *path = in_temp("store");

	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < OB_ARRAY_LEN(TEXTS); i++) {
		ob_auto(ocib_store) store = NULL;

		put(path, "version", TEXTS[i]);
		assert_int_equal(ocib_store_open(NULL, path, &store, &t_err), OCIB_ERR_UNSUPPORTED);
		assert_non_null(ocib_error_hint(t_err));
		t_err = ocib_error_free(t_err);
		assert_int_equal(count_names(path), 1);
	}
}

TEST(store__is_not_made_in_a_folder_with_other_things)
{
	ob_autofree char *path = in_temp("home");
	ob_autofree char *layout = in_temp("layout");
	ob_auto(ocib_store) made = NULL;
	ob_auto(ocib_store) store = NULL;

	assert_int_equal(mkdir(path, 0700), 0);
	put(path, "letter", "x");
	ASSERT_ERROR(ocib_store_open(NULL, path, &store, &t_err), OCIB_ERR_UNSUPPORTED,
		     "not empty");
	assert_int_equal(count_names(path), 1);
	ASSERT_OK(ob_layout_open(layout, true, &made, &t_err));
	ASSERT_ERROR(ocib_store_open(NULL, layout, &store, &t_err), OCIB_ERR_UNSUPPORTED,
		     "not empty");
}

TEST(store__whose_making_was_interrupted_is_completed)
{
	ob_autofree char *path = in_temp("store");
	ob_autofree char *locks = in_temp("store/locks"), *tmp = in_temp("store/tmp");
	ob_auto(ocib_store) store = NULL;

	assert_int_equal(mkdir(path, 0700) | mkdir(locks, 0700) | mkdir(tmp, 0700), 0);
	put(path, "tmp/0123456789abcdef.lock", "");
	put(path, "index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
	ASSERT_OK(ocib_store_open(NULL, path, &store, &t_err));
	assert_true(exists(path, "version") && exists(path, "oci-layout"));
}

static void *open_one(void *path)
{
	ob_store *store = NULL;

	return ocib_store_open(NULL, path, &store, NULL) == OCIB_OK ? store : NULL;
}

TEST(store__that_lost_its_empty_folders_gets_them_again)
{
	static const char *const EMPTY[] = {"tmp",    "locks",      "trees", "mounts",
					    "layers", "cache/stat", "cache"};
	ob_autofree char *path = in_temp("store");
	ob_autofree char *lock = in_temp("store/locks/store");
	ob_auto(ocib_store) store = NULL;

	ASSERT_OK(ocib_store_open(NULL, path, &store, &t_err));
	store = ocib_store_free(store);
	for (size_t i = 0; i < OB_ARRAY_LEN(EMPTY); i++) {
		ob_autofree char *dir = ob_str_printf("%s/%s", path, EMPTY[i]);

		if (ob_str_eq(EMPTY[i], "locks"))
			assert_int_equal(unlink(lock), 0);
		assert_int_equal(rmdir(dir), 0);
	}
	ASSERT_OK(ocib_store_open(NULL, path, &store, &t_err));
	for (size_t i = 0; i < OB_ARRAY_LEN(EMPTY); i++)
		assert_true(exists(path, EMPTY[i]));
}

TEST(store__is_made_once_by_many_at_the_same_time)
{
	ob_autofree char *path = in_temp("store");
	pthread_t threads[8];

	for (size_t i = 0; i < OB_ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_one, path), 0);
	for (size_t i = 0; i < OB_ARRAY_LEN(threads); i++) {
		void *store = NULL;

		assert_int_equal(pthread_join(threads[i], &store), 0);
		assert_non_null(store);
		(void)ocib_store_close(store);
	}
}

/** An environment variable for the time of a case. */
typedef struct variable {
	const char *name;
	char *before;
} variable;

static variable set_variable(const char *name, const char *value)
{
	const char *before = getenv(name);
	variable v = {name, before ? strdup(before) : NULL};

	assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
	return v;
}

static void variable_done(variable *v)
{
	assert_int_equal(v->before ? setenv(v->name, v->before, 1) : unsetenv(v->name), 0);
	free(v->before);
}

static void assert_default_path(const char *expected)
{
	ob_auto(ocib_store) store = NULL;

	ASSERT_OK(ocib_store_open(NULL, NULL, &store, &t_err));
	assert_string_equal(ocib_store_path(store), expected);
}

TEST(store__default_path_is_that_of_the_environment)
{
	ob_autofree char *own = in_temp("own");
	ob_autodone(variable) v = set_variable("OCIBUILD_STORE", own);

	assert_default_path(own);
}

TEST(store__default_path_of_a_user_is_in_the_data_home)
{
	if (geteuid() == 0)
		SKIP("root's store is in /var/lib");

	ob_autofree char *data = in_temp("data"), *home = in_temp("home");
	ob_autofree char *in_data = in_temp("data/ocibuild");
	ob_autofree char *in_home = in_temp("home/.local/share/ocibuild");
	ob_autodone(variable) no_store = set_variable("OCIBUILD_STORE", "");
	ob_autodone(variable) with_home = set_variable("HOME", home);
	ob_autodone(variable) with_data = set_variable("XDG_DATA_HOME", data);

	assert_default_path(in_data);
	assert_int_equal(setenv("XDG_DATA_HOME", "relative", 1), 0);
	assert_default_path(in_home);
}

TEST(layout__is_made_only_when_asked_and_only_in_an_empty_folder)
{
	ob_autofree char *path = in_temp("layout"), *full = in_temp("full");
	ob_auto(ocib_store) store = NULL;

	ASSERT_ERROR(ob_layout_open(path, false, &store, &t_err), OCIB_ERR_NOTFOUND,
		     "does not exist");
	ASSERT_OK(ob_layout_open(path, true, &store, &t_err));
	assert_int_equal(count_names(path), 3);
	store = ocib_store_close(store);
	assert_false(exists(path, ".ocibuild-tmp"));
	ASSERT_OK(ob_layout_open(path, false, &store, &t_err));
	store = ocib_store_close(store);

	assert_int_equal(mkdir(full, 0700), 0);
	ASSERT_ERROR(ob_layout_open(full, false, &store, &t_err), OCIB_ERR_NOTFOUND, "oci-layout");
	put(full, "x", "");
	ASSERT_ERROR(ob_layout_open(full, true, &store, &t_err), OCIB_ERR_EXISTS, "not empty");
}

TEST(layout__of_another_version_is_refused)
{
	ob_autofree char *path = in_temp("layout");
	ob_auto(ocib_store) store = NULL;

	assert_int_equal(mkdir(path, 0700), 0);
	put(path, "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
	ASSERT_ERROR(ob_layout_open(path, true, &store, &t_err), OCIB_ERR_UNSUPPORTED, "2.0.0");
	put(path, "oci-layout", "{}");
	ASSERT_ERROR(ob_layout_open(path, true, &store, &t_err), OCIB_ERR_CORRUPT,
		     "imageLayoutVersion");
	put(path, "oci-layout", "{");
	ASSERT_ERROR(ob_layout_open(path, true, &store, &t_err), OCIB_ERR_CORRUPT, "oci-layout");
}

TEST(temp__belongs_to_its_store_and_ends_with_it)
{
	ob_autofree char *path = in_temp("store"), *tmp = in_temp("store/tmp");
	ob_auto(ocib_store) a = NULL;
	ob_auto(ocib_store) b = NULL;
	ob_autofree char *first = NULL, *second = NULL, *other = NULL;

	ASSERT_OK(ocib_store_open(NULL, path, &a, &t_err));
	ASSERT_OK(ocib_store_open(NULL, path, &b, &t_err));
	ASSERT_OK(ob_store_new_temp_dir(a, &first, &t_err));
	ASSERT_OK(ob_store_new_temp_dir(a, &second, &t_err));
	ASSERT_OK(ob_store_new_temp_dir(b, &other, &t_err));
	assert_string_not_equal(first, second);
	ASSERT_OK(ob_store_sweep(b, NULL, &t_err));
	assert_true(exists(path, first) && exists(path, second) && exists(path, other));
	a = ocib_store_close(a);
	assert_false(exists(path, first));
	assert_true(exists(path, other));
	b = ocib_store_close(b);
	assert_int_equal(count_names(tmp), 0);
}

/** A process that makes temporary things and is killed. */
static void leave_litter(const char *path)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		ob_store *store = NULL;
		ob_blob_writer *writer = NULL;
		char *name = NULL;

		if (ocib_store_open(NULL, path, &store, NULL) != OCIB_OK ||
		    ob_store_new_temp_dir(store, &name, NULL) != OCIB_OK ||
		    ob_blob_writer_open(store, &writer, NULL) != OCIB_OK ||
		    ob_writer_write(ob_blob_writer_base(writer), "half", 4, NULL) != OCIB_OK)
			_exit(1);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

TEST(temp__of_a_killed_process_is_swept)
{
	ob_autofree char *path = in_temp("store"), *tmp = in_temp("store/tmp");
	ob_auto(ocib_store) store = NULL;
	ob_autodone(ob_strlist) left = {0};

	ASSERT_OK(ocib_store_open(NULL, path, &store, &t_err));
	leave_litter(path);
	assert_int_equal(count_names(tmp), 2);
	ASSERT_OK(ob_store_sweep(store, &left, &t_err));
	assert_int_equal(count_names(tmp), 0);
	assert_int_equal(left.len, 0);
}

TEST(temp__is_swept_by_the_next_who_needs_some)
{
	ob_autofree char *path = in_temp("layout");
	ob_autofree char *tmp = in_temp("layout/.ocibuild-tmp"),
			 *stray = in_temp("layout/.ocibuild-tmp/x");
	ob_auto(ocib_store) store = NULL;
	ob_digest digest;

	ASSERT_OK(ob_layout_open(path, true, &store, &t_err));
	store = ocib_store_close(store);
	assert_int_equal(mkdir(tmp, 0700) | mkdir(stray, 0700), 0);
	ASSERT_OK(ob_layout_open(path, false, &store, &t_err));
	ASSERT_OK(ob_store_write_blob(store, "x", 1, &digest, &t_err));
	store = ocib_store_close(store);
	assert_false(exists(path, ".ocibuild-tmp"));
	assert_true(exists(path, "oci-layout"));
}

/** As an ordinary user, who may not remove what is in another one's directory. */
static int sweep_as_user(const char *path)
{
	ob_store *store = NULL;
	ob_strlist left = {0};

	if (setgid(12345) != 0 || setuid(12345) != 0)
		return 1;
	if (ocib_store_open(NULL, path, &store, NULL) != OCIB_OK)
		return 2;
	if (ob_store_sweep(store, &left, NULL) != OCIB_OK || left.len != 1)
		return 3;
	return ob_str_ends(left.items[0], "/store/tmp/00112233aabbccdd") ? 0 : 4;
}

TEST(temp__what_may_not_be_removed_is_told)
{
	if (geteuid() != 0)
		SKIP("only root can make what another user may not remove");

	ob_autofree char *path = in_temp("store"), *tmp = in_temp("store/tmp");
	ob_autofree char *dir = in_temp("store/tmp/00112233aabbccdd");
	ob_autofree char *foreign = in_temp("store/tmp/00112233aabbccdd/foreign");
	ob_auto(ocib_store) store = NULL;
	int status;
	pid_t pid;

	ASSERT_OK(ocib_store_open(NULL, path, &store, &t_err));
	assert_int_equal(mkdir(dir, 0755) | mkdir(foreign, 0755), 0);
	put(foreign, "file", "");
	assert_int_equal(chown(path, 12345, 12345) | chown(tmp, 12345, 12345) |
				 chown(dir, 12345, 12345) | chmod(t_temp_dir(), 0755),
			 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(sweep_as_user(path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(exists(foreign, "file"));
}
