/* tests/support/copy_fixture.h — one COPY, ADD or WORKDIR on a base given as text; the layer back as text.
 *
 *   ob_autodone(copy_fixture) f = {0};
 *   COPY_BASE(&f, "d etc", "f etc/passwd 0644 …");         (lines as in layer_fixture.h)
 *   copy_file(&f, "a", "hello");                           (in the context)
 *   copy_ok(&f, "COPY a /b");
 *   ASSERT_LAYER(&f, "f b 0644 0:0 hello");
 *
 * A line of a layer: type, path, mode, owner, then content or "-> target" or numbers. The layer becomes the
 * base of the next copy. "--from=s" reads the tree given by COPY_FROM.
 */
#ifndef OB_TESTS_COPY_FIXTURE_H
#define OB_TESTS_COPY_FIXTURE_H

#include <sys/sysmacros.h>
#include "engine/copy.h"
#include "layer_fixture.h"
#include "plan_fixture.h"

typedef struct copy_fixture {
	plan_fixture plan;
	ob_tree *base, *from;
	ob_strlist lines; /* of the last layer */
	ob_strlist specs;
	uint8_t digest[OB_SHA256_LEN]; /* of the last job */
	uint8_t blob_digest[OB_SHA256_LEN];
	bool has_epoch;
	int64_t epoch;
	bool defer;                    /* contents are read when they are written */
	const ob_copy_remote *remotes; /* of URLs and git repositories */
} copy_fixture;

static inline void copy_fixture_done(copy_fixture *f)
{
	f->base = ob_tree_free(f->base);
	f->from = ob_tree_free(f->from);
	ob_strlist_done(&f->lines);
	ob_strlist_done(&f->specs);
	plan_fixture_done(&f->plan);
}

static inline void copy_open(copy_fixture *f)
{
	plan_open(&f->plan);
	if (!f->base)
		ASSERT_OK(ob_tree_new_scratch(f->plan.store, &f->base, &t_err));
}

/* The tree with a layer more, whose blob goes to the store. */
static inline void copy_push(copy_fixture *f, ob_tree **tree, ob_buffer *blob,
			     ob_layer_result *result)
{
	ob_tree *child = NULL;
	ob_digest digest;

	ASSERT_OK(ob_store_write_blob(f->plan.store, blob->data, blob->len, &digest, &t_err));
	assert_string_equal(digest.text, result->descriptor.digest.text);
	ASSERT_OK(ob_tree_new_child(*tree, result, &child, &t_err));
	ob_tree_free(*tree);
	*tree = child;
}

static inline void copy_push_specs(copy_fixture *f, ob_tree **tree, const char *const *specs)
{
	const ob_layer_writer_options options = {.threads = 1};
	ob_autodone(ob_buffer) blob = OB_BUFFER_INIT(1 << 24, "blob");
	ob_autodone(ob_layer_result) result = {0};

	copy_open(f);
	if (!*tree)
		ASSERT_OK(ob_tree_new_scratch(f->plan.store, tree, &t_err));
	t_write_layer(&options, specs, &blob, &result);
	copy_push(f, tree, &blob, &result);
}
#define COPY_BASE(f, ...) copy_push_specs((f), &(f)->base, (const char *const[]){__VA_ARGS__, NULL})
#define COPY_FROM(f, ...) copy_push_specs((f), &(f)->from, (const char *const[]){__VA_ARGS__, NULL})

/* --- the context --- */

