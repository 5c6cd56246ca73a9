/* test_engine_copy.c — COPY of files and directories: what the layer has, by BuildKit's rules. */
#include "copy_fixture.h"
#include <sys/xattr.h>

TEST(copy__file_to_a_new_name)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "a", "hello");
	copy_mode(&f, "a", 0640);
	copy_ok(&f, "COPY a /b");
	ASSERT_LAYER(&f, "f b 0640 0:0 hello");
}

TEST(copy__trailing_slash_makes_a_directory_and_its_parents)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "a", "hello");
	copy_ok(&f, "COPY a /x/y/");
	ASSERT_LAYER(&f, "d x 0755 0:0", "d x/y 0755 0:0", "f x/y/a 0644 0:0 hello");
}

TEST(copy__without_slash_the_name_is_the_files)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "a", "hello");
	copy_ok(&f, "COPY a /x/y");
	ASSERT_LAYER(&f, "d x 0755 0:0", "f x/y 0644 0:0 hello");
}

TEST(copy__into_an_existing_directory_which_is_left_alone)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d tmp 1777");
	copy_file(&f, "a", "hello");
	copy_ok(&f, "COPY a /tmp");
	ASSERT_LAYER(&f, "f tmp/a 0644 0:0 hello");
}

TEST(copy__directory_gives_its_contents)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "d/a", "1");
	copy_file(&f, "d/sub/b", "2");
	copy_mode(&f, "d", 0700);
	copy_mode(&f, "d/sub", 0750);
	copy_ok(&f, "COPY d /x");
	ASSERT_LAYER(&f, "d x 0755 0:0", "f x/a 0644 0:0 1", "d x/sub 0750 0:0",
		     "f x/sub/b 0644 0:0 2");
}

TEST(copy__whole_context_onto_the_root)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "a.b", "1");
	copy_file(&f, "a/c", "2");
	copy_ok(&f, "COPY . /");
	ASSERT_LAYER(&f, "d a 0755 0:0", "f a/c 0644 0:0 2", "f a.b 0644 0:0 1");
}

TEST(copy__nested_directories_get_the_sources_attributes)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d x 0711", "d x/sub 0700", "f x/sub/old 0600 o");
	copy_file(&f, "d/sub/new", "n");
	copy_mode(&f, "d/sub", 0755);
	copy_ok(&f, "COPY d /x/");
	ASSERT_LAYER(&f, "d x/sub 0755 0:0", "f x/sub/new 0644 0:0 n");
}

TEST(copy__several_sources_in_order)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "one/f", "1");
	copy_file(&f, "two/f", "2");
	copy_file(&f, "g", "3");
	copy_ok(&f, "COPY one two g /d/");
	ASSERT_LAYER(&f, "d d 0755 0:0", "f d/f 0644 0:0 2", "f d/g 0644 0:0 3");
}

TEST(copy__paths_are_clipped_to_the_context)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "a", "in");
	plan_write(&f.plan, "a", "out");
	copy_ok(&f, "COPY ../../a /x");
	ASSERT_LAYER(&f, "f x 0644 0:0 in");
	copy_ok(&f, "COPY /a/ /y");
	ASSERT_LAYER(&f, "f y 0644 0:0 in");
}

TEST(copy__links_that_are_named_are_followed_inside_the_context)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "real/file", "r");
	copy_symlink(&f, "l", "/real");
	copy_symlink(&f, "up", "../../../../real/file");
	copy_symlink(&f, "real/nested", "file");
	copy_ok(&f, "COPY l /d");
	ASSERT_LAYER(&f, "d d 0755 0:0", "f d/file 0644 0:0 r", "l d/nested 0777 0:0 -> file");
	copy_ok(&f, "COPY up /e/");
	ASSERT_LAYER(&f, "d e 0755 0:0", "f e/up 0644 0:0 r");
	copy_ok(&f, "COPY l/file /g");
	ASSERT_LAYER(&f, "f g 0644 0:0 r");
}

TEST(copy__dangling_link_that_is_named_is_missing)
{
	ob_autodone(copy_fixture) f = {0};

	copy_symlink(&f, "l", "nothing");
	ASSERT_ERROR(copy_try(&f, "COPY l /d"), OCIB_ERR_NOTFOUND, "'/l' not found");
	copy_symlink(&f, "loop", "loop");
	ASSERT_ERROR(copy_try(&f, "COPY loop /d"), OCIB_ERR_LIMIT, "symbolic links");
}

