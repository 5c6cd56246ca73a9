/* tests/unit/test_engine_image_source.c — images resolved out of stores and layouts; layer
 * indexes.
 */
#include "layer_fixture.h"
#include "store_fixture.h"
#include "engine/image_source.h"
#include "engine/source/blob_origin.h"
#include "engine/tree.h"

static ocib_context *ctx;
static ob_store *store, *layout;
static ob_image_sources *sources;
static ob_platform amd64, arm64;
static char last_warning[512];

static int keep_warning(const ocib_event *event, void *user)
{
	(void)user;
	if (event->type == OCIB_EVENT_WARNING)
		snprintf(last_warning, sizeof(last_warning), "%s", event->u.message.text);
	return 0;
}

static void begin(void)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;

	options.on_event = keep_warning;
	options.offline = 1;
	last_warning[0] = '\0';
	ASSERT_OK(ocib_context_new(&options, &ctx, &t_err));
	store = fixture_store("store", false);
	layout = fixture_store("layout", true);
	ASSERT_OK(ob_image_sources_new(ctx, store, NULL, &sources, &t_err));
	ASSERT_OK(ob_platform_parse("linux/amd64", &amd64, &t_err));
	ASSERT_OK(ob_platform_parse("linux/arm64", &arm64, &t_err));
}

static void end(void)
{
	sources = ob_image_sources_free(sources);
	(void)ocib_store_close(layout);
	(void)ocib_store_close(store);
	ctx = ocib_context_free(ctx);
}

/*
 * An image of one real layer for that platform. @p spoil may change the manifest before it is
 * written.
 */
static void make_image(ob_store *to, const ob_platform *platform,
		       void (*spoil)(ob_manifest *, ob_config *), ob_descriptor *out)
{
	ob_auto(ob_config) config = ob_config_new();
	ob_auto(ob_manifest) manifest = calloc(1, sizeof(*manifest));
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "test");
	ob_autodone(ob_buffer) blob = OB_BUFFER_INIT(OB_MIB, "test");
	ob_autodone(ob_layer_result) layer = {0};
	ob_digest ignored;

	config->platform = *platform;
	T_LAYER(&(ob_layer_writer_options){0}, &blob, &layer, "d etc",
		"f etc/passwd 0644 root:x:0:0", "f etc/shadow 0600");
	ASSERT_OK(ob_store_write_blob(to, blob.data, blob.len, &ignored, &t_err));
	assert_int_equal(ob_config_add_diff_id(config, &layer.diff_id), 0);
	assert_int_equal(ob_manifest_add_layer(manifest, &layer.descriptor), 0);
	if (spoil)
		spoil(manifest, config);
	ASSERT_OK(ob_config_format(config, &text, &t_err));
	if (!manifest->config.media_type)
		fixture_blob(to, OB_MEDIA_OCI_CONFIG, text.data, text.len, &manifest->config);
	ob_buffer_clear(&text);
	ASSERT_OK(ob_manifest_format(manifest, &text, &t_err));
	fixture_blob(to, OB_MEDIA_OCI_MANIFEST, text.data, text.len, out);
	out->has_platform = true;
	out->platform = *platform;
}

static void make_named(ob_store *to, const char *name, void (*spoil)(ob_manifest *, ob_config *))
{
	ob_autodone(ob_descriptor) image = {0};

	make_image(to, &amd64, spoil, &image);
	fixture_name(to, name, &image);
}

/* "oci:<temp>/layout" and what follows. */
static char *layout_name(const char *rest)
{
	return ob_str_printf("oci:%s/layout%s", t_temp_dir(), rest);
}

static ocib_errc resolve(const char *name, const ob_platform *platform, ob_image_source **out)
{
	return ob_image_source_resolve(sources, name, platform, false, out, &t_err);
}

static ocib_errc resolve_layout(const char *rest, const ob_platform *platform,
				ob_image_source **out)
{
	ob_autofree char *name = layout_name(rest);

	return resolve(name, platform, out);
}

/* ---- Names. ---- */

