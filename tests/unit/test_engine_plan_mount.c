/* test_engine_plan_mount.c — RUN --mount: defaults, places, what is refused. */
#include "plan_fixture.h"

/* A mount of the last step. */
static const ob_step_mount *mount_of(const plan_fixture *f, size_t i)
{
	const ob_run_op *run = &plan_step(f, plan_target(f)->step_count - 1)->run;

	assert_true(i < run->mount_count);
	return &run->mounts[i];
}

TEST(plan_mount__targets_are_below_the_working_directory)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nWORKDIR /w\nARG T=x\n"
		    "RUN --mount=type=tmpfs,target=a/../b --mount=type=tmpfs,target=/c/,size=2k,ro "
		    "--mount=type=cache,target=$T --mount=type=cache a\n");
	assert_string_equal(mount_of(&f, 0)->target, "/w/b");
	assert_int_equal(mount_of(&f, 0)->size, 0);
	assert_false(mount_of(&f, 0)->read_only);
	assert_string_equal(mount_of(&f, 1)->target, "/c");
	assert_int_equal(mount_of(&f, 1)->size, 2048);
	assert_true(mount_of(&f, 1)->read_only);
	assert_string_equal(mount_of(&f, 2)->target, "/w/x");
	assert_string_equal(mount_of(&f, 3)->target, "/w");
	assert_int_equal(mount_of(&f, 3)->at.line, 4);
}

TEST(plan_mount__a_cache_is_called_after_its_target_as_written)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nWORKDIR /w\n"
		    "RUN --mount=type=cache,target=./a/ --mount=type=cache,target=/b//c "
		    "--mount=type=cache,target=/d,id=x/../y,sharing=locked,source=s/../t a\n");
	assert_string_equal(mount_of(&f, 0)->id, "/a");
	assert_string_equal(mount_of(&f, 0)->source, "/");
	assert_int_equal(mount_of(&f, 0)->sharing, OB_SHARING_SHARED);
	assert_string_equal(mount_of(&f, 1)->id, "//b/c");
	assert_string_equal(mount_of(&f, 2)->id, "/x/../y");
	assert_int_equal(mount_of(&f, 2)->sharing, OB_SHARING_LOCKED);
	assert_string_equal(mount_of(&f, 2)->source, "/t");
	plan_arg(&f, "BUILDKIT_CACHE_MOUNT_NS=ns");
	plan_ok(&f, "FROM scratch\nRUN --mount=type=cache,target=/c a\n");
	assert_string_equal(mount_of(&f, 0)->id, "ns//c");
	assert_int_equal(f.plan->unused_args.len, 0);
}

TEST(plan_mount__owner_of_a_cache_counts_for_all_of_it_only)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\n"
		    "RUN --mount=type=cache,target=/a,uid=1,gid=2,mode=0700 "
		    "--mount=type=cache,target=/a,uid=1,gid=2,mode=0700,source=s "
		    "--mount=type=cache,target=/a a\n");
	assert_int_equal(mount_of(&f, 0)->mode, 0700);
	assert_int_equal(mount_of(&f, 0)->uid, 1);
	assert_int_equal(mount_of(&f, 0)->gid, 2);
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(mount_of(&f, i)->mode, 0755);
		assert_int_equal(mount_of(&f, i)->uid, 0);
		assert_int_equal(mount_of(&f, i)->gid, 0);
	}
}

static const ob_node *from_of(const plan_fixture *f, size_t i)
{
	size_t from = mount_of(f, i)->from;

	assert_true(from < f->plan->node_count && from < f->plan->targets[0].node);
	return &f->plan->nodes[from];
}