TEST(copy__destination_links_are_followed_in_the_tree)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "l bin usr/bin", "d etc", "f etc/real", "l file /etc/real", "l new etc/new",
		  "d usr", "d usr/bin");
	copy_file(&f, "a", "x");
	copy_ok(&f, "COPY a /bin/");
	ASSERT_LAYER(&f, "f usr/bin/a 0644 0:0 x");
	copy_ok(&f, "COPY a /file");
	ASSERT_LAYER(&f, "f etc/real 0644 0:0 x");
	copy_ok(&f, "COPY a /new");
	ASSERT_LAYER(&f, "f etc/new 0644 0:0 x");
}

TEST(copy__link_inside_the_destination_directory_is_replaced)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d d", "l d/a /etc/passwd");
	copy_file(&f, "a", "x");
	copy_ok(&f, "COPY a /d/");
	ASSERT_LAYER(&f, "f d/a 0644 0:0 x");
}

TEST(copy__file_over_directory_and_the_reverse_are_errors)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d d", "d d/a", "f file");
	copy_file(&f, "a", "x");
	copy_file(&f, "dir/file/x", "x");
	copy_file(&f, "dir2/x", "x");
	ASSERT_ERROR(copy_try(&f, "COPY a /d/"), OCIB_ERR_SYNTAX,
		     "cannot replace to directory /d/a");
	ASSERT_ERROR(copy_try(&f, "COPY dir2 /file"), OCIB_ERR_SYNTAX,
		     "cannot copy to non-directory: /file");
	ASSERT_ERROR(copy_try(&f, "COPY dir /"), OCIB_ERR_SYNTAX,
		     "cannot copy to non-directory: /file");
	ASSERT_ERROR(copy_try(&f, "COPY a /file/"), OCIB_ERR_SYNTAX, "is not a directory");
	assert_null(t_err);
}

TEST(copy__errors_point_at_the_source)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "start.sh", "x");
	assert_int_equal(copy_try(&f, "COPY start.sh strat.sh /"), OCIB_ERR_NOTFOUND);
	assert_int_equal(ocib_error_line(t_err), 4);
	assert_int_equal(ocib_error_column(t_err), 15);
	assert_string_equal(ocib_error_hint(t_err), "did you mean 'start.sh'?");
}

TEST(copy__missing_because_of_the_ignore_file_says_which_line)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "secret", "x");
	copy_file(&f, ".dockerignore", "# keep out\n\nsec*\n");
	assert_int_equal(copy_try(&f, "COPY secret /"), OCIB_ERR_NOTFOUND);
	assert_non_null(
		strstr(ocib_error_message(t_err), "'/secret' not found in the build context"));
	assert_string_equal(ocib_error_hint(t_err),
			    "it is there, but line 3 of .dockerignore ('sec*') excludes it");
}

TEST(wildcard__matches_by_segment_and_may_match_nothing)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "a.txt", "1");
	copy_file(&f, "b.txt", "2");
	copy_file(&f, "c.md", "3");
	copy_file(&f, "d/e.txt", "4");
	copy_file(&f, "d/f/e.txt", "5");
	copy_ok(&f, "COPY *.txt /x/");
	ASSERT_LAYER(&f, "d x 0755 0:0", "f x/a.txt 0644 0:0 1", "f x/b.txt 0644 0:0 2");
	copy_ok(&f, "COPY */*.txt /y/");
	ASSERT_LAYER(&f, "d y 0755 0:0", "f y/e.txt 0644 0:0 4");
	copy_ok(&f, "COPY *.none /z/");
	assert_int_equal(f.lines.len, 0);
	ASSERT_ERROR(copy_try(&f, "COPY none/*.txt /z/"), OCIB_ERR_NOTFOUND, "'/none' not found");
}

TEST(wildcard__matched_directories_give_their_contents_and_links_are_followed)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "d1/a", "1");
	copy_file(&f, "d2/b", "2");
	copy_symlink(&f, "d3", "d1/a");
	copy_ok(&f, "COPY d* /x/");
	ASSERT_LAYER(&f, "d x 0755 0:0", "f x/a 0644 0:0 1", "f x/b 0644 0:0 2",
		     "f x/d3 0644 0:0 1");
}