TEST(source__a_name_of_the_store)
{
	ob_image_source *image = NULL, *again = NULL;

	begin();
	make_named(store, "docker.io/library/base:latest", NULL);
	ASSERT_OK(resolve("base", &amd64, &image));
	ASSERT_OK(resolve("base", &amd64, &again));
	assert_ptr_equal(image, again);
	assert_string_equal(ob_image_source_name(image), "docker.io/library/base:latest");
	assert_null(ob_image_source_origin(image));
	assert_int_equal(ob_image_source_manifest(image)->layer_count, 1);
	ASSERT_OK(resolve(ob_image_source_digest(image)->text, &amd64, &again));
	ASSERT_OK(resolve(ob_image_source_manifest(image)->config.digest.text, &amd64, &again));
	end();
}

TEST(source__not_in_the_store_and_nobody_to_ask)
{
	ob_image_source *image = NULL;

	begin();
	ASSERT_ERROR(resolve("runtime", &amd64, &image), OCIB_ERR_NOTFOUND,
		     "'runtime' is not in the store, and no registry may be asked: offline");
	ASSERT_ERROR(resolve("docker://runtime", &amd64, &image), OCIB_ERR_DENIED, "offline");
	end();
}

TEST(source__tags_of_a_layout)
{
	ob_image_source *image = NULL;

	begin();
	make_named(layout, "one", NULL);
	ASSERT_OK(resolve_layout("", &amd64, &image)); /* the only one */
	ASSERT_OK(resolve_layout(":one", &amd64, &image));
	ASSERT_ERROR(resolve_layout(":two", &amd64, &image), OCIB_ERR_NOTFOUND, "there is 'one'");
	make_named(layout, "docker.io/library/x:two", NULL);
	ASSERT_ERROR(resolve_layout(":three", &amd64, &image), OCIB_ERR_NOTFOUND,
		     "'one', 'docker.io");
	ASSERT_OK(resolve_layout(":two", &amd64, &image));
	end();
}

/* ---- Platforms. ---- */

static void name_index(const char *name)
{
	ob_auto(ob_index) index = calloc(1, sizeof(*index));
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "test");
	ob_autodone(ob_descriptor) one = {0};
	ob_autodone(ob_descriptor) other = {0};
	ob_autodone(ob_descriptor) root = {0};
	ob_platform s390x;

	make_image(layout, &arm64, NULL, &one);
	ASSERT_OK(ob_platform_parse("linux/s390x", &s390x, &t_err));
	make_image(layout, &s390x, NULL, &other);
	index->media_type = strdup(OB_MEDIA_OCI_INDEX);
	assert_int_equal(ob_index_add(index, &one), 0);
	assert_int_equal(ob_index_add(index, &other), 0);
	ASSERT_OK(ob_index_format(index, &text, &t_err));
	fixture_blob(layout, OB_MEDIA_OCI_INDEX, text.data, text.len, &root);
	fixture_name(layout, name, &root);
}

TEST(source__the_platform_of_an_index)
{
	ob_image_source *image = NULL;

	begin();
	name_index("many");
	ASSERT_OK(resolve_layout(":many", &arm64, &image));
	assert_string_equal(ob_image_source_config(image)->platform.arch, "arm64");
	assert_string_equal(last_warning, "");
	ASSERT_ERROR(resolve_layout(":many", &amd64, &image), OCIB_ERR_NOTFOUND,
		     "no image for linux/amd64; there is linux/arm64, linux/s390x");
	end();
}

TEST(source__an_image_for_another_machine_is_used_with_a_warning)
{
	ob_autodone(ob_descriptor) root = {0};
	ob_image_source *image = NULL;

	begin();
	make_image(store, &arm64, NULL, &root);
	root.has_platform = false;
	fixture_name(store, "docker.io/library/foreign:latest", &root);
	ASSERT_OK(resolve("foreign", &amd64, &image));
	assert_non_null(strstr(last_warning, "InvalidBaseImagePlatform"));
	end();
}

/* ---- What is refused. ---- */

static void set_helm(ob_manifest *manifest, ob_config *config)
{
	(void)config;
	manifest->config.media_type = strdup("application/vnd.cncf.helm.config.v1+json");
	ob_digest_of(&manifest->config.digest, "", 0);
}

static void set_encrypted(ob_manifest *manifest, ob_config *config)
{
	(void)config;
	free(manifest->layers[0].media_type);
	manifest->layers[0].media_type = strdup("application/vnd.oci.image.layer.v1.tar+encrypted");
}