TEST(plan_mount__a_bind_of_the_context_is_a_stage_of_its_own)
{
	ob_autodone(plan_fixture) f = {0};

	plan_write(&f, "context/.dockerignore", "x\n");
	plan_mkdir(&f, "extra");
	plan_ok(&f, "FROM scratch\n"
		    "RUN --mount=target=/a --mount=source=b/../c,target=/c --mount=dst=/a2 a\n");
	const ob_copy_op *copy = &from_of(&f, 0)->steps[0].copy;
	assert_int_equal(from_of(&f, 0)->step_count, 1);
	assert_true(copy->as_mount && !copy->keep_owner);
	assert_string_equal(copy->sources[0].path, "/");
	assert_non_null(f.plan->nodes[copy->from].ignore);
	assert_int_equal(f.plan->nodes[from_of(&f, 0)->base].kind, OB_NODE_SCRATCH);
	assert_string_equal(mount_of(&f, 0)->source, "/mount");
	assert_true(mount_of(&f, 0)->read_only);
	assert_string_equal(from_of(&f, 1)->steps[0].copy.sources[0].path, "/c");
	assert_true(from_of(&f, 2) == from_of(&f, 0));
	ASSERT_STEPS(plan_target(&f), "RUN --mount=target=/a --mount=source=b/../c,target=/c "
				      "--mount=dst=/a2 a");
	assert_int_equal(plan_step(&f, 0)->total, 1);
	ob_autofree char *dir = ob_str_printf("%s/extra", t_temp_dir());
	plan_context(&f, "named", dir);
	plan_ok(&f, "FROM scratch\nRUN --mount=from=named,target=/a a\n");
	assert_string_equal(f.plan->nodes[from_of(&f, 0)->steps[0].copy.from].dir, dir);
}

TEST(plan_mount__a_bind_of_a_tree_is_that_tree)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base", "");
	plan_ok(&f, "FROM scratch AS a\nCOPY x /\nFROM scratch AS unused\nCOPY y /\nFROM scratch\n"
		    "RUN --mount=from=A,source=/o,target=/a,rw --mount=from=base,target=/b a\n");
	assert_string_equal(from_of(&f, 0)->name, "a");
	assert_string_equal(mount_of(&f, 0)->source, "/o");
	assert_false(mount_of(&f, 0)->read_only);
	assert_int_equal(from_of(&f, 1)->kind, OB_NODE_IMAGE);
	for (size_t i = 0; i < f.plan->node_count; i++)
		assert_string_not_equal(f.plan->nodes[i].name, "unused");
}

TEST(plan_mount__a_cache_begins_as_a_copy_of_its_source)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch AS a\nCOPY x /\nFROM scratch\n"
		    "RUN --mount=type=cache,from=a,source=/s,target=/a "
		    "--mount=type=cache,from=a,uid=1,target=/b --mount=type=cache,target=/c a\n");
	assert_true(from_of(&f, 0)->steps[0].copy.as_mount);
	assert_true(from_of(&f, 0)->steps[0].copy.keep_owner);
	assert_string_equal(mount_of(&f, 0)->source, "/mount");
	assert_true(mount_of(&f, 1)->from == OB_NO_NODE);
	assert_true(mount_of(&f, 2)->from == OB_NO_NODE);
}

TEST(plan_mount__a_secret_is_a_file_called_after_its_id)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nWORKDIR /w\n"
		    "RUN --mount=type=secret,id=a/b --mount=type=secret,target=c/d,mode=0440,uid=1 "
		    "--mount=type=secret,src=e,required a\n");
	assert_string_equal(mount_of(&f, 0)->id, "a/b");
	assert_string_equal(mount_of(&f, 0)->target, "/run/secrets/b");
	assert_int_equal(mount_of(&f, 0)->mode, 0400);
	assert_null(mount_of(&f, 0)->env);
	assert_string_equal(mount_of(&f, 1)->id, "d");
	assert_string_equal(mount_of(&f, 1)->target, "/w/c/d");
	assert_int_equal(mount_of(&f, 1)->mode, 0440);
	assert_int_equal(mount_of(&f, 1)->uid, 1);
	assert_false(mount_of(&f, 1)->required);
	assert_string_equal(mount_of(&f, 2)->id, "e");
	assert_true(mount_of(&f, 2)->required);
}

TEST(plan_mount__a_secret_in_a_variable_is_no_file_and_shown_as_one)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nENV T=shown U=seen\n"
		    "RUN --mount=type=secret,id=s,env=T --mount=type=secret,id=t,env= "
		    "--mount=type=secret,id=u,env=V,target=/u curl $T $U $V\n");
	assert_null(mount_of(&f, 0)->target);
	assert_string_equal(mount_of(&f, 0)->env, "T");
	assert_string_equal(mount_of(&f, 1)->env, "t");
	assert_string_equal(mount_of(&f, 2)->target, "/u");
	assert_non_null(strstr(plan_step(&f, 0)->text, "curl **** seen ****"));
	assert_null(strstr(plan_config(&f)->history[1].created_by, "***"));
	ASSERT_LIST(&plan_step(&f, 0)->run.env,
		    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "T=shown",
		    "U=seen");
}

