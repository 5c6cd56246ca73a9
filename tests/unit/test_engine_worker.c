/* test_engine_worker.c — a worker process from the engine's side: run, unpack, diff, cancel, die. */
#include "sandboxed.h"
#include <poll.h>
#include <signal.h>
#include <time.h>
#include "engine/worker/worker.h"
#include "engine/worker/worker_link.h"
#include "base/buffer.h"
#include "layer/layer_writer.h"
#include "snapshot/apply.h"

SANDBOXED_AGAIN_AS_USER(worker__everything_again_as_an_ordinary_user)

static ocib_context *make_context(void)
{
	static char path[4200];
	ocib_context *ctx = NULL;
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;
	ssize_t n = readlink("/proc/self/exe", path, 4096);

	assert_true(n > 0);
	path[n] = '\0';
	(void)snprintf(strrchr(path, '/') + 1, 64, "ocibuild-worker");
	options.worker_path = path;
	ASSERT_OK(ocib_context_new(&options, &ctx, &t_err));
	return ctx;
}

typedef struct fixture {
	ocib_context *ctx;
	ob_worker *worker;
} fixture;

static fixture begin(void)
{
	fixture f = {.ctx = make_context()};

	ASSERT_OK(ob_worker_spawn(f.ctx, t_temp_dir(), &f.worker, &t_err));
	return f;
}

static void end(fixture *f)
{
	f->worker = ob_worker_free(f->worker);
	f->ctx = ocib_context_free(f->ctx);
}

static void collect(int stream, const char *data, size_t len, void *arg)
{
	if (stream == 2)
		ob_buffer_append_str(arg, "error: ");
	ob_buffer_append(arg, data, len);
}

TEST(worker__probe_says_what_the_machine_allows)
{
	ob_probe probe = {0};

	SANDBOXED_BEGIN();
	ocib_context *ctx = make_context();
	ASSERT_OK(ob_worker_probe(ctx, t_temp_dir(), &probe, &t_err));
	assert_int_equal(probe.rung, sandboxed_rung());
	assert_true(probe.overlay);
	assert_int_equal(probe.userxattr, sandboxed_rung() == OB_RUNG_RANGES);
	assert_true(probe.facts.len > 4);
	assert_int_equal(probe.problems.len, 0);
	ob_probe_done(&probe);
	(void)ocib_context_free(ctx);
}

TEST(worker__missing_executable_says_what_to_do)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;
	ocib_context *ctx = NULL;
	ob_worker *worker = NULL;

	options.worker_path = "/nonexistent/ocibuild-worker";
	ASSERT_OK(ocib_context_new(&options, &ctx, &t_err));
	assert_int_equal(ob_worker_spawn(ctx, "/tmp", &worker, &t_err), OCIB_ERR_NOTFOUND);
	assert_non_null(strstr(ocib_error_hint(t_err), "OCIBUILD_WORKER"));
	(void)ocib_context_free(ctx);
}

TEST(worker__run_gives_output_and_status)
{
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(4096, "output");
	ob_autodone(ob_run_status) status = {0};

	SANDBOXED_BEGIN();
	fixture f = begin();
	ob_run_spec *spec = sandboxed_spec("echo out; sleep 0.1; echo err >&2; exit 3");
	assert_int_equal(ob_worker_rung(f.worker), sandboxed_rung());
	ASSERT_OK(ob_worker_run(f.worker, spec, collect, &out, &status, &t_err));
	assert_string_equal(out.data, "out\nerror: err\n");
	assert_true(status.exited);
	assert_int_equal(status.status, 3);
	ob_run_spec_free(spec);
	end(&f);
}

TEST(worker__ignores_signals_and_its_commands_do_not)
{
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(4096, "output");
	ob_autodone(ob_run_status) status = {0};

	SANDBOXED_BEGIN();
	fixture f = begin();
	ob_run_spec *spec = sandboxed_spec("grep SigIgn /proc/self/status; true");
	ASSERT_OK(ob_worker_run(f.worker, spec, collect, &out, &status, &t_err));
	assert_string_equal(out.data, "SigIgn:\t0000000000000000\n");
	ob_run_spec_free(spec);
	end(&f);
}

