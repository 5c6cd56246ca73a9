/* test_engine_build.c — builds through the public call, without RUN: what comes out, and what is done twice. */
#include "build_fixture.h"

TEST(build__copy_onto_nothing_makes_one_layer_and_its_history)
{
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "hello");
	fixture_build(&f, "FROM scratch\nENV X=1\nCOPY a.txt /b.txt\nCMD [\"/b\"]\n");
	assert_int_equal(ocib_image_layer_count(f.image), 1);
	assert_int_equal(ocib_image_history_count(f.image), 3);

	ocib_history_entry entry;
	assert_int_equal(ocib_image_history(f.image, 1, &entry), 0);
	assert_string_equal(entry.created_by, "COPY a.txt /b.txt # ocibuild");
	assert_string_not_equal(entry.layer, "");
	assert_string_not_equal(entry.created, "");
	assert_non_null(strstr(ocib_image_config_json(f.image), "\"X=1\""));
	assert_non_null(strstr(ocib_image_config_json(f.image), "\"Cmd\":[\"/b\"]"));
	fixture_done(&f);
}

TEST(build__again_from_the_cache_gives_the_same_image)
{
	static const char text[] = "FROM scratch\nWORKDIR /w\nCOPY a.txt .\nCOPY dir dir\n";
	build_fixture f = fixture_new();
	char first[80];

	fixture_write(&f, "a.txt", "hello");
	fixture_write(&f, "dir/b.txt", "there");
	fixture_build(&f, text);
	assert_int_equal(f.cached, 0);
	assert_int_equal(f.numbered, 3);
	(void)snprintf(first, sizeof(first), "%s", ocib_image_digest(f.image));
	fixture_build(&f, text);
	assert_int_equal(f.cached, 3);
	assert_int_equal(f.numbered, 0);
	assert_string_equal(ocib_image_digest(f.image), first);
	fixture_done(&f);
}

TEST(build__again_without_cache_executes_every_step)
{
	static const char text[] = "FROM scratch\nWORKDIR /w\nCOPY a.txt .\n";
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "hello");
	fixture_build(&f, text);
	f.options.no_cache = 1;
	fixture_build(&f, text);
	assert_int_equal(f.cached, 0);
	assert_int_equal(f.numbered, 2);
	fixture_done(&f);
}

TEST(build__stage_named_in_no_cache_filter_is_executed_alone)
{
	static const char text[] = "FROM scratch AS one\nCOPY a.txt /one\n"
				   "FROM scratch AS two\nCOPY a.txt /two\nCOPY --from=one /one /\n";
	const char *const stages[] = {"one", NULL};
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "hello");
	fixture_build(&f, text);
	f.options.no_cache_stages = stages;
	fixture_build(&f, text);
	assert_int_equal(f.numbered, 1);
	assert_int_equal(f.cached, 2);
	fixture_done(&f);
}

TEST(build__changed_file_executes_its_step_and_not_those_before)
{
	static const char text[] = "FROM scratch\nCOPY a.txt /\nCOPY b.txt /\n";
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "one");
	fixture_write(&f, "b.txt", "two");
	fixture_build(&f, text);
	fixture_write(&f, "b.txt", "three");
	fixture_build(&f, text);
	assert_int_equal(f.cached, 1);
	assert_int_equal(f.numbered, 1);
	fixture_done(&f);
}

TEST(build__change_elsewhere_in_the_context_keeps_the_cache)
{
	static const char text[] = "FROM scratch\nCOPY a.txt /\n";
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "one");
	fixture_build(&f, text);
	fixture_write(&f, "other.txt", "two");
	fixture_build(&f, text);
	assert_int_equal(f.cached, 1);
	fixture_done(&f);
}

TEST(build__same_inputs_under_an_epoch_give_one_digest_in_two_stores)
{
	static const char text[] = "FROM scratch\nWORKDIR /w\nCOPY a.txt .\nENV A=b\n";
	char digest[2][80];

	for (size_t i = 0; i < 2; i++) {
		build_fixture f = fixture_new();

		fixture_write(&f, "a.txt", "hello");
		f.options.has_source_date_epoch = 1;
		f.options.source_date_epoch = 1700000000;
		fixture_build(&f, text);
		(void)snprintf(digest[i], sizeof(digest[i]), "%s", ocib_image_digest(f.image));
		assert_non_null(strstr(ocib_image_config_json(f.image),
				       "\"created\":\"2023-11-14T22:13:20Z\""));
		fixture_done(&f);
	}
	assert_string_equal(digest[0], digest[1]);
}

