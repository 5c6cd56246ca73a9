/* ocib_check_run(), ocib_outline_run(), ocib_targets_run(): results, and what is none. */
#include <ocibuild/ocibuild.h>
#include "base/context.h"
#include "base/strings.h"
#include "harness.h"
#include "store/store.h"

typedef struct check_fixture {
	ocib_context *ctx;
	ocib_store *store;
	ocib_build_options options;
	ocib_check *check;
	ocib_outline *outline;
	ocib_targets *targets;
} check_fixture;

static void check_fixture_done(check_fixture *f)
{
	ocib_check_free(f->check);
	ocib_outline_free(f->outline);
	ocib_targets_free(f->targets);
	ocib_store_free(f->store);
	ocib_context_free(f->ctx);
}

static check_fixture begin(const char *text)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;
	check_fixture f = {.options = OCIB_BUILD_OPTIONS_INIT};
	ob_autofree char *dir = ob_str_printf("%s/store", t_temp_dir());

	options.offline = 1;
	ASSERT_OK(ocib_context_new(&options, &f.ctx, &t_err));
	ASSERT_OK(ocib_store_open(f.ctx, dir, &f.store, &t_err));
	f.options.context_dir = t_temp_dir();
	f.options.dockerfile_text = text;
	return f;
}

static void run_check(check_fixture *f)
{
	ASSERT_OK(ocib_check_run(f->ctx, f->store, &f->options, &f->check, &t_err));
}

TEST(check__findings_are_values_with_their_lines)
{
	static const char text[] = "FROM scratch\nENV a b\nCMD \\\n x\n";
	ob_autodone(check_fixture) f = begin(text);
	size_t len;

	run_check(&f);
	assert_int_equal(ocib_check_count(f.check), 2);
	const ocib_finding *one = ocib_check_get(f.check, 1);
	assert_string_equal(one->rule->name, "JSONArgsRecommended");
	assert_int_equal(one->line, 3);
	assert_int_equal(one->end_line, 4);
	assert_non_null(strstr(one->excerpt, "   3 | >>> CMD \\\n   4 | >>>  x\n"));
	assert_null(ocib_check_get(f.check, 2));
	assert_null(ocib_check_failure(f.check));
	assert_int_equal(ocib_check_dropped(f.check), 0);
	assert_string_equal(ocib_check_file(f.check), "Dockerfile");
	assert_string_equal(ocib_check_text(f.check, &len), text);
	assert_int_equal(len, strlen(text));
}

TEST(check__a_wrong_dockerfile_is_a_result)
{
	ob_autodone(check_fixture) f = begin("FROM scratch AS A\nNO\n");

	run_check(&f);
	assert_int_equal(ocib_check_count(f.check), 1);
	assert_int_equal(ocib_error_code(ocib_check_failure(f.check)), OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_line(ocib_check_failure(f.check)), 2);
}

TEST(check__a_missing_base_is_a_result_behind_the_findings)
{
	ob_autodone(check_fixture) f = begin("FROM none\nUSER $a\nCMD x\n");

	run_check(&f);
	assert_int_equal(ocib_check_count(f.check), 1);
	assert_int_equal(ocib_error_code(ocib_check_failure(f.check)), OCIB_ERR_NOTFOUND);
}

TEST(check__a_wrong_call_is_a_failure)
{
	ob_autodone(check_fixture) f = begin("FROM scratch\n");
	const char *const args[] = {"no equals sign", NULL};

	f.options.build_args = args;
	assert_int_equal(ocib_check_run(f.ctx, f.store, &f.options, &f.check, &t_err),
			 OCIB_ERR_INVALID);
	assert_null(f.check);
	t_err = ocib_error_free(t_err);
	f.options.build_args = NULL;
	assert_int_equal(ocib_check_run(f.ctx, NULL, &f.options, &f.check, &t_err),
			 OCIB_ERR_INVALID);
	t_err = ocib_error_free(t_err);
	f.options.dockerfile_text = NULL;
	f.options.dockerfile = "/nowhere/Dockerfile";
	assert_int_equal(ocib_check_run(f.ctx, f.store, &f.options, &f.check, &t_err),
			 OCIB_ERR_NOTFOUND);
}

TEST(check__canceled_is_a_failure)
{
	ob_autodone(check_fixture) f = begin("FROM scratch\n");

	ocib_context_cancel(f.ctx);
	assert_int_equal(ocib_check_run(f.ctx, f.store, &f.options, &f.check, &t_err),
			 OCIB_ERR_CANCELED);
}

TEST(targets__are_the_stages)
{
	ob_autodone(check_fixture) f = begin(
		"ARG V\n# one is one\nFROM --platform=$BUILDPLATFORM x:$V AS One\nFROM one\n");

	ASSERT_OK(ocib_targets_run(f.ctx, f.store, &f.options, &f.targets, &t_err));
	assert_int_equal(ocib_targets_count(f.targets), 2);
	const ocib_target *one = ocib_targets_get(f.targets, 0);
	assert_string_equal(one->name, "one");
	assert_string_equal(one->description, "is one");
	assert_string_equal(one->base, "x:$V");
	assert_string_equal(one->platform, "$BUILDPLATFORM");
	assert_int_equal(one->line, 3);
	assert_false(one->is_default);
	assert_string_equal(ocib_targets_get(f.targets, 1)->name, "");
	assert_true(ocib_targets_get(f.targets, 1)->is_default);
	assert_null(ocib_targets_get(f.targets, 2));
	assert_true(strncmp(ocib_targets_text(f.targets, NULL), "ARG V", 5) == 0);
}

TEST(outline__of_a_dockerfile_that_is_wrong_is_a_failure)
{
	ob_autodone(check_fixture) f = begin("FROM scratch\nUSER ${\n");

	assert_int_equal(ocib_outline_run(f.ctx, f.store, &f.options, &f.outline, &t_err),
			 OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_line(t_err), 2);
	t_err = ocib_error_free(t_err);
	f.options.dockerfile_text = "FROM none\nARG A=1\n";
	ASSERT_OK(ocib_outline_run(f.ctx, f.store, &f.options, &f.outline, &t_err));
	assert_int_equal(ocib_outline_count(f.outline, OCIB_OUTLINE_ARG), 1);
	assert_int_equal(ocib_outline_count(f.outline, OCIB_OUTLINE_SSH), 0);
}

TEST(results__of_nothing_are_empty)
{
	assert_int_equal(ocib_check_count(NULL), 0);
	assert_null(ocib_check_get(NULL, 0));
	assert_string_equal(ocib_check_file(NULL), "");
	assert_int_equal(ocib_outline_count(NULL, OCIB_OUTLINE_ARG), 0);
	assert_string_equal(ocib_outline_name(NULL), "");
	assert_string_equal(ocib_outline_text(NULL, NULL), "");
	assert_int_equal(ocib_targets_count(NULL), 0);
	assert_string_equal(ocib_targets_text(NULL, NULL), "");
	ocib_check_free(NULL);
	ocib_outline_free(NULL);
	ocib_targets_free(NULL);
}