TEST(worker__output_of_any_size_comes_whole)
{
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(16 << 20, "output");
	ob_autodone(ob_run_status) status = {0};

	SANDBOXED_BEGIN();
	fixture f = begin();
	ob_run_spec *spec = sandboxed_spec("dd if=/dev/zero bs=1M count=8 2>/dev/null");
	ASSERT_OK(ob_worker_run(f.worker, spec, collect, &out, &status, &t_err));
	assert_true(out.len == 8 << 20);
	ob_run_spec_free(spec);
	end(&f);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void cancel_at_first_word(int stream, const char *data, size_t len, void *arg)
{
	(void)stream, (void)data, (void)len;
	ocib_context_cancel(arg);
}

TEST(worker__cancellation_kills_everything_and_the_worker_lives_on)
{
	ob_autodone(ob_run_status) status = {0};
	ob_autodone(ob_strlist) paths = {0};

	SANDBOXED_BEGIN();
	fixture f = begin();
	ob_run_spec *spec = sandboxed_spec("echo go; sleep 60 & sleep 60");
	double before = now();
	ASSERT_ERROR(ob_worker_run(f.worker, spec, cancel_at_first_word, f.ctx, &status, &t_err),
		     OCIB_ERR_CANCELED, "");
	assert_true(now() - before < 5);
	/* What was begun can still be cleared away. */
	assert_int_equal(ob_strlist_add(&paths, spec->upper), 0);
	assert_int_equal(ob_strlist_add(&paths, spec->work), 0);
	ASSERT_OK(ob_worker_remove(f.worker, &paths, &t_err));
	assert_int_equal(access(spec->work, F_OK), -1);
	ob_run_spec_free(spec);
	end(&f);
}

/* How many processes have this word in their command line, ourselves aside. */
static int count_processes(const char *word)
{
	char command[200], line[32] = "";

	(void)snprintf(command, sizeof(command),
		       "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' "
		       "| grep -o 'sleep [%c]%s' | wc -l",
		       word[0], word + 1);
	FILE *out = popen(command, "re");
	assert_non_null(out);
	assert_non_null(fgets(line, sizeof(line), out));
	(void)pclose(out);
	return atoi(line);
}

static int wait_for_processes(const char *word, int wanted)
{
	int count = -1;

	for (int i = 0; i < 100; i++) {
		const struct timespec pause = {0, 50000000};

		count = count_processes(word);
		if (count == wanted)
			break;
		(void)nanosleep(&pause, NULL);
	}
	return count;
}

/* A process of its own that runs a command until somebody kills it; *worker gets its guard's pid. */
static pid_t start_engine(const char *script)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		ob_run_status status = {0};
		ob_worker *worker = NULL;
		ocib_context *ctx = make_context();
		ob_run_spec *spec = sandboxed_spec(script);

		if (ob_worker_spawn(ctx, t_temp_dir(), &worker, NULL) == OCIB_OK)
			(void)ob_worker_run(worker, spec, cancel_at_first_word, ctx, &status, NULL);
		_exit(0);
	}
	return pid;
}

TEST(worker__killing_the_engine_leaves_nothing_running)
{
	SANDBOXED_BEGIN();
	pid_t engine = start_engine("sleep 7001 & sleep 7001");
	assert_int_equal(wait_for_processes("7001", 2), 2);
	assert_int_equal(kill(engine, SIGKILL), 0);
	(void)waitpid(engine, NULL, 0);
	assert_int_equal(wait_for_processes("7001", 0), 0);
}

TEST(worker__killing_the_guard_leaves_nothing_running)
{
	char command[128], line[32];

	SANDBOXED_BEGIN();
	pid_t engine = start_engine("sleep 7002");
	assert_int_equal(wait_for_processes("7002", 1), 1);
	(void)snprintf(command, sizeof(command), "cat /proc/%d/task/%d/children", engine, engine);
	FILE *children = popen(command, "re");
	assert_non_null(fgets(line, sizeof(line), children));
	(void)pclose(children);
	assert_int_equal(kill(atoi(line), SIGKILL), 0);
	(void)waitpid(engine, NULL, 0);
	assert_int_equal(wait_for_processes("7002", 0), 0);
}

