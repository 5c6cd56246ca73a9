/* test_engine_plan_copy.c — COPY and ADD: what becomes of sources, destination and flags. */
#include "plan_fixture.h"

static const ob_copy_op *last_copy(const plan_fixture *f)
{
	const ob_node *target = plan_target(f);

	return &target->steps[target->step_count - 1].copy;
}

TEST(plan__copy_is_from_the_context_with_its_ignore_file)
{
	ob_autodone(plan_fixture) f = {0};

	plan_write(&f, "context/.dockerignore", "# nothing\nsecret\n!x\n");
	plan_ok(&f, "FROM scratch\nCOPY a b /d/\n");
	const ob_copy_op *op = last_copy(&f);
	const ob_node *context = &f.plan->nodes[op->from];
	assert_int_equal(op->source_count, 2);
	assert_string_equal(op->sources[0].path, "a");
	assert_int_equal(op->sources[0].at.line, 2);
	assert_false(op->keep_owner);
	assert_false(op->is_add);
	assert_int_equal(op->unpack, -1);
	assert_int_equal(context->kind, OB_NODE_CONTEXT);
	assert_string_equal(context->dir, f.dir);
	assert_string_equal(context->ignore_file, ".dockerignore");
	ASSERT_LIST(&context->ignore_patterns, "secret", "!x");
	assert_int_equal(context->ignore_lines[1], 3);
	assert_true(ob_ignore_match(context->ignore, "secret/file"));
}

TEST(plan__ignore_file_of_the_dockerfile_wins)
{
	ob_autodone(plan_fixture) f = {0};
	char path[256];

	plan_write(&f, "context/.dockerignore", "a\n");
	plan_write(&f, "Dockerfile.dockerignore", "b\n");
	(void)snprintf(path, sizeof(path), "%s/Dockerfile", t_temp_dir());
	f.options.dockerfile_path = path;
	plan_ok(&f, "FROM scratch\nCOPY a /\n");
	const ob_node *context = &f.plan->nodes[last_copy(&f)->from];
	ASSERT_LIST(&context->ignore_patterns, "b");
	assert_string_equal(context->ignore_file, "Dockerfile.dockerignore");
}

TEST(plan__wrong_ignore_file_is_named)
{
	ob_autodone(plan_fixture) f = {0};

	plan_write(&f, "context/.dockerignore", "# no pattern\na\n!\n");
	assert_int_equal(plan_try(&f, "FROM scratch\nCOPY a /\n"), OCIB_ERR_SYNTAX);
	assert_string_equal(ocib_error_file(t_err), ".dockerignore");
	assert_int_equal(ocib_error_line(t_err), 3);
	t_err = ocib_error_free(t_err);
	plan_ok(&f, "FROM scratch\nENV a=b\n"); /* nothing is copied, so nobody looks */
}

TEST(plan__no_context_is_an_error_only_where_it_is_needed)
{
	ob_autodone(plan_fixture) f = {0};

	plan_open(&f);
	f.options.context_dir = NULL;
	plan_ok(&f, "FROM scratch AS a\nFROM scratch\nCOPY --from=a / /\n");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nCOPY a /\n", OCIB_ERR_NOTFOUND, 2, "no build context");
}

TEST(plan__destination_is_absolute_and_keeps_its_slash)
{
	static const struct {
		const char *written, *want;
	} cases[] = {
		{"/a", "/a"},         {"/a/", "/a/"}, {"b", "/w/b"}, {"b/", "/w/b/"},
		{".", "/w/"},         {"./", "/w/"},  {"..", "/"},   {"../", "/"},
		{"/a/.", "/a/"},      {"/", "/"},     {"$X", "/w/"}, {"${D}b", "/db"},
		{"/a/../../b", "/b"},
	};
	ob_autodone(plan_fixture) f = {0};

	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_autofree char *text = ob_str_printf(
			"FROM scratch\nENV D=/d\nWORKDIR /w\nCOPY a %s\n", cases[i].written);

		plan_ok(&f, text);
		assert_string_equal(last_copy(&f)->dest, cases[i].want);
	}
	plan_ok(&f, "FROM scratch\nCOPY a b\n");
	assert_string_equal(last_copy(&f)->dest, "/b");
}

TEST(plan__words_and_owner_expand_and_excludes_do_not)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nARG V=x\nCOPY --chown=$V:$V --chmod=$M --exclude=$V --exclude=b "
		    "--parents $V'$V' /$V\n");
	const ob_copy_op *op = last_copy(&f);
	assert_string_equal(op->chown, "x:x");
	assert_null(op->chmod);
	ASSERT_LIST(&op->exclude, "$V", "b");
	assert_string_equal(op->sources[0].path, "x$V");
	assert_true(op->parents);
	ASSERT_HISTORY(plan_target(&f), "ARG V=x", "COPY --parents --chown=x:x x$V /x # ocibuild");
}