static void add_diff_id(ob_manifest *manifest, ob_config *config)
{
	ob_digest copy = config->diff_ids[0];

	(void)manifest;
	assert_int_equal(ob_config_add_diff_id(config, &copy), 0);
}

TEST(source__what_is_no_image_we_can_use)
{
	ob_image_source *image = NULL;

	begin();
	make_named(store, "docker.io/library/chart:latest", set_helm);
	make_named(store, "docker.io/library/secret:latest", set_encrypted);
	make_named(store, "docker.io/library/uneven:latest", add_diff_id);
	ASSERT_ERROR(resolve("chart", &amd64, &image), OCIB_ERR_UNSUPPORTED, "helm");
	ASSERT_ERROR(resolve("secret", &amd64, &image), OCIB_ERR_UNSUPPORTED, "encrypted");
	ASSERT_ERROR(resolve("uneven", &amd64, &image), OCIB_ERR_CORRUPT,
		     "1 layers, and a configuration for 2");
	end();
}

/* ---- Layer indexes. ---- */

static ocib_errc passwd_of(ob_image_source *image, ob_buffer *out)
{
	const ob_layer_index *index = NULL;
	ocib_errc rc = ob_image_source_layer_index(image, 0, &index, &t_err);

	if (rc)
		return rc;
	const ob_entry *entry = ob_layer_index_find(index, "etc/passwd");
	assert_non_null(entry);
	return ob_image_source_read(image, 0, entry, out, &t_err);
}

static void assert_passwd(ob_image_source *image)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_MIB, "test");

	ASSERT_OK(passwd_of(image, &text));
	assert_string_equal(text.data, "root:x:0:0");
}

TEST(layer__the_hidden_index_is_enough_and_claims_no_diff_id)
{
	ob_image_source *image = NULL;

	begin();
	make_named(layout, "x", NULL);
	ASSERT_OK(resolve_layout(":x", &amd64, &image));
	assert_passwd(image);
	/* Neither was the blob copied, nor is its author's word taken for other images. */
	assert_false(ob_store_has_blob(store, &ob_image_source_manifest(image)->layers[0].digest));
	assert_false(ob_store_has_layer_index(store, &ob_image_source_config(image)->diff_ids[0]));
	end();
}

static void drop_annotations(ob_manifest *manifest, ob_config *config)
{
	(void)config;
	ob_strlist_done(&manifest->layers[0].annotations);
}

TEST(layer__without_a_hidden_index_the_blob_is_scanned)
{
	ob_image_source *image = NULL;

	begin();
	make_named(layout, "x", drop_annotations);
	ASSERT_OK(resolve_layout(":x", &amd64, &image));
	assert_passwd(image);
	assert_true(ob_store_has_layer_index(store, &ob_image_source_config(image)->diff_ids[0]));
	end();
}

static void lie_about_index(ob_manifest *manifest, ob_config *config)
{
	(void)config;
	assert_int_equal(ob_env_set(&manifest->layers[0].annotations, OB_ANNOTATION_INDEX_DIGEST,
				    manifest->layers[0].digest.text),
			 0);
}

static void lie_about_offset(ob_manifest *manifest, ob_config *config)
{
	(void)config;
	assert_int_equal(
		ob_env_set(&manifest->layers[0].annotations, OB_ANNOTATION_INDEX_OFFSET, "0"), 0);
}

static void ask_for_the_moon(ob_manifest *manifest, ob_config *config)
{
	(void)config;
	assert_int_equal(ob_env_set(&manifest->layers[0].annotations, OB_ANNOTATION_INDEX_SIZE,
				    "18446744073709551615"),
			 0);
}

TEST(layer__a_wrong_hidden_index_is_not_used)
{
	static void (*const lies[])(ob_manifest *, ob_config *) = {
		lie_about_index, lie_about_offset, ask_for_the_moon};

	for (size_t i = 0; i < OB_ARRAY_LEN(lies); i++) {
		ob_image_source *image = NULL;
		ob_autofree char *tag = ob_str_printf(":lie%zu", i);

		begin();
		make_named(layout, tag + 1, lies[i]);
		ASSERT_OK(resolve_layout(tag, &amd64, &image));
		assert_passwd(image);
		assert_true(ob_store_has_layer_index(store,
						     &ob_image_source_config(image)->diff_ids[0]));
		end();
		(void)ob_remove_tree(AT_FDCWD, t_temp_dir(), NULL);
		(void)mkdir(t_temp_dir(), 0700);
	}
}

