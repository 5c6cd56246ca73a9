/* tests/support/plan_fixture.h — a Dockerfile's text to its plan, with images that are in a store.
 *
 *   ob_autodone(plan_fixture) f = {0};
 *   plan_ok(&f, "FROM scratch\nCOPY a /\n");
 *   ASSERT_STEPS(plan_target(&f), "COPY a /");
 *
 * Options are set in f.options before. Nothing is fetched: the context is offline.
 */
#ifndef OB_TESTS_PLAN_FIXTURE_H
#define OB_TESTS_PLAN_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/strings.h"
#include "engine/plan.h"
#include "harness.h"
#include "image/reference.h"

typedef struct plan_fixture {
	char dir[128]; /* the context */
	ocib_context *ctx;
	ob_store *store;
	ob_image_sources *images;
	ob_dockerfile *dockerfile;
	ob_plan *plan;
	ob_strlist build_args;
	ob_named_context contexts[8];
	ob_plan_options options;
} plan_fixture;

static inline void plan_fixture_done(plan_fixture *f)
{
	f->plan = ob_plan_free(f->plan);
	f->dockerfile = ob_dockerfile_free(f->dockerfile);
	f->images = ob_image_sources_free(f->images);
	f->store = ocib_store_free(f->store);
	f->ctx = ocib_context_free(f->ctx);
	ob_strlist_done(&f->build_args);
}

static inline void plan_open(plan_fixture *f)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;
	char store_dir[160];

	if (f->ctx)
		return;
	options.offline = 1;
	(void)snprintf(f->dir, sizeof(f->dir), "%s/context", t_temp_dir());
	(void)snprintf(store_dir, sizeof(store_dir), "%s/store", t_temp_dir());
	assert_int_equal(mkdir(f->dir, 0755), 0);
	ASSERT_OK(ocib_context_new(&options, &f->ctx, &t_err));
	ASSERT_OK(ocib_store_open(f->ctx, store_dir, &f->store, &t_err));
	ASSERT_OK(ob_image_sources_new(f->ctx, f->store, NULL, &f->images, &t_err));
	f->options.context_dir = f->dir;
	if (!f->options.platform.os[0])
		ob_platform_host(&f->options.platform);
}

/* A file at @path relative to the temporary directory; its folder must exist. */
static inline void plan_write(plan_fixture *f, const char *path, const char *text)
{
	char full[256];

	plan_open(f);
	(void)snprintf(full, sizeof(full), "%s/%s", t_temp_dir(), path);
	ASSERT_OK(ob_write_file_atomic(AT_FDCWD, full, text, strlen(text), 0644, &t_err));
}

static inline void plan_mkdir(plan_fixture *f, const char *path)
{
	char full[256];

	plan_open(f);
	(void)snprintf(full, sizeof(full), "%s/%s", t_temp_dir(), path);
	assert_int_equal(mkdir(full, 0755), 0);
}

/* An image of which nothing but its documents is in the store; @config is the inside of its "config"
 * object, @layer the digest of its only layer or NULL. */
static inline void plan_add_image_for(plan_fixture *f, const char *name, const char *arch,
				      const char *layer, const char *config)
{
	ob_manifest manifest = {0};
	ob_descriptor descriptor = {0};
	ob_autodone(ob_reference) reference = {0};
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(65536, "manifest");
	char media_manifest[] = OB_MEDIA_OCI_MANIFEST, media_config[] = OB_MEDIA_OCI_CONFIG;
	char media_layer[] = OB_MEDIA_OCI_LAYER_GZIP;
	ob_descriptor layers[1] = {{.media_type = media_layer, .size = 1}};

	plan_open(f);
	ob_autofree char *text = ob_str_printf(
		"{\"architecture\":\"%s\",\"os\":\"linux\",\"created\":\"2020-01-01T00:00:00Z\","
		"\"docker_version\":\"1.2\",\"config\":{%s},\"history\":[{\"created\":"
		"\"2020-01-01T00:00:00Z\",\"created_by\":\"base\",\"empty_layer\":%s}],"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s%s%s]}}",
		arch, config, layer ? "false" : "true", layer ? "\"" : "", layer ? layer : "",
		layer ? "\"" : "");
	manifest.media_type = media_manifest;
	manifest.config.media_type = media_config;
	manifest.config.size = strlen(text);
	ASSERT_OK(
		ob_store_write_blob(f->store, text, strlen(text), &manifest.config.digest, &t_err));
	if (layer) {
		ASSERT_OK(ob_digest_parse(layer, &layers[0].digest, &t_err));
		manifest.layers = layers;
		manifest.layer_count = 1;
	}
	ASSERT_OK(ob_manifest_format(&manifest, &document, &t_err));
	descriptor.media_type = media_manifest;
	descriptor.size = document.len;
	ASSERT_OK(ob_store_write_blob(f->store, document.data, document.len, &descriptor.digest,
				      &t_err));
	ASSERT_OK(ob_reference_parse(name, &reference, &t_err));
	ASSERT_OK(ob_reference_default_tag(&reference, &t_err));
	ob_autofree char *full = ob_reference_format(&reference);
	const char *names[] = {full};
	ASSERT_OK(ob_store_set_refs(f->store, names, &descriptor, 1, &t_err));
}

