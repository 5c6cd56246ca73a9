/* tests/support/store_fixture.h — stores with images in them, for tests of store/ and above. Header only. */
#ifndef OB_TESTS_STORE_FIXTURE_H
#define OB_TESTS_STORE_FIXTURE_H

#include <fcntl.h>
#include <unistd.h>
#include "harness.h"
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "store/store.h"

/** A store or layout named @p name in the case's temp directory. */
static inline ob_store *fixture_store(const char *name, bool is_layout)
{
	ob_autofree char *path = ob_str_printf("%s/%s", t_temp_dir(), name);
	ob_store *store = NULL;

	assert_non_null(path);
	if (is_layout)
		ASSERT_OK(ob_layout_open(path, true, &store, &t_err));
	else
		ASSERT_OK(ocib_store_open(NULL, path, &store, &t_err));
	return store;
}

static inline void fixture_blob(ob_store *store, const char *media_type, const void *data,
				size_t len, ob_descriptor *out)
{
	*out = (ob_descriptor){.media_type = strdup(media_type), .size = len};
	assert_non_null(out->media_type);
	ASSERT_OK(ob_store_write_blob(store, data, len, &out->digest, &t_err));
	ASSERT_OK(ob_store_flush(store, &t_err));
}

/** An image of one layer with that content. */
static inline void fixture_image(ob_store *store, const char *content, ob_descriptor *out)
{
	ob_auto(ob_config) config = ob_config_new();
	ob_auto(ob_manifest) manifest = calloc(1, sizeof(*manifest));
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "test");
	ob_autodone(ob_descriptor) layer = {0};

	assert_true(config && manifest);
	ASSERT_OK(ob_platform_parse("linux/amd64", &config->platform, &t_err));
	config->created = strdup("2024-01-02T03:04:05Z");
	fixture_blob(store, OB_MEDIA_OCI_LAYER, content, strlen(content), &layer);
	assert_int_equal(ob_config_add_diff_id(config, &layer.digest), 0);
	assert_int_equal(ob_manifest_add_layer(manifest, &layer), 0);
	ASSERT_OK(ob_config_format(config, &text, &t_err));
	fixture_blob(store, OB_MEDIA_OCI_CONFIG, text.data, text.len, &manifest->config);
	ob_buffer_clear(&text);
	ASSERT_OK(ob_manifest_format(manifest, &text, &t_err));
	fixture_blob(store, OB_MEDIA_OCI_MANIFEST, text.data, text.len, out);
}

static inline void fixture_name(ob_store *store, const char *name, const ob_descriptor *image)
{
	ASSERT_OK(ob_store_set_refs(store, &name, image, 1, &t_err));
}

/** Replace a file of the store by other content, behind its back. */
static inline void fixture_overwrite(ob_store *store, const char *path, const char *text)
{
	ob_autofd int fd =
		openat(ob_store_dirfd(store), path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static inline char *fixture_blob_path(const ob_digest *digest)
{
	return ob_str_printf("blobs/sha256/%s", ob_digest_hex(digest));
}

/** A whole file of the store; malloc'ed. */
static inline char *fixture_read(ob_store *store, const char *path)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "test");
	char *out = NULL;

	ASSERT_OK(ob_read_file(ob_store_dirfd(store), path, &text, &t_err));
	ASSERT_OK(ob_buffer_finish(&text, &out, &t_err));
	return out;
}

#endif