static inline char *copy_path(copy_fixture *f, const char *name)
{
	static char path[4096];

	copy_open(f);
	(void)snprintf(path, sizeof(path), "%s/%s", f->plan.dir, name);
	for (char *slash = strchr(path + strlen(f->plan.dir) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	return path;
}

#define COPY_MTIME 1600000000 /* of everything in the context */

static inline void copy_set_time(const char *path)
{
	const struct timespec times[2] = {{COPY_MTIME, 0}, {COPY_MTIME, 0}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static inline void copy_bytes(copy_fixture *f, const char *name, const void *data, size_t len)
{
	const char *path = copy_path(f, name);

	ASSERT_OK(ob_write_file_atomic(AT_FDCWD, path, data, len, 0644, &t_err));
	copy_set_time(path);
}

static inline void copy_file(copy_fixture *f, const char *name, const char *text)
{
	copy_bytes(f, name, text, strlen(text));
}

static inline void copy_mode(copy_fixture *f, const char *name, mode_t mode)
{
	assert_int_equal(chmod(copy_path(f, name), mode), 0);
}

static inline void copy_dir(copy_fixture *f, const char *name, mode_t mode)
{
	(void)mkdir(copy_path(f, name), 0755);
	copy_mode(f, name, mode);
}

static inline void copy_symlink(copy_fixture *f, const char *name, const char *target)
{
	const char *path = copy_path(f, name);

	assert_int_equal(symlink(target, path), 0);
	copy_set_time(path);
}

/* --- the step --- */

static inline void copy_describe(copy_fixture *f, const ob_layer_index *index)
{
	static const char letters[] = "fdlhcbpwo";

	ob_strlist_done(&f->lines);
	for (size_t i = 0; i < index->len; i++) {
		const ob_entry *e = &index->entries[i];
		ob_autodone(ob_buffer) line = OB_BUFFER_INIT(1 << 20, "line");

		ob_buffer_printf(&line, "%c %s", letters[e->type - OB_ENTRY_FILE],
				 *e->path ? e->path : ".");
		if (!ob_entry_is_mark(e) && e->type != OB_ENTRY_HARDLINK)
			ob_buffer_printf(&line, " %04o %u:%u", e->mode, e->uid, e->gid);
		if (e->link)
			ob_buffer_printf(&line, " -> %s", e->link);
		if (e->type == OB_ENTRY_CHAR || e->type == OB_ENTRY_BLOCK)
			ob_buffer_printf(&line, " %u,%u", e->dev_major, e->dev_minor);
		if (e->type == OB_ENTRY_FILE && e->size && e->size < 64) {
			ob_autodone(ob_buffer) content = OB_BUFFER_INIT(64, "content");
			uint8_t sum[OB_SHA256_LEN];

			ASSERT_OK(ob_tree_read_file(f->base, e->path, &content, &t_err));
			ob_sha256(content.data, content.len, sum);
			assert_true(e->has_digest);
			assert_memory_equal(sum, e->digest, sizeof(sum));
			ob_buffer_printf(&line, " %s", content.data);
		}
		for (size_t x = 0; x < e->xattr_count; x++)
			ob_buffer_printf(&line, " %s=%.*s", e->xattrs[x].name,
					 (int)e->xattrs[x].len, (const char *)e->xattrs[x].value);
		assert_int_equal(ob_strlist_add(&f->lines, line.data), 0);
	}
}

static inline ocib_errc copy_write(copy_fixture *f, ob_copy_job *job)
{
	const ob_layer_writer_options options = {
		.threads = 1,
		.clamp = f->has_epoch,
		.clamp_sec = f->epoch,
	};
	ob_autodone(ob_buffer) blob = OB_BUFFER_INIT(1 << 26, "blob");
	ob_autodone(ob_layer_result) result = {0};
	ob_auto(ob_writer) to = NULL;
	ob_auto(ob_layer_writer) writer = NULL;

	ASSERT_OK(ob_writer_open_buffer(&blob, &to, &t_err));
	ASSERT_OK(ob_layer_writer_open(&options, to, &writer, &t_err));
	ocib_errc r = ob_copy_write(f->plan.ctx, job, writer, &t_err);
	if (r)
		return r;
	ob_copy_job_digest(job, f->digest);
	ASSERT_OK(ob_layer_writer_finish(writer, &result, &t_err));
	ob_sha256(blob.data, blob.len, f->blob_digest);
	const ob_layer_index *index = result.index;
	copy_push(f, &f->base, &blob, &result);
	copy_describe(f, index);
	return OCIB_OK;
}

/* The step's input; the scan is the caller's to free. */
static inline ob_copy_input copy_input(copy_fixture *f, const char *instruction)
{
	ob_autofree char *text =
		ob_str_printf("FROM scratch AS s\nENV A=b\nFROM scratch\n%s\n", instruction);
	ob_copy_input input = {.base = f->base,
			       .store = f->plan.store,
			       .remotes = f->remotes,
			       .has_epoch = f->has_epoch,
			       .epoch = f->epoch,
			       .defer_contents = f->defer};

	plan_ok(&f->plan, text);
	input.plan = f->plan.plan;
	input.step = plan_step(&f->plan, plan_target(&f->plan)->step_count - 1);
	if (input.step->op != OB_STEP_COPY)
		return input;
	const ob_node *node = &f->plan.plan->nodes[input.step->copy.from];
	if (node->kind == OB_NODE_CONTEXT)
		ASSERT_OK(
			ob_context_scan_new(f->plan.ctx, f->plan.store, node, &input.scan, &t_err));
	else
		input.from = f->from;
	return input;
}

static inline ocib_errc copy_prepare(copy_fixture *f, const ob_copy_input *input, ob_copy_job **job)
{
	ocib_errc r = input->step->op == OB_STEP_WORKDIR
			      ? ob_workdir_prepare(f->plan.ctx, input, job, &t_err)
			      : ob_copy_prepare(f->plan.ctx, input, job, &t_err);

	if (!r)
		ob_copy_job_digest(*job, f->digest);
	return r;
}

static inline ocib_errc copy_try(copy_fixture *f, const char *instruction)
{
	ob_auto(ob_context_scan) scan = NULL;
	ob_auto(ob_copy_job) job = NULL;

	copy_open(f);
	ob_copy_input input = copy_input(f, instruction);
	scan = input.scan;
	ocib_errc r = copy_prepare(f, &input, &job);
	if (!r)
		r = copy_write(f, job);
	return r;
}

static inline void copy_ok(copy_fixture *f, const char *instruction)
{
	ASSERT_OK(copy_try(f, instruction));
}

static inline void copy_assert_layer(const copy_fixture *f, const char *const *want)
{
	plan_assert_texts("entry", (const char *const *)f->lines.items, f->lines.len, want);
}
#define ASSERT_LAYER(f, ...) copy_assert_layer((f), (const char *const[]){__VA_ARGS__, NULL})

#endif