TEST(ignore__excluded_files_are_not_there_and_reincluded_ones_are)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, ".dockerignore", ".dockerignore\nout\nlogs\n!logs/keep/this\n*.tmp\n");
	copy_file(&f, "a.tmp", "x");
	copy_file(&f, "b", "1");
	copy_file(&f, "out/x", "x");
	copy_file(&f, "logs/drop", "x");
	copy_file(&f, "logs/keep/that", "x");
	copy_file(&f, "logs/keep/this", "2");
	copy_file(&f, "logs/none/x", "x");
	copy_ok(&f, "COPY . /d");
	ASSERT_LAYER(&f, "d d 0755 0:0", "f d/b 0644 0:0 1", "d d/logs 0755 0:0",
		     "d d/logs/keep 0755 0:0", "f d/logs/keep/this 0644 0:0 2");
	copy_ok(&f, "COPY logs /e");
	ASSERT_LAYER(&f, "d e 0755 0:0", "d e/keep 0755 0:0", "f e/keep/this 0644 0:0 2");
	ASSERT_ERROR(copy_try(&f, "COPY logs/none /e"), OCIB_ERR_NOTFOUND, "'/logs/none'");
	ASSERT_ERROR(copy_try(&f, "COPY out /e"), OCIB_ERR_NOTFOUND, "'/out'");
}

TEST(ignore__what_is_excluded_is_not_even_opened)
{
	ob_autodone(copy_fixture) f = {0};

	if (geteuid() == 0)
		SKIP("root opens everything");
	copy_file(&f, ".dockerignore", "closed\n.dockerignore\n");
	copy_dir(&f, "closed", 0);
	copy_file(&f, "a", "1");
	copy_ok(&f, "COPY . /d");
	ASSERT_LAYER(&f, "d d 0755 0:0", "f d/a 0644 0:0 1");
}

TEST(chown__numbers_names_and_created_parents)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d etc",
		  "f etc/group 0644 staff:x:50:", "f etc/passwd 0644 app:x:7:8:::", "d old");
	copy_file(&f, "a", "x");
	copy_ok(&f, "COPY --chown=5 a /n/");
	ASSERT_LAYER(&f, "d n 0755 5:5", "f n/a 0644 5:5 x");
	copy_ok(&f, "COPY --chown=app a /old/");
	ASSERT_LAYER(&f, "f old/a 0644 7:8 x");
	copy_ok(&f, "COPY --chown=app:staff a /m/");
	ASSERT_LAYER(&f, "d m 0755 7:50", "f m/a 0644 7:50 x");
	ASSERT_ERROR(copy_try(&f, "COPY --chown=nobody a /m/"), OCIB_ERR_NOTFOUND, "'nobody'");
}

TEST(chmod__octal_and_symbolic)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "d/run", "x");
	copy_mode(&f, "d/run", 0700);
	copy_file(&f, "d/doc", "y");
	copy_file(&f, "d/s/z", "z");
	copy_symlink(&f, "d/t", "run");
	copy_ok(&f, "COPY --chmod=4711 d /n");
	ASSERT_LAYER(&f, "d n 0711 0:0", "f n/doc 4711 0:0 y", "f n/run 4711 0:0 x",
		     "d n/s 4711 0:0", "f n/s/z 4711 0:0 z", "l n/t 0777 0:0 -> run");
	copy_ok(&f, "COPY --chmod=u=rwX,go=rX d /m");
	ASSERT_LAYER(&f, "d m 0755 0:0", "f m/doc 0644 0:0 y", "f m/run 0755 0:0 x",
		     "d m/s 0755 0:0", "f m/s/z 0644 0:0 z", "l m/t 0777 0:0 -> run");
	copy_ok(&f, "COPY --chmod=g=u,o=,u-w d/run /r");
	ASSERT_LAYER(&f, "f r 0570 0:0 x");
	copy_ok(&f, "COPY --chmod=u+s,+t d/run /s");
	ASSERT_LAYER(&f, "f s 5700 0:0 x");
}

TEST(metadata__setuid_fifo_and_times_are_kept)
{
	ob_autodone(copy_fixture) f = {0};
	char *path;

	copy_file(&f, "d/s", "x");
	copy_mode(&f, "d/s", 06755);
	path = copy_path(&f, "d/p");
	assert_int_equal(mkfifo(path, 0600), 0);
	copy_ok(&f, "COPY d /n");
	ASSERT_LAYER(&f, "d n 0755 0:0", "p n/p 0600 0:0", "f n/s 6755 0:0 x");
	const ob_layer_stack *stack = NULL;
	ASSERT_OK(ob_tree_stack(f.base, &stack, &t_err));
	assert_int_equal(ob_layer_stack_lookup(stack, "n/s").entry->mtime_sec, COPY_MTIME);
}