static void identity_of(const char *tag, uint8_t out[OB_SHA256_LEN])
{
	ob_image_source *image = NULL;
	ob_auto(ob_tree) tree = NULL;

	ASSERT_OK(resolve_layout(tag, &amd64, &image));
	ASSERT_OK(ob_tree_new_image(store, image, &tree, &t_err));
	ASSERT_OK(ob_tree_identity(tree, out, &t_err));
}

TEST(layer__who_claims_another_index_is_another_tree)
{
	uint8_t honest[OB_SHA256_LEN], liar[OB_SHA256_LEN], scanned[OB_SHA256_LEN];
	ob_image_source *image = NULL;

	begin();
	make_named(layout, "honest", NULL);
	make_named(layout, "liar", lie_about_index);
	make_named(layout, "scanned", drop_annotations);
	identity_of(":honest", honest);
	identity_of(":liar", liar);
	identity_of(":scanned", scanned);
	assert_memory_not_equal(honest, liar, sizeof(honest));
	assert_memory_not_equal(honest, scanned, sizeof(honest));
	/* An index made here is preferred to any claim, so then it is one tree. */
	ASSERT_OK(resolve_layout(":scanned", &amd64, &image));
	assert_passwd(image);
	identity_of(":honest", honest);
	identity_of(":liar", liar);
	assert_memory_equal(honest, liar, sizeof(honest));
	assert_memory_equal(honest, scanned, sizeof(honest));
	end();
}

static void claim_other_content(ob_manifest *manifest, ob_config *config)
{
	drop_annotations(manifest, config);
	ob_digest_of(&config->diff_ids[0], "of another layer", 16);
}

TEST(layer__content_that_has_not_the_diff_id_is_corrupt)
{
	const ob_layer_index *index = NULL;
	ob_image_source *image = NULL;

	begin();
	make_named(layout, "x", claim_other_content);
	ASSERT_OK(resolve_layout(":x", &amd64, &image));
	ASSERT_ERROR(ob_image_source_layer_index(image, 0, &index, &t_err), OCIB_ERR_CORRUPT,
		     ob_image_source_config(image)->diff_ids[0].text);
	assert_false(ob_store_has_layer_index(store, &ob_image_source_config(image)->diff_ids[0]));
	end();
}

TEST(layer__a_missing_blob_names_itself)
{
	ob_image_source *image = NULL;

	begin();
	make_named(store, "docker.io/library/x:latest", drop_annotations);
	ASSERT_OK(resolve("x", &amd64, &image));
	const ob_digest *digest = &ob_image_source_manifest(image)->layers[0].digest;
	ob_autofree char *path = fixture_blob_path(digest);
	assert_int_equal(unlinkat(ob_store_dirfd(store), path, 0), 0);
	ASSERT_ERROR(ob_image_source_fetch_layer(image, 0, 0, &t_err), OCIB_ERR_DENIED,
		     digest->text);
	end();
}

/* ---- Origins. ---- */

TEST(origin__the_newest_comes_first_and_nothing_twice)
{
	ob_autodone(ob_strlist) list = {0};
	ob_autodone(ob_reference) one = {0};
	ob_autodone(ob_reference) two = {0};
	ob_digest digest;

	begin();
	ob_digest_of(&digest, "x", 1);
	ASSERT_OK(ob_reference_parse("r.io/one", &one, &t_err));
	ASSERT_OK(ob_reference_parse("r.io/two", &two, &t_err));
	ob_blob_origin_add(store, &digest, &one);
	ob_blob_origin_add(store, &digest, &two);
	ob_blob_origin_add(store, &digest, &one);
	ASSERT_OK(ob_blob_origin_list(store, &digest, &list, &t_err));
	assert_int_equal(list.len, 2);
	assert_string_equal(list.items[0], "r.io/one");
	assert_string_equal(list.items[1], "r.io/two");
	end();
}