TEST(plan__json_form_takes_spaces)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nCOPY [\"a b\", \"/c d/\"]\n");
	assert_string_equal(last_copy(&f)->sources[0].path, "a b");
	assert_string_equal(last_copy(&f)->dest, "/c d/");
}

TEST(plan__inline_files_follow_paths_and_expand_unless_quoted)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nENV X=1\nCOPY <<A p <<-\"B\" /d/\n$X 'q' \\$X\nA\n\t$X\nB\n");
	const ob_copy_op *op = last_copy(&f);
	assert_int_equal(op->source_count, 3);
	assert_string_equal(op->sources[0].path, "p");
	assert_int_equal(op->sources[1].kind, OB_COPY_INLINE);
	assert_string_equal(op->sources[1].path, "A");
	assert_string_equal(op->sources[1].data, "1 'q' $X\n");
	assert_int_equal(op->sources[1].data_len, 9);
	assert_string_equal(op->sources[2].data, "$X\n");
	ASSERT_HISTORY(plan_target(&f), "ENV X=1", "COPY p <<A <<B /d/ # ocibuild");
}

TEST(plan__inline_file_names_no_other_place)
{
	ob_autodone(plan_fixture) f = {0};

	ASSERT_PLAN_ERROR(&f, "FROM scratch\nCOPY <<\"../x\" /d/\na\n../x\n", OCIB_ERR_SYNTAX, 2,
			  "inline file");
}

TEST(plan__modes_are_octal_or_symbolic)
{
	static const char *const good[] = {"0",  "755",   "07777", "u=rwX,go=rX",
					   "+x", "a+r-w", "g=u"};
	static const char *const bad[] = {"10000", "8",    "0x1",  "rw", "u",
					  "u=z",   "u=r,", "755 ", "-1"};
	ob_autodone(plan_fixture) f = {0};

	for (size_t i = 0; i < OB_ARRAY_LEN(good); i++) {
		ob_autofree char *text = ob_str_printf(
			"FROM scratch\nARG M\nARG M=%s\nCOPY --chmod=$M a /\n", good[i]);

		plan_ok(&f, text);
		assert_string_equal(last_copy(&f)->chmod, good[i]);
	}
	for (size_t i = 0; i < OB_ARRAY_LEN(bad); i++) {
		ob_autofree char *text =
			ob_str_printf("FROM scratch\nARG M='%s'\nADD --chmod=$M a /\n", bad[i]);

		ASSERT_PLAN_ERROR(&f, text, OCIB_ERR_SYNTAX, 3, "invalid chmod parameter");
	}
}

TEST(plan__link_has_no_effect_beside_chmod)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nCOPY --link a /\n");
	assert_true(last_copy(&f)->link);
	plan_ok(&f, "FROM scratch\nCOPY --link=false a /\n");
	assert_false(last_copy(&f)->link);
	plan_ok(&f, "FROM scratch\nCOPY --link --chmod=644 a /\n");
	assert_false(last_copy(&f)->link);
}

TEST(plan__add_unpack_has_three_states)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nADD a /\n");
	assert_true(last_copy(&f)->is_add);
	assert_int_equal(last_copy(&f)->unpack, -1);
	plan_ok(&f, "FROM scratch\nADD --unpack a /\n");
	assert_int_equal(last_copy(&f)->unpack, 1);
	plan_ok(&f, "FROM scratch\nADD --unpack=false a /\n");
	assert_int_equal(last_copy(&f)->unpack, 0);
}

TEST(plan__remote_sources_are_adds_alone)
{
	static const char *const remote[] = {
		"https://h/r.git", "https://h/r.git#b:d",    "git://h/r",
		"ssh://u@h/r",     "git@github.com:u/r.git", "HTTP://h/r.git?ref=x",
	};
	static const char *const local[] = {
		"ftp://h/x", "github.com/u/r", "./git@h:x", "a@b", "HTTP://h/x", "x:y", "http:/x",
	};
	ob_autodone(plan_fixture) f = {0};

	for (size_t i = 0; i < OB_ARRAY_LEN(remote); i++) {
		ob_autofree char *add = ob_str_printf("FROM scratch\nADD %s /\n", remote[i]);
		ob_autofree char *copy = ob_str_printf("FROM scratch\nCOPY %s /\n", remote[i]);

		plan_ok(&f, add);
		assert_int_equal(last_copy(&f)->sources[0].kind, OB_COPY_GIT);
		ASSERT_PLAN_ERROR(&f, copy, OCIB_ERR_SYNTAX, 2, "for COPY");
	}
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nCOPY http://h/x /\n", OCIB_ERR_SYNTAX, 2, "for COPY");
	for (size_t i = 0; i < OB_ARRAY_LEN(local); i++) {
		ob_autofree char *add = ob_str_printf("FROM scratch\nADD %s /\n", local[i]);

		plan_ok(&f, add);
		assert_string_equal(last_copy(&f)->sources[0].path, local[i]);
	}
}