TEST(metadata__user_attributes_are_kept_and_count_for_the_digest)
{
	ob_autodone(copy_fixture) f = {0};
	uint8_t before[OB_SHA256_LEN];

	copy_file(&f, "a", "x");
	copy_dir(&f, "d", 0755);
	copy_file(&f, "d/sub/b", "y");
	copy_ok(&f, "COPY a /b");
	memcpy(before, f.digest, sizeof(before));
	if (setxattr(copy_path(&f, "a"), "user.one", "1", 1, 0) < 0)
		SKIP("no user attributes here");
	assert_int_equal(setxattr(copy_path(&f, "d/sub"), "user.dir", "2", 1, 0), 0);
	copy_ok(&f, "COPY a /b");
	ASSERT_LAYER(&f, "f b 0644 0:0 x user.one=1");
	assert_memory_not_equal(before, f.digest, sizeof(before));
	copy_ok(&f, "COPY d /e");
	ASSERT_LAYER(&f, "d e 0755 0:0", "d e/sub 0755 0:0 user.dir=2", "f e/sub/b 0644 0:0 y");
}

TEST(hard_links__stay_links_within_one_source)
{
	ob_autodone(copy_fixture) f = {0};
	char other[4096];

	copy_file(&f, "d/b", "x");
	(void)snprintf(other, sizeof(other), "%s", copy_path(&f, "d/a"));
	assert_int_equal(link(copy_path(&f, "d/b"), other), 0);
	copy_ok(&f, "COPY d /n");
	ASSERT_LAYER(&f, "d n 0755 0:0", "f n/a 0644 0:0 x", "h n/b -> n/a");
	copy_ok(&f, "COPY d/a d/b /m/");
	ASSERT_LAYER(&f, "d m 0755 0:0", "f m/a 0644 0:0 x", "f m/b 0644 0:0 x");
	copy_file(&f, "e/a", "replaced");
	copy_ok(&f, "COPY d e /o/");
	ASSERT_LAYER(&f, "d o 0755 0:0", "f o/a 0644 0:0 replaced", "f o/b 0644 0:0 x");
}

TEST(from__owners_links_and_devices_come_along)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_FROM(&f, "d app 0750", "c app/c 1 3", "f app/f 0600 data", "h app/g app/f",
		  "f app/gone", "l app/l f");
	COPY_FROM(&f, "w app/gone");
	copy_ok(&f, "COPY --from=s /app /x");
	ASSERT_LAYER(&f, "d x 0755 0:0", "c x/c 0000 0:0 1,3", "f x/f 0600 0:0 data",
		     "h x/g -> x/f", "l x/l 0777 0:0 -> f");
	copy_ok(&f, "COPY --from=s --chown=3:4 /app/l /y");
	ASSERT_LAYER(&f, "f y 0600 3:4 data");
	ASSERT_ERROR(copy_try(&f, "COPY --from=s /app/gone /y"), OCIB_ERR_NOTFOUND,
		     "'/app/gone' not found in stage 's'");
}

TEST(from__wildcards_and_the_root)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_FROM(&f, "f a.so 0644 1", "f b.so 0644 2", "f c 0644 3", "d d", "f d/e.so 0644 4");
	copy_ok(&f, "COPY --from=s /*.so /lib/");
	ASSERT_LAYER(&f, "d lib 0755 0:0", "f lib/a.so 0644 0:0 1", "f lib/b.so 0644 0:0 2");
	copy_ok(&f, "COPY --from=s / /all");
	ASSERT_LAYER(&f, "d all 0755 0:0", "f all/a.so 0644 0:0 1", "f all/b.so 0644 0:0 2",
		     "f all/c 0644 0:0 3", "d all/d 0755 0:0", "f all/d/e.so 0644 0:0 4");
}