TEST(build__epoch_may_come_as_a_build_argument)
{
	const char *const args[] = {"SOURCE_DATE_EPOCH=1700000000", NULL};
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "hello");
	f.options.build_args = args;
	fixture_build(&f, "FROM scratch\nCOPY a.txt /\n");
	assert_non_null(
		strstr(ocib_image_config_json(f.image), "\"created\":\"2023-11-14T22:13:20Z\""));
	fixture_done(&f);
}

TEST(build__entry_without_layer_has_the_time_of_the_first_new_layer)
{
	build_fixture f = fixture_new();
	ocib_history_entry env, copy, label;

	fixture_write(&f, "a.txt", "hello");
	fixture_build(&f, "FROM scratch\nENV A=b\nCOPY a.txt /\nLABEL c=d\n");
	assert_int_equal(ocib_image_history(f.image, 0, &env), 0);
	assert_int_equal(ocib_image_history(f.image, 1, &copy), 0);
	assert_int_equal(ocib_image_history(f.image, 2, &label), 0);
	assert_string_equal(env.created, copy.created);
	assert_string_equal(label.created, copy.created);
	fixture_done(&f);
}

TEST(build__only_what_the_target_needs_is_executed)
{
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "hello");
	fixture_build(&f, "FROM scratch AS unused\nCOPY nothing-there /\n"
			  "FROM scratch AS base\nCOPY a.txt /one\n"
			  "FROM base\nCOPY --from=base /one /two\n");
	assert_int_equal(f.numbered, 2);
	assert_int_equal(ocib_image_layer_count(f.image), 2);
	fixture_done(&f);
}

TEST(build__many_stages_are_joined_whatever_their_order)
{
	enum { STAGES = 24 };
	build_fixture f = fixture_new();
	char text[8192];
	size_t len = 0;

	fixture_write(&f, "a.txt", "hello");
	for (int i = 0; i < STAGES; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"FROM scratch AS s%d\nCOPY a.txt /f%d\n", i, i);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "FROM scratch\n");
	for (int i = 0; i < STAGES; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "COPY --from=s%d / /\n", i);
	f.options.jobs = 4;
	fixture_build(&f, text);
	assert_int_equal(ocib_image_layer_count(f.image), STAGES);
	assert_int_equal(f.numbered, 2 * STAGES);
	fixture_done(&f);
}

TEST(build__tags_become_names_in_the_store)
{
	const char *const tags[] = {"app:abc", "app", NULL};
	build_fixture f = fixture_new();
	ocib_image *named = NULL;

	fixture_write(&f, "a.txt", "hello");
	f.options.tags = tags;
	fixture_build(&f, "FROM scratch\nCOPY a.txt /\n");
	ASSERT_OK(ocib_image_open(f.ctx, f.store, "app:latest", &named, &t_err));
	assert_string_equal(ocib_image_digest(named), ocib_image_digest(f.image));
	ocib_image_free(named);
	ASSERT_OK(ocib_image_open(f.ctx, f.store, "docker.io/library/app:abc", &named, &t_err));
	ocib_image_free(named);
	fixture_done(&f);
}

TEST(build__image_can_be_the_base_of_the_next)
{
	const char *const tags[] = {"base:1", NULL};
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "hello");
	f.options.tags = tags;
	fixture_build(&f, "FROM scratch\nCOPY a.txt /a\nENV A=1\n");
	f.options.tags = NULL;
	fixture_build(&f, "FROM base:1\nCOPY a.txt /b\n");
	assert_int_equal(ocib_image_layer_count(f.image), 2);
	assert_int_equal(ocib_image_history_count(f.image), 3);
	assert_non_null(strstr(ocib_image_config_json(f.image), "\"A=1\""));
	fixture_done(&f);
}