TEST(plan__a_url_has_the_name_that_its_path_ends_with)
{
	static const char *const names[][2] = {
		{"http://h/d/x.tar?a=/b#c", "x.tar"},
		{"https://u:p@h/%61%20b", "a b"},
		{"http://h", "__unnamed__"},
		{"http://h/?q=/x", "__unnamed__"},
		{"http://h/d/", "d"},
		{"http://h/a%2fb", "b"},
	};
	ob_autodone(plan_fixture) f = {0};

	for (size_t i = 0; i < OB_ARRAY_LEN(names); i++) {
		ob_autofree char *text =
			ob_str_printf("FROM scratch\nENV U=%s\nADD a $U b /\n", names[i][0]);

		plan_ok(&f, text);
		assert_int_equal(last_copy(&f)->sources[0].kind, OB_COPY_PATHS);
		assert_int_equal(last_copy(&f)->sources[1].kind, OB_COPY_URL);
		assert_string_equal(last_copy(&f)->sources[1].path, names[i][0]);
		assert_string_equal(last_copy(&f)->sources[1].name, names[i][1]);
	}
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nADD http://h:x/ /\n", OCIB_ERR_SYNTAX, 2, "no URL");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nADD http://h/a%00b /\n", OCIB_ERR_SYNTAX, 2, "no URL");
}

#define SUM "sha256:d0b425e00e15a0d36b9b361f02bab63563aed6cb4665083905386c55d5b679fa"

TEST(plan__checksum_is_for_one_remote_source)
{
	ob_autodone(plan_fixture) f = {0};

	ASSERT_PLAN_ERROR(&f, "FROM scratch\nADD --checksum=sha256:0 a /\n", OCIB_ERR_SYNTAX, 2,
			  "requires HTTP(S) or Git");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nADD --checksum=sha256:0 a b /\n", OCIB_ERR_SYNTAX, 2,
			  "multiple sources");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nADD --checksum=sha256:0 http://h/x /\n",
			  OCIB_ERR_SYNTAX, 2, "64 hexadecimal digits");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nADD --checksum=" SUM " http://h/x http://h/y /\n",
			  OCIB_ERR_SYNTAX, 2, "multiple sources");
	plan_ok(&f, "FROM scratch\nARG S=" SUM "\nADD --checksum=$S http://h/x /\n");
	assert_string_equal(last_copy(&f)->checksum, SUM);
}

TEST(plan__copy_from_a_stage_keeps_owners)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch AS One\nCOPY a /\nFROM scratch\nCOPY --from=ONE /a /\n"
		    "COPY --from=0 /a /b\n");
	for (size_t i = 0; i < 2; i++) {
		assert_true(plan_step(&f, i)->copy.keep_owner);
		assert_string_equal(f.plan->nodes[plan_step(&f, i)->copy.from].name, "one");
	}
	ASSERT_STEPS(plan_target(&f), "COPY --from=ONE /a /", "COPY --from=0 /a /b");
}

TEST(plan__copy_from_an_image_is_one_node_however_often)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "img", "");
	plan_ok(&f,
		"FROM img\nCOPY --from=img /a /\nCOPY --from=docker.io/library/img:latest /a /\n");
	assert_int_equal(plan_step(&f, 0)->copy.from, plan_target(&f)->base);
	assert_int_equal(plan_step(&f, 1)->copy.from, plan_target(&f)->base);
	assert_int_equal(f.plan->node_count, 2);
}

TEST(plan__variables_in_from_are_refused_with_a_way_out)
{
	ob_autodone(plan_fixture) f = {0};

	assert_int_equal(plan_try(&f, "FROM scratch\nARG X=a\nCOPY --from=$X / /\n"),
			 OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_line(t_err), 3);
	assert_non_null(strstr(ocib_error_hint(t_err), "AS a name"));
}
