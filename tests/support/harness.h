/* tests/support/harness.h — unit tests on cmocka: a case's name is a sentence, registered by the macro.
 *
 *   TEST(diff__removed_directory_becomes_one_whiteout) { … ASSERT_OK(call(&t_err)); … }
 *
 * ./test_x runs all cases sorted by name, ./test_x PATTERN only those that contain PATTERN.
 * t_err is a fresh error for each case, freed after it.
 */
#ifndef OB_TESTS_HARNESS_H
#define OB_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/error.h"

typedef struct ob_test_case {
	const char *name;
	void (*run)(void);
} ob_test_case;

extern ocib_error *t_err;

#define TEST(case_name)                                                         \
	static void case_name(void);                                            \
	static const ob_test_case case_##case_name = {#case_name, case_name};   \
	static const ob_test_case *const ptr_##case_name                        \
		__attribute__((used, section("ob_tests"))) = &case_##case_name; \
	static void case_name(void)

/** Fails with the error's message and trace unless @p call gives OCIB_OK. */
#define ASSERT_OK(call)                                                                        \
	do {                                                                                   \
		ocib_errc rc_ = (call);                                                        \
		if (rc_ != OCIB_OK)                                                            \
			fail_msg("%s: %d: %s\n%s", #call, (int)rc_, ocib_error_message(t_err), \
				 ocib_error_trace(t_err));                                     \
	} while (0)
/** Fails unless @p call gives @p code and t_err's message contains @p text; then clears t_err. */
#define ASSERT_ERROR(call, code, text)                                                           \
	do {                                                                                     \
		ocib_errc rc_ = (call);                                                          \
		if (rc_ != (code))                                                               \
			fail_msg("%s: got %d (%s), wanted %d", #call, (int)rc_,                  \
				 t_err ? ocib_error_message(t_err) : "no error", (int)(code));   \
		if (!strstr(ocib_error_message(t_err), (text)))                                  \
			fail_msg("%s: '%s' does not say '%s'", #call, ocib_error_message(t_err), \
				 (text));                                                        \
		t_err = ocib_error_free(t_err);                                                  \
	} while (0)

/** A fresh directory, removed after the case. Absolute path; valid until the case ends. */
const char *t_temp_dir(void);
/** Print why, and leave the case as skipped. */
#define SKIP(...)                                       \
	do {                                            \
		print_message("SKIPPED: " __VA_ARGS__); \
		print_message("\n");                    \
		skip();                                 \
	} while (0)

#endif
