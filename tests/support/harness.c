/* tests/support/harness.c — collects the cases of one program and gives them to cmocka.
 *
 * The linker puts a pointer per case into the section "ob_tests"; gcc lists them in reverse, so they are
 * sorted by name. Each case starts with t_err == NULL and no temp directory.
 */
#include "harness.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/fds.h"

extern const ob_test_case *const __start_ob_tests[];
extern const ob_test_case *const __stop_ob_tests[];

ocib_error *t_err;
static char temp_path[64];

const char *t_temp_dir(void)
{
	if (!temp_path[0]) {
		strcpy(temp_path, "/tmp/ocibuild-test-XXXXXX");
		assert_non_null(mkdtemp(temp_path));
	}
	return temp_path;
}

static int after_case(void **state)
{
	(void)state;
	t_err = ocib_error_free(t_err);
	if (temp_path[0])
		(void)ob_remove_tree(AT_FDCWD, temp_path, NULL);
	temp_path[0] = '\0';
	return 0;
}

static void run_case(void **state)
{
	const ob_test_case *one = *state;
	one->run();
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

int main(int argc, char **argv)
{
	size_t count = (size_t)(__stop_ob_tests - __start_ob_tests), used = 0;
	struct CMUnitTest *tests = calloc(count + 1, sizeof(*tests));

	if (!tests)
		return 1;
	for (size_t i = 0; i < count; i++) {
		const ob_test_case *one = __start_ob_tests[i];

		if (argc > 1 && !strstr(one->name, argv[1]))
			continue;
		tests[used++] = (struct CMUnitTest){
			.name = one->name,
			.test_func = run_case,
			.teardown_func = after_case,
			.initial_state = (void *)(uintptr_t)one,
		};
	}
	if (!used) {
		fprintf(stderr, "no case matches '%s'\n", argc > 1 ? argv[1] : "");
		free(tests);
		return 1;
	}
	qsort(tests, used, sizeof(*tests), by_name);
	int failed = _cmocka_run_group_tests(argv[0], tests, used, NULL, NULL);
	free(tests);
	return failed ? 1 : 0;
}
