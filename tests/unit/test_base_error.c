/* tests/unit/test_base_error.c */
#include "harness.h"
#include <errno.h>

TEST(error__message_kind_and_trace_are_kept)
{
	assert_int_equal(ob_fail(&t_err, OCIB_ERR_CORRUPT, "blob '%s' is bad", "x"),
			 OCIB_ERR_CORRUPT);
	assert_int_equal(ocib_error_code(t_err), OCIB_ERR_CORRUPT);
	assert_string_equal(ocib_error_message(t_err), "blob 'x' is bad");
	assert_non_null(strstr(ocib_error_trace(t_err), "test_base_error.c:"));
}

TEST(error__wrap_prepends_and_adds_to_the_trace)
{
	ocib_errc r = ob_fail(&t_err, OCIB_ERR_NOTFOUND, "no such tag");

	assert_int_equal(ob_wrap(&t_err, r, "pull '%s'", "a:b"), OCIB_ERR_NOTFOUND);
	assert_string_equal(ocib_error_message(t_err), "pull 'a:b': no such tag");
	const char *first = strchr(ocib_error_trace(t_err), '\n');
	assert_non_null(first);
	assert_non_null(strchr(first + 1, '\n'));
}

TEST(error__wrap_of_success_does_nothing)
{
	assert_int_equal(ob_wrap(&t_err, OCIB_OK, "x"), OCIB_OK);
	assert_null(t_err);
}

TEST(error__errno_is_text_and_number)
{
	errno = EACCES;
	assert_int_equal(ob_fail_errno(&t_err, "open '%s'", "f"), OCIB_ERR_SYSTEM);
	assert_int_equal(ocib_error_errno(t_err), EACCES);
	assert_string_equal(ocib_error_message(t_err), "open 'f': Permission denied");
}

TEST(error__enomem_is_the_static_object_and_is_never_changed)
{
	errno = ENOMEM;
	assert_int_equal(ob_fail_errno(&t_err, "mmap"), OCIB_ERR_NOMEM);
	ocib_error *other = NULL;
	assert_int_equal(ob_fail_nomem(&other), OCIB_ERR_NOMEM);
	assert_ptr_equal(t_err, other);
	ob_wrap(&t_err, OCIB_ERR_NOMEM, "more");
	ob_error_set_hint(&t_err, "buy some");
	ob_error_set_location(&t_err, "Dockerfile", 1, 1, 1, "FROM");
	assert_string_equal(ocib_error_message(t_err), "out of memory");
	assert_null(ocib_error_hint(t_err));
	assert_null(ocib_error_file(t_err));
	assert_null(ocib_error_free(other));
}

TEST(error__message_is_one_line_whatever_it_quotes)
{
	ob_fail(&t_err, OCIB_ERR_INVALID, "file 'a\nb\033[31m'");
	assert_string_equal(ocib_error_message(t_err), "file 'a b?[31m'");
}

TEST(error__nobody_listening_is_fine)
{
	assert_int_equal(ob_fail(NULL, OCIB_ERR_LIMIT, "x"), OCIB_ERR_LIMIT);
	assert_int_equal(ob_wrap(NULL, OCIB_ERR_LIMIT, "x"), OCIB_ERR_LIMIT);
	ob_error_set_hint(NULL, "x");
	ob_error_set_http_status(&t_err, 404);
	assert_null(t_err);
}

TEST(error__location_and_statuses_are_returned)
{
	ob_fail(&t_err, OCIB_ERR_COMMAND, "exit");
	ob_error_set_location(&t_err, "Dockerfile", 3, 5, 7, "RUN false\n    ^");
	ob_error_set_exit_status(&t_err, 137);
	ob_error_set_http_status(&t_err, 503);
	ob_error_set_hint(&t_err, "try %d", 1);
	ob_error_set_hint(&t_err, "try %d", 2);
	assert_string_equal(ocib_error_file(t_err), "Dockerfile");
	assert_int_equal(ocib_error_line(t_err), 3);
	assert_int_equal(ocib_error_end_line(t_err), 5);
	assert_int_equal(ocib_error_column(t_err), 7);
	assert_int_equal(ocib_error_exit_status(t_err), 137);
	assert_int_equal(ocib_error_http_status(t_err), 503);
	assert_string_equal(ocib_error_hint(t_err), "try 2");
	assert_string_equal(ocib_error_excerpt(t_err), "RUN false\n    ^");
}

TEST(error__move_hands_over_and_empties)
{
	ocib_error *from = NULL;

	ob_fail(&from, OCIB_ERR_NETWORK, "down");
	assert_int_equal(ob_error_move(&t_err, &from), OCIB_ERR_NETWORK);
	assert_null(from);
	assert_string_equal(ocib_error_message(t_err), "down");
	ob_fail(&from, OCIB_ERR_NETWORK, "down");
	assert_int_equal(ob_error_move(NULL, &from), OCIB_ERR_NETWORK);
	assert_null(from);
}
