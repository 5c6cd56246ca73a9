/* test_engine_plan_platform.c — one plan for several platforms: what is shared, and how stages are called. */
#include "plan_fixture.h"

static const ob_platform AMD64 = {.os = "linux", .arch = "amd64"};
static const ob_platform ARM64 = {.os = "linux", .arch = "arm64"};
static const ob_platform ARM = {.os = "linux", .arch = "arm", .variant = "v7"};

static void plan_for_both(plan_fixture *f, const char *text)
{
	f->options.platform = AMD64;
	f->options.platform_given = true;
	f->options.also = &ARM64;
	f->options.also_count = 1;
	f->options.show_platforms = true;
	plan_ok(f, text);
	assert_int_equal(f->plan->target_count, 2);
}

static const ob_node *target(const plan_fixture *f, size_t i)
{
	return &f->plan->nodes[f->plan->targets[i].node];
}

/* Nodes of that name. */
static size_t count(const plan_fixture *f, const char *name)
{
	size_t found = 0;

	for (size_t i = 0; i < f->plan->node_count; i++)
		found += ob_str_eq(f->plan->nodes[i].name, name);
	return found;
}

TEST(plan__each_platform_is_a_target_with_its_own_base_and_arguments)
{
	ob_autodone(plan_fixture) f = {0};

	plan_for_both(&f, "FROM scratch\nARG TARGETARCH\nCOPY a /$TARGETARCH\n");
	ASSERT_STEPS(target(&f, 0), "COPY a /amd64");
	ASSERT_STEPS(target(&f, 1), "COPY a /arm64");
	assert_string_equal(f.plan->targets[0].config->platform.arch, "amd64");
	assert_string_equal(f.plan->targets[1].config->platform.arch, "arm64");
	assert_true(ob_platform_eq(&f.plan->targets[1].platform, &ARM64));
}

TEST(plan__a_stage_for_the_build_platform_is_there_once)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image_for(&f, "tools", "amd64", NULL, "");
	plan_for_both(&f, "FROM --platform=linux/amd64 tools AS make\nRUN make\n"
			  "FROM make AS more\nCOPY a /\nFROM scratch\nCOPY --from=more /a /\n");
	assert_int_equal(count(&f, "tools"), 1);
	assert_int_equal(count(&f, "make"), 1);
	assert_int_equal(count(&f, "more"), 1);
	assert_int_equal(count(&f, "context"), 1);
	assert_int_equal(target(&f, 0)->steps[0].copy.from, target(&f, 1)->steps[0].copy.from);
	assert_true(f.plan->targets[0].node != f.plan->targets[1].node);
}

TEST(plan__a_stage_that_asks_for_the_target_is_there_for_each)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image_for(&f, "tools", "amd64", NULL, "");
	plan_for_both(&f, "FROM --platform=linux/amd64 tools AS make\nARG TARGETARCH\nRUN make\n"
			  "FROM scratch\nCOPY --from=make /a /\n");
	assert_int_equal(count(&f, "tools"), 1);
	assert_int_equal(count(&f, "make"), 2);
}

TEST(plan__a_label_alone_makes_a_stage_another_one)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image_for(&f, "tools", "amd64", NULL, "");
	plan_for_both(&f,
		      "FROM --platform=linux/amd64 tools\nARG TARGETARCH\nLABEL a=$TARGETARCH\n");
	assert_true(f.plan->targets[0].node != f.plan->targets[1].node);
	assert_string_equal(f.plan->targets[0].config->labels.items[1], "amd64");
	assert_string_equal(f.plan->targets[1].config->labels.items[1], "arm64");
}

TEST(plan__targets_that_share_a_stage_say_their_own_platform)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image_for(&f, "tools", "amd64", NULL, "");
	plan_for_both(&f, "FROM --platform=linux/amd64 tools\nCOPY a /\n");
	assert_int_equal(f.plan->targets[0].node, f.plan->targets[1].node);
	assert_string_equal(f.plan->targets[0].config->platform.arch, "amd64");
	assert_string_equal(f.plan->targets[1].config->platform.arch, "arm64");
	assert_string_equal(target(&f, 0)->config->platform.arch, "amd64");
}

TEST(plan__stages_are_called_by_platform_and_what_they_make_for)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image_for(&f, "tools", "amd64", NULL, "");
	plan_for_both(&f,
		      "FROM --platform=linux/amd64 tools AS make\nARG TARGETPLATFORM\nRUN make\n"
		      "FROM scratch\nCOPY --from=make /a /\n");
	assert_string_equal(target(&f, 1)->shown, "linux/arm64 stage-1");
	assert_string_equal(f.plan->nodes[target(&f, 0)->steps[0].copy.from].shown,
			    "linux/amd64 make");
	assert_string_equal(f.plan->nodes[target(&f, 1)->steps[0].copy.from].shown,
			    "linux/amd64->arm64 make");
	f.options.also = &ARM;
	plan_ok(&f, "FROM --platform=linux/amd64 tools\nARG TARGETVARIANT\nARG TARGETARCH\n");
	assert_string_equal(target(&f, 1)->shown, "linux/amd64->arm/v7");
}

TEST(plan__mounts_of_the_context_are_there_once)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image_for(&f, "tools", "amd64", NULL, "");
	plan_for_both(&f, "FROM --platform=linux/amd64 tools\nARG TARGETARCH\n"
			  "RUN --mount=target=/src make\n");
	assert_int_equal(target(&f, 0)->steps[0].run.mounts[0].from,
			 target(&f, 1)->steps[0].run.mounts[0].from);
}

TEST(plan__build_arguments_that_nobody_uses_are_named_once)
{
	ob_autodone(plan_fixture) f = {0};

	plan_arg(&f, "NOBODY=1");
	plan_for_both(&f, "FROM scratch\n");
	assert_int_equal(f.plan->unused_args.len, 1);
}