static inline void plan_add_image(plan_fixture *f, const char *name, const char *config)
{
	ob_platform host;

	ob_platform_host(&host);
	plan_add_image_for(f, name, host.arch, NULL, config);
}

static inline void plan_arg(plan_fixture *f, const char *pair)
{
	assert_int_equal(ob_strlist_add(&f->build_args, pair), 0);
	f->options.build_args = &f->build_args;
}

static inline void plan_context(plan_fixture *f, const char *name, const char *value)
{
	union {
		const char *given;
		char *kept;
	} n = {name}, v = {value};

	f->contexts[f->options.context_count++] = (ob_named_context){n.kept, v.kept};
	f->options.contexts = f->contexts;
}

static inline ocib_errc plan_try(plan_fixture *f, const char *text)
{
	plan_open(f);
	f->plan = ob_plan_free(f->plan);
	f->dockerfile = ob_dockerfile_free(f->dockerfile);
	ASSERT_OK(ob_dockerfile_parse("Dockerfile", text, strlen(text), &f->dockerfile, &t_err));
	return ob_plan_make(f->ctx, f->images, f->dockerfile, &f->options, &f->plan, &t_err);
}

static inline void plan_ok(plan_fixture *f, const char *text)
{
	ASSERT_OK(plan_try(f, text));
}

static inline const ob_node *plan_target(const plan_fixture *f)
{
	return &f->plan->nodes[f->plan->targets[0].node];
}

static inline const ob_config *plan_config(const plan_fixture *f)
{
	return f->plan->targets[0].config;
}

static inline const ob_step *plan_step(const plan_fixture *f, size_t i)
{
	assert_true(i < plan_target(f)->step_count);
	return &plan_target(f)->steps[i];
}

static inline const ob_node *plan_node(const plan_fixture *f, const char *name)
{
	for (size_t i = 0; i < f->plan->node_count; i++)
		if (ob_str_eq(f->plan->nodes[i].name, name))
			return &f->plan->nodes[i];
	fail_msg("no node is called '%s'", name);
	return NULL;
}

static inline void plan_assert_texts(const char *what, const char *const *have, size_t count,
				     const char *const *want)
{
	size_t i = 0;

	for (; want[i]; i++) {
		if (i >= count)
			fail_msg("%s %zu: nothing, wanted '%s'", what, i, want[i]);
		if (strcmp(have[i], want[i]) != 0)
			fail_msg("%s %zu: '%s', wanted '%s'", what, i, have[i], want[i]);
	}
	if (count > i)
		fail_msg("%s %zu: '%s', wanted nothing", what, i, have[i]);
}

static inline void plan_assert_list(const ob_strlist *list, const char *const *want)
{
	plan_assert_texts("item", (const char *const *)list->items, list->len, want);
}

static inline void plan_assert_steps(const ob_node *node, const char *const *want)
{
	const char *have[64];

	for (size_t i = 0; i < node->step_count; i++)
		have[i] = node->steps[i].text;
	plan_assert_texts("step", have, node->step_count, want);
}

static inline void plan_assert_history(const ob_node *node, const char *const *want)
{
	const char *have[64];

	for (size_t i = 0; i < node->config->history_count; i++)
		have[i] = node->config->history[i].created_by;
	plan_assert_texts("history", have, node->config->history_count, want);
}

#define TEXTS(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}
#define ASSERT_LIST(list, ...)    plan_assert_list(list, TEXTS(__VA_ARGS__))
#define ASSERT_STEPS(node, ...)   plan_assert_steps(node, TEXTS(__VA_ARGS__))
#define ASSERT_HISTORY(node, ...) plan_assert_history(node, TEXTS(__VA_ARGS__))
/** Planning @p text fails with @p code, a message with @p words in it, and points at @p line_. */
#define ASSERT_PLAN_ERROR(f, text, code, line_, words)             \
	do {                                                       \
		assert_int_equal(plan_try((f), (text)), (code));   \
		assert_int_equal(ocib_error_line(t_err), (line_)); \
		ASSERT_ERROR((code), (code), (words));             \
	} while (0)

#endif