/* A layer blob of a few entries, "f path text" and the like, in a file. */
static void write_layer(const char *name, const ob_entry *entries, const char *const *texts,
			size_t count)
{
	ob_layer_writer_options options = {.compression = OB_COMPRESSION_GZIP, .threads = 1};
	ob_layer_writer *writer = NULL;
	ob_writer *blob = NULL;
	ob_layer_result result = {0};
	int fd = open(sandboxed_path(name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	ASSERT_OK(ob_writer_open_fd(fd, &blob, &t_err));
	ASSERT_OK(ob_layer_writer_open(&options, blob, &writer, &t_err));
	for (size_t i = 0; i < count; i++) {
		ob_reader *content = NULL;
		ob_entry entry = entries[i];

		if (texts[i]) {
			entry.size = strlen(texts[i]);
			ASSERT_OK(ob_reader_open_memory(texts[i], entry.size, &content, &t_err));
		}
		ASSERT_OK(ob_layer_writer_add(writer, &entry, content, &t_err));
		(void)ob_reader_free(content);
	}
	ASSERT_OK(ob_layer_writer_finish(writer, &result, &t_err));
	ASSERT_OK(ob_writer_finish(blob, &t_err));
	(void)ob_layer_writer_free(writer);
	(void)ob_writer_free(blob);
	ob_layer_result_done(&result);
	(void)close(fd);
}

static char path_a[] = "a", path_x[] = "a/x", path_y[] = "a/y", path_b[] = "b", path_c[] = "a/c";

TEST(worker__layers_become_trees_and_runs_become_layers)
{
	static const ob_entry first[] = {
		{.path = path_a, .type = OB_ENTRY_DIR, .mode = 0755, .mtime_sec = 1000},
		{.path = path_x, .type = OB_ENTRY_FILE, .mode = 0644, .mtime_sec = 1000},
		{.path = path_y,
		 .type = OB_ENTRY_FILE,
		 .mode = 0600,
		 .uid = 1000,
		 .gid = 7,
		 .mtime_sec = 1000},
		{.path = path_b, .type = OB_ENTRY_FILE, .mode = 0644, .mtime_sec = 1000},
	};
	static const char *const first_texts[] = {NULL, "x", "y", "b"};
	static const ob_entry second[] = {
		{.path = path_c, .type = OB_ENTRY_FILE, .mode = 04755, .mtime_sec = 2000},
		{.path = path_x, .type = OB_ENTRY_WHITEOUT},
	};
	static const char *const second_texts[] = {"c", NULL};
	ob_autodone(ob_strlist) lowers = {0};
	ob_autodone(ob_layer_result) result = {0};
	ob_autodone(ob_run_status) status = {0};
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(4096, "output");
	uint64_t entries = 0;

	SANDBOXED_BEGIN();
	write_layer("one.tgz", first, first_texts, 4);
	write_layer("two.tgz", second, second_texts, 2);
	fixture f = begin();
	assert_int_equal(mkdir(sandboxed_path("temp"), 0700), 0);
	assert_int_equal(mkdir(sandboxed_path("temp2"), 0700), 0);
	ob_unpack_request unpack = {.blob = sandboxed_path("one.tgz"),
				    .target = sandboxed_path("tree1"),
				    .temp = sandboxed_path("temp"),
				    .id = "one"};
	ASSERT_OK(ob_worker_unpack(f.worker, &unpack, &t_err));
	assert_int_equal(ob_strlist_add(&lowers, sandboxed_path("tree1")), 0);
	unpack = (ob_unpack_request){.blob = sandboxed_path("two.tgz"),
				     .target = sandboxed_path("tree2"),
				     .temp = sandboxed_path("temp2"),
				     .lowers = &lowers,
				     .id = "two"};
	ASSERT_OK(ob_worker_unpack(f.worker, &unpack, &t_err));

	ob_run_spec *spec = sandboxed_spec(
		"ls /a; stat -c '%u %g %a %Y' /a/y /a/c; cat /a/c; echo n > /a/n; rm /b");
	char *base = spec->lowers.items[0];
	spec->lowers.items[0] = strdup(sandboxed_path("tree2"));
	assert_int_equal(ob_strlist_add(&spec->lowers, sandboxed_path("tree1")), 0);
	assert_int_equal(ob_strlist_take(&spec->lowers, base), 0);
	ASSERT_OK(ob_worker_run(f.worker, spec, collect, &out, &status, &t_err));
	assert_string_equal(out.data, "c\ny\n1000 7 600 1000\n0 0 4755 2000\nc");

	sandboxed_write("blob", "", 0600);
	ob_diff_request diff = {.upper = spec->upper,
				.lowers = &spec->lowers,
				.blob_path = sandboxed_path("blob"),
				.index_path = sandboxed_path("index")};
	ASSERT_OK(ob_worker_diff(f.worker, &diff, &result, &entries, &t_err));
	assert_int_equal(entries, 3); /* a, a/n, a whiteout of b */
	assert_true(ob_digest_is_set(&result.diff_id));
	assert_true(result.descriptor.size > 0);
	assert_int_equal(access(sandboxed_path("index"), R_OK), 0);
	ob_run_spec_free(spec);
	end(&f);
}

/* Everything about the files of a tree but the times of directories, sorted. */
static void list_tree(fixture *f, ob_run_spec *spec, const char *upper, const char *work,
		      ob_buffer *out)
{
	static const char script[] =
		/* The mounted hosts and resolv.conf are the run's own, with times of their own. */
		"find / -xdev ! -type d ! -path /etc/hosts ! -path /etc/resolv.conf -exec stat -c '%n %f %u %g %s %Y %h %t,%T' {} + | sort;"
		"find / -xdev -type d -exec stat -c '%n %f %u %g' {} + | sort;"
		"find / -xdev -type l -exec readlink {} \\; | sort;"
		"find / -xdev -type f -name 't[0-9no]*' -exec grep -H . {} + | sort";
	ob_run_status status = {0};

	free(spec->upper);
	free(spec->work);
	free(spec->argv.items[2]);
	spec->upper = strdup(upper);
	spec->work = strdup(work);
	spec->argv.items[2] = strdup(script);
	ASSERT_OK(ob_worker_run(f->worker, spec, collect, out, &status, &t_err));
	ob_run_status_done(&status);
}

TEST(worker__a_run_unpacked_elsewhere_is_the_same_tree)
{
	static const char prepare[] =
		"mkdir -p /a/b/c /a/d /e /deep/er; echo 1 > /a/b/t1; echo 2 > /a/b/c/t2; echo 3 > /a/d/t3;"
		"echo 4 > /t4; ln /t4 /e/t5; ln -s t4 /link; ln -s /a /linkdir; mkfifo /fifo";
	static const char change[] =
		"rm -r /a/b; mkdir /a/b; echo n > /a/b/tnew; rm -r /a/d; echo file > /a/d;"
		"rm /linkdir; mkdir /linkdir; touch /linkdir/x; chmod 4711 /t4; chown 7:8 /e;"
		"ln /e/t5 /e/t6; mv /link /moved; rm /fifo; mkfifo -m 600 /fifo2; chmod 1777 /deep/er;"
		"mv /deep/er /deep/est; dd if=/dev/zero of=/tsparse bs=1 count=1 seek=5000000 2>/dev/null;"
		"touch -d @1000000000 /a/b/told; mkdir -p /n/e/w; rm -rf /e/none; cp -a /bin/sh /tmp/;"
		"mknod /dev9 c 1 3 2>/dev/null; true";
	ob_autodone(ob_buffer) before = OB_BUFFER_INIT(1 << 20, "list");
	ob_autodone(ob_buffer) after = OB_BUFFER_INIT(1 << 20, "list");
	ob_autodone(ob_layer_result) result = {0};
	ob_run_status status = {0};
	uint64_t entries = 0;

	SANDBOXED_BEGIN();
	fixture f = begin();
	/* Two steps; the second's changes go through a layer. */
	ob_run_spec *spec = sandboxed_spec(prepare);
	ASSERT_OK(ob_worker_run(f.worker, spec, collect, &before, &status, &t_err));
	ob_run_status_done(&status);
	char *base = spec->lowers.items[0];
	spec->lowers.items[0] = strdup(spec->upper);
	assert_int_equal(ob_strlist_take(&spec->lowers, base), 0);
	free(spec->upper);
	free(spec->work);
	free(spec->argv.items[2]);
	spec->upper = strdup(sandboxed_path("run/second"));
	spec->work = strdup(sandboxed_path("run/work2"));
	spec->argv.items[2] = strdup(change);
	ASSERT_OK(ob_worker_run(f.worker, spec, collect, &before, &status, &t_err));
	ob_run_status_done(&status);
	assert_int_equal(before.len, 0);

	sandboxed_write("blob", "", 0600);
	ob_diff_request diff = {.upper = spec->upper,
				.lowers = &spec->lowers,
				.blob_path = sandboxed_path("blob"),
				.index_path = sandboxed_path("index")};
	ASSERT_OK(ob_worker_diff(f.worker, &diff, &result, &entries, &t_err));
	assert_int_equal(mkdir(sandboxed_path("temp"), 0700), 0);
	const ob_unpack_request unpack = {.blob = sandboxed_path("blob"),
					  .index = sandboxed_path("index"),
					  .target = sandboxed_path("tree"),
					  .temp = sandboxed_path("temp"),
					  .lowers = &spec->lowers,
					  .diff_id = &result.diff_id,
					  .id = "x"};
	ASSERT_OK(ob_worker_unpack(f.worker, &unpack, &t_err));

	ob_strlist lowers = spec->lowers;
	spec->lowers = (ob_strlist){0};
	for (int i = 0; i < 2; i++) {
		ob_strlist_done(&spec->lowers);
		assert_int_equal(
			ob_strlist_add(&spec->lowers, sandboxed_path(i ? "tree" : "run/second")),
			0);
		assert_int_equal(ob_strlist_copy(&spec->lowers, &lowers), 0);
		list_tree(&f, spec, sandboxed_path(i ? "run/list1" : "run/list0"),
			  sandboxed_path(i ? "run/lw1" : "run/lw0"), i ? &after : &before);
	}
	ob_strlist_done(&lowers);
	assert_true(before.len > 1000);
	size_t same = 0;
	while (before.data[same] && before.data[same] == after.data[same])
		same++;
	while (same > 0 && before.data[same - 1] != '\n')
		same--;
	if (strcmp(before.data, after.data) != 0)
		fail_msg("the trees differ at\n%.80s\n--\n%.80s", before.data + same,
			 after.data + same);
	ob_run_spec_free(spec);
	end(&f);
}

TEST(worker__damaged_layer_leaves_no_tree)
{
	SANDBOXED_BEGIN();
	sandboxed_write("bad.tgz", "this is no layer", 0644);
	fixture f = begin();
	assert_int_equal(mkdir(sandboxed_path("temp"), 0700), 0);
	const ob_unpack_request unpack = {.blob = sandboxed_path("bad.tgz"),
					  .target = sandboxed_path("tree"),
					  .temp = sandboxed_path("temp"),
					  .id = "bad"};
	assert_int_equal(ob_worker_unpack(f.worker, &unpack, &t_err), OCIB_ERR_CORRUPT);
	assert_int_equal(access(sandboxed_path("tree"), F_OK), -1);
	assert_int_equal(access(sandboxed_path("temp/tree"), F_OK), -1);
	end(&f);
}

TEST(worker__twenty_trivial_commands)
{
	ob_autodone(ob_strlist) done = {0};

	SANDBOXED_BEGIN();
	double start = now();
	fixture f = begin();
	double spawned = now();
	for (int i = 0; i < 20; i++) {
		char name[32];
		ob_run_status status = {0};
		ob_run_spec *spec = sandboxed_spec("true");

		for (size_t k = 0; k < done.len; k++)
			assert_int_equal(
				ob_strlist_add(&spec->lowers, done.items[done.len - 1 - k]), 0);
		free(spec->upper);
		free(spec->work);
		(void)snprintf(name, sizeof(name), "run/u%d", i);
		spec->upper = strdup(sandboxed_path(name));
		(void)snprintf(name, sizeof(name), "run/w%d", i);
		spec->work = strdup(sandboxed_path(name));
		ASSERT_OK(ob_worker_run(f.worker, spec, collect, NULL, &status, &t_err));
		assert_int_equal(status.status, 0);
		assert_int_equal(ob_strlist_add(&done, spec->upper), 0);
		ob_run_status_done(&status);
		ob_run_spec_free(spec);
	}
	double finished = now();
	print_message("a worker starts in %.1f ms, a trivial command takes %.2f ms\n",
		      (spawned - start) * 1e3, (finished - spawned) * 1e3 / 20);
	end(&f);
}