TEST(exclude__patterns_speak_of_paths_below_the_source)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "a.txt", "1");
	copy_file(&f, "b.c", "2");
	copy_file(&f, "d/a.txt", "3");
	copy_file(&f, "d/keep/x.txt", "4");
	copy_ok(&f, "COPY --exclude=*.txt . /x");
	ASSERT_LAYER(&f, "d x 0755 0:0", "f x/b.c 0644 0:0 2", "d x/d 0755 0:0",
		     "f x/d/a.txt 0644 0:0 3", "d x/d/keep 0755 0:0",
		     "f x/d/keep/x.txt 0644 0:0 4");
	copy_ok(&f, "COPY --exclude=d --exclude=!d/keep . /y");
	ASSERT_LAYER(&f, "d y 0755 0:0", "f y/a.txt 0644 0:0 1", "f y/b.c 0644 0:0 2",
		     "d y/d 0755 0:0", "d y/d/keep 0755 0:0", "f y/d/keep/x.txt 0644 0:0 4");
	copy_ok(&f, "COPY --exclude=**/*.txt --exclude=b.c . /z");
	ASSERT_LAYER(&f, "d z 0755 0:0", "d z/d 0755 0:0", "d z/d/keep 0755 0:0");
}

TEST(parents__keep_the_way_from_the_pivot)
{
	ob_autodone(copy_fixture) f = {0};

	copy_file(&f, "x/a.txt", "1");
	copy_file(&f, "x/y/b.txt", "2");
	copy_file(&f, "z/b.txt", "3");
	copy_mode(&f, "x", 0711);
	copy_ok(&f, "COPY --parents ./x/a.txt z/b.txt /p/");
	ASSERT_LAYER(&f, "d p 0755 0:0", "d p/x 0711 0:0", "f p/x/a.txt 0644 0:0 1",
		     "d p/z 0755 0:0", "f p/z/b.txt 0644 0:0 3");
	copy_ok(&f, "COPY --parents ./x/./y/*.txt /q/");
	ASSERT_LAYER(&f, "d q 0755 0:0", "d q/y 0755 0:0", "f q/y/b.txt 0644 0:0 2");
	copy_ok(&f, "COPY --parents **/b.txt /r/");
	ASSERT_LAYER(&f, "d r 0755 0:0", "d r/x 0711 0:0", "d r/x/y 0755 0:0",
		     "f r/x/y/b.txt 0644 0:0 2", "d r/z 0755 0:0", "f r/z/b.txt 0644 0:0 3");
	ASSERT_ERROR(copy_try(&f, "COPY --parents x/none /p/"), OCIB_ERR_NOTFOUND, "'/x/none'");
}

TEST(link__knows_nothing_of_the_base)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "l bin usr/bin", "d tmp 1777", "d usr", "d usr/bin");
	copy_file(&f, "a", "x");
	copy_ok(&f, "COPY --link a /bin/");
	ASSERT_LAYER(&f, "d bin 0755 0:0", "f bin/a 0644 0:0 x");
	copy_ok(&f, "COPY --link a /tmp/");
	ASSERT_LAYER(&f, "d tmp 0755 0:0", "f tmp/a 0644 0:0 x");
}

TEST(inline__file_has_its_name_mode_and_text)
{
	ob_autodone(copy_fixture) f = {.has_epoch = true, .epoch = 1000};

	copy_ok(&f, "COPY <<one <<two /d/\n1\none\n2\ntwo");
	ASSERT_LAYER(&f, "d d 0755 0:0", "f d/one 0644 0:0 1\n", "f d/two 0644 0:0 2\n");
	copy_ok(&f, "COPY --chmod=755 --chown=1:2 <<EOF /start.sh\n#!/bin/sh\nEOF");
	ASSERT_LAYER(&f, "f start.sh 0755 1:2 #!/bin/sh\n");
	const ob_layer_stack *stack = NULL;
	ASSERT_OK(ob_tree_stack(f.base, &stack, &t_err));
	assert_int_equal(ob_layer_stack_lookup(stack, "d/one").entry->mtime_sec, 1000);
}

TEST(workdir__makes_what_is_missing_for_the_user)
{
	ob_autodone(copy_fixture) f = {0};

	COPY_BASE(&f, "d home", "l srv home");
	copy_ok(&f, "WORKDIR /srv/app/x");
	ASSERT_LAYER(&f, "d home/app 0755 0:0", "d home/app/x 0755 0:0");
	copy_ok(&f, "WORKDIR /srv/app");
	assert_int_equal(f.lines.len, 0);
	copy_ok(&f, "USER 7:8\nWORKDIR /srv/mine");
	ASSERT_LAYER(&f, "d home/mine 0755 7:8");
	COPY_BASE(&f, "f file");
	ASSERT_ERROR(copy_try(&f, "WORKDIR /file/x"), OCIB_ERR_SYNTAX, "not a directory");
}