TEST(build__layout_directory_keeps_other_images)
{
	const char *tags[] = {"one:x", NULL};
	build_fixture f = fixture_new();
	char dest[256], name[300];
	ocib_image *image = NULL;

	(void)snprintf(dest, sizeof(dest), "%s/layout", t_temp_dir());
	const ocib_output output = {.type = "oci", .dest = dest, .tar = 0};
	fixture_write(&f, "a.txt", "hello");
	f.options.tags = tags;
	f.options.outputs = &output;
	f.options.output_count = 1;
	fixture_build(&f, "FROM scratch\nCOPY a.txt /one\n");
	tags[0] = "two:y";
	fixture_build(&f, "FROM scratch\nCOPY a.txt /two\n");
	(void)snprintf(name, sizeof(name), "oci:%s:x", dest);
	ASSERT_OK(ocib_image_open(f.ctx, f.store, name, &image, &t_err));
	assert_string_not_equal(ocib_image_digest(image), ocib_image_digest(f.image));
	ocib_image_free(image);
	(void)snprintf(name, sizeof(name), "oci:%s:y", dest);
	ASSERT_OK(ocib_image_open(f.ctx, f.store, name, &image, &t_err));
	assert_string_equal(ocib_image_digest(image), ocib_image_digest(f.image));
	ocib_image_free(image);
	/* With an output of its own the image has no name in the store. */
	ASSERT_ERROR(ocib_image_open(f.ctx, f.store, "two:y", &image, &t_err), OCIB_ERR_NOTFOUND,
		     "two");
	fixture_done(&f);
}

TEST(build__uncompressed_and_zstd_layers_say_so)
{
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "hello");
	f.options.compression = "zstd";
	fixture_build(&f, "FROM scratch\nCOPY a.txt /\n");
	assert_non_null(strstr(ocib_image_manifest_json(f.image), "layer.v1.tar+zstd"));
	f.options.compression = "uncompressed";
	fixture_build(&f, "FROM scratch\nCOPY a.txt /\n");
	assert_non_null(strstr(ocib_image_manifest_json(f.image), "layer.v1.tar\""));
	assert_int_equal(f.cached, 0);
	fixture_done(&f);
}

TEST(build__annotations_are_in_the_manifest)
{
	const char *const annotations[] = {"org.example.a=b=c", NULL};
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "hello");
	f.options.annotations = annotations;
	fixture_build(&f, "FROM scratch\nCOPY a.txt /\n");
	assert_non_null(strstr(ocib_image_manifest_json(f.image), "\"org.example.a\":\"b=c\""));
	fixture_done(&f);
}

TEST(build__missing_source_names_the_line_and_leaves_no_litter)
{
	build_fixture f = fixture_new();

	ASSERT_ERROR(fixture_try(&f, "FROM scratch\nCOPY nothing /\n"), OCIB_ERR_NOTFOUND,
		     "nothing");
	assert_int_equal(f.failed, 1);
	fixture_assert_no_litter(&f);
	fixture_done(&f);
}

TEST(build__missing_dockerfile_is_not_found)
{
	build_fixture f = fixture_new();

	ASSERT_ERROR(fixture_try(&f, NULL), OCIB_ERR_NOTFOUND, "Dockerfile");
	fixture_done(&f);
}

TEST(build__options_that_make_no_sense_are_refused_before_anything_runs)
{
	build_fixture f = fixture_new();
	const ocib_output bad = {.type = "floppy"};
	const char *const tags[] = {"UPPER CASE", NULL};

	fixture_write(&f, "a.txt", "hello");
	f.options.outputs = &bad;
	f.options.output_count = 1;
	ASSERT_ERROR(fixture_try(&f, "FROM scratch\n"), OCIB_ERR_INVALID, "floppy");
	f.options.output_count = 0;
	f.options.compression = "lha";
	ASSERT_ERROR(fixture_try(&f, "FROM scratch\n"), OCIB_ERR_INVALID, "lha");
	f.options.compression = NULL;
	f.options.tags = tags;
	ASSERT_ERROR(fixture_try(&f, "FROM scratch\n"), OCIB_ERR_INVALID, "UPPER CASE");
	f.options.tags = NULL;
	f.options.push = 1;
	ASSERT_ERROR(fixture_try(&f, "FROM scratch\n"), OCIB_ERR_INVALID, "tag");
	fixture_done(&f);
}

TEST(build__callback_that_says_no_cancels)
{
	build_fixture f = fixture_new();

	fixture_write(&f, "a.txt", "hello");
	f.cancel_at_step = 1;
	ASSERT_ERROR(fixture_try(&f, "FROM scratch\nCOPY a.txt /\nCOPY a.txt /b\n"),
		     OCIB_ERR_CANCELED, "");
	fixture_assert_no_litter(&f);
	fixture_done(&f);
}
