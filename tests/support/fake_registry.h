/* tests/support/fake_registry.h — what tests of the registry client share: a context, a blob of
 * known content, a fake server that plays the registry, and a second one elsewhere.
 */
#ifndef OB_TESTS_FAKE_REGISTRY_H
#define OB_TESTS_FAKE_REGISTRY_H

#include "fake_server.h"
#include "base/limits.h"
#include "base/strings.h"
#include "registry/registry.h"

#define BLOB_SIZE (3 * 1024 * 1024 + 17)

static ocib_context *ctx;
static char *blob_data;
static ob_descriptor blob;
static fake_server server;
static ob_buffer got; /* what a download wrote */

/* Start the registry; everything of it goes away with end(). */
static inline void begin(fake_handler handler)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;

	options.docker_config_dir = t_temp_dir();
	ASSERT_OK(ocib_context_new(&options, &ctx, &t_err));
	blob_data = malloc(BLOB_SIZE);
	for (size_t i = 0; i < BLOB_SIZE; i++)
		blob_data[i] = (char)(i * 2654435761U >> 13);
	blob = (ob_descriptor){.size = BLOB_SIZE};
	ob_digest_of(&blob.digest, blob_data, BLOB_SIZE);
	got = (ob_buffer)OB_BUFFER_INIT(64 * OB_MIB, "test");
	fake_start(&server, handler, NULL);
}

static inline void end(void)
{
	fake_stop(&server);
	free(blob_data);
	ob_buffer_done(&got);
	ctx = ocib_context_free(ctx);
}

static inline ob_registry *connect_to(int port, const ob_registry_options *options)
{
	ob_autofree char *name = ob_str_printf("127.0.0.1:%d/team/app", port);
	ob_autodone(ob_reference) ref = {0};
	ob_registry *registry = NULL;

	ASSERT_OK(ob_reference_parse(name, &ref, &t_err));
	ASSERT_OK(ob_registry_open(ctx, &ref, options, &registry, &t_err));
	return registry;
}

static inline bool is_ping(const fake_request *request)
{
	return ob_str_eq(request->target, "/v2/");
}

static inline size_t count_requests(const fake_server *s, const char *method, const char *part)
{
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++)
		count += ob_str_eq(s->log[i].method, method) && strcasestr(s->log[i].target, part);
	return count;
}

/* Downloads the blob from the fake registry into got. */
static inline ocib_errc download(const ob_registry_options *options)
{
	ob_auto(ob_registry) registry = connect_to(server.port, options);
	ob_auto(ob_writer) to = NULL;

	ASSERT_OK(ob_writer_open_buffer(&got, &to, &t_err));
	return ob_registry_get_blob(registry, &blob, to, NULL, NULL, &t_err);
}

static inline void assert_got_blob(void)
{
	assert_int_equal(got.len, BLOB_SIZE);
	assert_memory_equal(got.data, blob_data, BLOB_SIZE);
}

#endif