TEST(plan_mount__triggers_may_have_mounts)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base", "\"OnBuild\":[\"RUN --mount=type=cache,target=/c a\"]");
	plan_ok(&f, "FROM base\n");
	assert_string_equal(mount_of(&f, 0)->target, "/c");
	assert_int_equal(mount_of(&f, 0)->at.line, 1);
}

TEST(plan_mount__what_is_wrong_is_said_at_its_place)
{
	ob_autodone(plan_fixture) f = {0};

	ASSERT_PLAN_ERROR(&f, "FROM scratch\nRUN --mount=typ=cache,target=/c a\n", OCIB_ERR_SYNTAX,
			  2, "typ");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nARG T=cahe\nRUN --mount=type=$T,target=/c a\n",
			  OCIB_ERR_SYNTAX, 3, "cahe");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nRUN --mount=type=tmpfs,target=/a/.. a\n",
			  OCIB_ERR_SYNTAX, 2, "invalid mount target '/'");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nRUN --mount=type=cache a\n", OCIB_ERR_SYNTAX, 2,
			  "needs a target");
	ASSERT_PLAN_ERROR(&f, "FROM scratch AS a\nRUN --mount=from=a,target=/t x\n",
			  OCIB_ERR_SYNTAX, 2, "circular dependency");
	ASSERT_PLAN_ERROR(&f,
			  "FROM scratch AS a\nRUN --mount=from=b,target=/t x\nFROM scratch AS b\n"
			  "RUN --mount=from=a,target=/t x\n",
			  OCIB_ERR_SYNTAX, 4, "circular dependency");
	ASSERT_PLAN_ERROR(&f,
			  "FROM scratch AS a\nRUN --mount=from=b,target=/t x\nFROM scratch AS b\n"
			  "FROM a\n",
			  OCIB_ERR_SYNTAX, 2, "cannot mount from stage 'b' to '/t'");
	ASSERT_PLAN_ERROR(&f, "FROM scratch\nRUN --mount=from=0,target=/t x\n", OCIB_ERR_NOTFOUND,
			  2, "0");
	assert_int_equal(
		plan_try(&f, "FROM scratch\nRUN --network=none --mount=type=ssh,src=x a\n"),
		OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_column(t_err), 20);
	assert_non_null(strstr(ocib_error_excerpt(t_err), "^"));
	t_err = ocib_error_free(t_err);
}

TEST(plan_mount__ssh_sockets_are_numbered_and_the_first_is_where_ssh_looks)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f,
		"FROM scratch\nWORKDIR /w\n"
		"RUN --mount=type=ssh --mount=type=tmpfs,target=/t "
		"--mount=type=ssh,id=b,target=rel,uid=1,mode=0644,required --mount=type=ssh a\n");
	assert_string_equal(mount_of(&f, 0)->id, "default");
	assert_string_equal(mount_of(&f, 0)->target, "/run/buildkit/ssh_agent.0");
	assert_int_equal(mount_of(&f, 0)->mode, 0600);
	assert_false(mount_of(&f, 0)->required);
	assert_string_equal(mount_of(&f, 2)->id, "b");
	assert_string_equal(mount_of(&f, 2)->target, "/w/rel");
	assert_int_equal(mount_of(&f, 2)->mode, 0644);
	assert_int_equal(mount_of(&f, 2)->uid, 1);
	assert_true(mount_of(&f, 2)->required);
	assert_string_equal(mount_of(&f, 3)->target, "/run/buildkit/ssh_agent.2");
	const ob_run_op *run = &plan_step(&f, plan_target(&f)->step_count - 1)->run;
	assert_string_equal(ob_env_get(&run->env, "SSH_AUTH_SOCK"), "/run/buildkit/ssh_agent.0");
}

TEST(plan_mount__an_ssh_socket_of_ones_own_stays)
{
	ob_autodone(plan_fixture) f = {0};

	plan_ok(&f, "FROM scratch\nENV SSH_AUTH_SOCK=/mine\nRUN --mount=type=ssh a\n");
	const ob_run_op *run = &plan_step(&f, plan_target(&f)->step_count - 1)->run;
	assert_string_equal(ob_env_get(&run->env, "SSH_AUTH_SOCK"), "/mine");
}
