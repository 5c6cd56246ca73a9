/* test_store_killed.c — writers are killed at random moments; whatever is left is whole. */
#include "store_fixture.h"
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 40

/** Builds images and names them until somebody ends it. */
static void write_for_ever(const char *path, bool is_layout)
{
	ob_store *store = NULL;

	if ((is_layout ? ob_layout_open(path, true, &store, NULL)
		       : ocib_store_open(NULL, path, &store, NULL)) != OCIB_OK)
		_exit(1);
	for (int i = 0;; i++) {
		ob_autofree char *content = ob_str_printf("content %d", i % 7);
		ob_autofree char *name = ob_str_printf("example.com/a:%d", i % 5);
		ob_autofree char *temp = NULL;
		ob_autodone(ob_descriptor) image = {0};

		if (!content || !name)
			_exit(2);
		fixture_image(store, content, &image);
		fixture_name(store, name, &image);
		if (ob_store_new_temp_dir(store, &temp, NULL) != OCIB_OK)
			_exit(3);
	}
}

static int tell(const char *problem, void *user)
{
	(void)user;
	print_error("problem: %s\n", problem);
	return 0;
}

static void assert_no_litter(const char *path)
{
	ob_autodir DIR *dir = opendir(path);

	for (struct dirent *one = dir ? readdir(dir) : NULL; one; one = readdir(dir))
		assert_true(one->d_name[0] == '.');
}

static void torture(const char *name, bool is_layout)
{
	ob_autofree char *path = ob_str_printf("%s/%s", t_temp_dir(), name);
	ob_autofree char *tmp = ob_str_printf("%s/%s", path, is_layout ? ".ocibuild-tmp" : "tmp");
	unsigned seed = 1;

	for (int i = 0; i < ROUNDS; i++) {
		long wait = (long)(rand_r(&seed) % 20000) * 1000;
		uint64_t problems = 1;
		ob_auto(ocib_store) store = NULL;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			write_for_ever(path, is_layout);
		(void)nanosleep(&(struct timespec){0, wait}, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);

		store = fixture_store(name, is_layout);
		ASSERT_OK(ocib_store_check(NULL, store, tell, NULL, &problems, &t_err));
		assert_int_equal(problems, 0);
		ASSERT_OK(ob_store_sweep(store, NULL, &t_err));
		assert_no_litter(tmp);
	}
}

TEST(killed__a_store_stays_whole)
{
	torture("store", false);
}

TEST(killed__a_layout_stays_whole)
{
	torture("layout", true);
}
