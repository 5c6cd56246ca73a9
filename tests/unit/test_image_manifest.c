/* test_image_manifest.c — digests, descriptors, manifests and indexes. */
#include "harness.h"
#include "base/limits.h"
#include "base/strings.h"
#include "image/manifest.h"

#define EMPTY_HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EMPTY     "sha256:" EMPTY_HEX
#define CONFIG \
	"\"config\":{\"mediaType\":\"" OB_MEDIA_OCI_CONFIG "\",\"digest\":\"" EMPTY "\",\"size\":7}"
#define LAYER "{\"mediaType\":\"" OB_MEDIA_OCI_LAYER_GZIP "\",\"digest\":\"" EMPTY "\",\"size\":9}"
#define MANIFEST                                                                   \
	"{\"schemaVersion\":2,\"mediaType\":\"" OB_MEDIA_OCI_MANIFEST "\"," CONFIG \
	",\"layers\":[" LAYER "]}"
#define INDEX_START "{\"schemaVersion\":2,\"mediaType\":\"" OB_MEDIA_OCI_INDEX "\",\"manifests\":["

static ocib_errc parse(const char *text, const char *type)
{
	ob_auto(ob_manifest) m = NULL;

	return ob_manifest_parse(text, strlen(text), type, &m, &t_err);
}

TEST(digest__of_nothing_is_known)
{
	ob_digest digest, again;

	ob_digest_of(&digest, "", 0);
	assert_string_equal(digest.text, EMPTY);
	assert_string_equal(ob_digest_hex(&digest), EMPTY_HEX);
	ASSERT_OK(ob_digest_parse(EMPTY, &again, &t_err));
	assert_true(ob_digest_eq(&digest, &again));
	assert_false(ob_digest_eq(&digest, &(ob_digest){0}));
	assert_true(ob_digest_eq(&(ob_digest){0}, &(ob_digest){0}));
}

TEST(digest__texts_are_strict)
{
	static const char *const BAD[] = {
		"",
		"sha256:",
		EMPTY_HEX,
		"sha256:" EMPTY_HEX "0",
		"sha512:" EMPTY_HEX,
		"SHA256:" EMPTY_HEX,
		"sha256:E3B0C44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"sha256:../../../../../../../../../../../../../../../../../../../../../.."};

	for (size_t i = 0; i < OB_ARRAY_LEN(BAD); i++)
		ASSERT_ERROR(ob_digest_parse(BAD[i], &(ob_digest){0}, &t_err), OCIB_ERR_CORRUPT,
			     "digest");
}

TEST(chain_id__is_that_of_the_specification)
{
	ob_digest a, b, chain, expected;
	char text[2 * OB_DIGEST_TEXT_LEN + 2];

	ob_digest_of(&a, "a", 1);
	ob_digest_of(&b, "b", 1);
	ob_chain_id(NULL, &a, &chain);
	assert_true(ob_digest_eq(&chain, &a));
	ob_chain_id(&chain, &b, &chain); /* in place */
	(void)snprintf(text, sizeof(text), "%s %s", a.text, b.text);
	ob_digest_of(&expected, text, strlen(text));
	assert_true(ob_digest_eq(&chain, &expected));
}

TEST(manifest__is_written_as_it_was_read)
{
	static const char TEXT[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" OB_MEDIA_OCI_MANIFEST
		"\",\"artifactType\":\"x/y\"," CONFIG ",\"layers\":[" LAYER
		",{\"mediaType\":\"" OB_MEDIA_OCI_LAYER_ZSTD "\",\"digest\":\"" EMPTY
		"\",\"size\":0,\"annotations\":{\"a\":\"1=2\",\"b\":\"\\u003c\"},"
		"\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"},"
		"\"urls\":[\"https://x\"]}],\"annotations\":{\"k\":\"v\"}}";
	ob_auto(ob_manifest) m = NULL;
	ob_autodone(ob_buffer) out = OB_BUFFER_INIT(10000, "test");

	ASSERT_OK(ob_manifest_parse(TEXT, sizeof(TEXT) - 1, OB_MEDIA_OCI_MANIFEST, &m, &t_err));
	assert_int_equal(m->layer_count, 2);
	assert_string_equal(ob_descriptor_annotation(&m->layers[1], "a"), "1=2");
	assert_string_equal(ob_descriptor_annotation(&m->layers[1], "b"), "<");
	assert_null(ob_descriptor_annotation(&m->layers[1], "c"));
	ASSERT_OK(ob_manifest_format(m, &out, &t_err));
	assert_string_equal(out.data, TEXT);
}

TEST(manifest__null_layers_are_no_layers)
{
	ASSERT_OK(parse("{\"schemaVersion\":2," CONFIG ",\"layers\":null}", NULL));
	ASSERT_OK(parse("{\"schemaVersion\":2," CONFIG "}", "application/json"));
}

TEST(manifest__what_is_wrong_is_named)
{
	static const struct {
		const char *text, *type;
		ocib_errc code;
		const char *why;
	} CASES[] = {
		{"", NULL, OCIB_ERR_CORRUPT, "JSON"},
		{"[]", NULL, OCIB_ERR_CORRUPT, "object"},
		{"{}", NULL, OCIB_ERR_CORRUPT, "schemaVersion"},
		{"{\"schemaVersion\":1,\"fsLayers\":[]}", NULL, OCIB_ERR_UNSUPPORTED, "schema 1"},
		{"{\"schemaVersion\":2}", NULL, OCIB_ERR_CORRUPT, "config"},
		{"{\"schemaVersion\":2,\"manifests\":[]," CONFIG "}", NULL, OCIB_ERR_CORRUPT,
		 "ambiguous"},
		{MANIFEST, OB_MEDIA_DOCKER_MANIFEST, OCIB_ERR_CORRUPT, "delivered as"},
		{MANIFEST, OB_MEDIA_OCI_INDEX, OCIB_ERR_CORRUPT, "delivered as"},
		{"{\"schemaVersion\":2,\"mediaType\":\"" OB_MEDIA_OCI_INDEX "\"," CONFIG "}", NULL,
		 OCIB_ERR_CORRUPT, "media type"},
		{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"digest\":\"" EMPTY "\"}}",
		 NULL, OCIB_ERR_CORRUPT, "size"},
		{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"digest\":\"" EMPTY
		 "\",\"size\":-1}}",
		 NULL, OCIB_ERR_CORRUPT, "size"},
		{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"digest\":\"" EMPTY
		 "\",\"size\":1.5}}",
		 NULL, OCIB_ERR_CORRUPT, "size"},
		{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"digest\":\"" EMPTY
		 "\",\"size\":9000000000000000000}}",
		 NULL, OCIB_ERR_LIMIT, "limit"},
		{"{\"schemaVersion\":2,\"config\":{\"digest\":\"" EMPTY "\",\"size\":1}}", NULL,
		 OCIB_ERR_CORRUPT, "media type"},
		{"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"size\":1}}", NULL,
		 OCIB_ERR_CORRUPT, "no digest"},
		{"{\"schemaVersion\":2," CONFIG ",\"layers\":{}}", NULL, OCIB_ERR_CORRUPT,
		 "layers"},
		{"{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER ",3]}", NULL,
		 OCIB_ERR_CORRUPT, "number 2"},
		{"{\"schemaVersion\":2," CONFIG ",\"annotations\":{\"a\":1}}", NULL,
		 OCIB_ERR_CORRUPT, "annotations"},
		{"{\"schemaVersion\":2," CONFIG ",\"annotations\":{\"a=b\":\"\"}}", NULL,
		 OCIB_ERR_CORRUPT, "a=b"},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(CASES); i++)
		ASSERT_ERROR(parse(CASES[i].text, CASES[i].type), CASES[i].code, CASES[i].why);
}

TEST(manifest__number_of_layers_is_limited)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "test");

	ob_buffer_append_str(&text, "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER);
	for (size_t i = 0; i < OB_LIMIT_MANIFEST_LAYERS; i++)
		ob_buffer_append_str(&text, "," LAYER);
	ob_buffer_append_str(&text, "]}");
	ASSERT_ERROR(parse(text.data, NULL), OCIB_ERR_LIMIT, "layers");
}

TEST(document__kinds_are_told_by_type_then_shape)
{
	static const struct {
		const char *text, *type;
		int kind;
	} CASES[] = {
		{"?", OB_MEDIA_OCI_INDEX, 1},
		{"?", OB_MEDIA_DOCKER_MANIFEST, 0},
		{"?", NULL, -1},
		{"{\"mediaType\":\"" OB_MEDIA_DOCKER_INDEX "\"}", "text/plain", 1},
		{"{\"manifests\":[]}", NULL, 1},
		{"{\"config\":{},\"layers\":[]}", NULL, 0},
		{"{\"config\":{},\"manifests\":[]}", NULL, -1},
		{"{" CONFIG "}", NULL, 0},
		{"{\"config\":{\"Cmd\":[]},\"rootfs\":{}}", NULL, -1},
		{"{\"manifests\":null,\"layers\":[]}", NULL, 0},
		{"{}", NULL, -1},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(CASES); i++)
		assert_int_equal(
			ob_document_kind(CASES[i].text, strlen(CASES[i].text), CASES[i].type),
			CASES[i].kind);
}

static void add(ob_index *index, const char *platform, uint64_t size)
{
	ob_descriptor d = {.size = size, .has_platform = platform != NULL};
	char type[] = OB_MEDIA_OCI_MANIFEST;

	d.media_type = type;
	ob_digest_of(&d.digest, &size, sizeof(size));
	if (platform)
		ASSERT_OK(ob_platform_parse(platform, &d.platform, &t_err));
	assert_int_equal(ob_index_add(index, &d), 0);
}

static uint64_t found(const ob_index *index, const char *platform)
{
	ob_platform want;
	const ob_descriptor *d;

	ASSERT_OK(ob_platform_parse(platform, &want, &t_err));
	d = ob_index_find(index, &want);
	return d ? d->size : 0;
}

TEST(index__the_best_platform_is_found)
{
	ob_auto(ob_index) index = calloc(1, sizeof(*index));
	ob_auto(ob_index) again = NULL;
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(10000, "test");

	add(index, "linux/386", 1);
	add(index, "linux/amd64", 2);
	add(index, "linux/amd64", 3);
	add(index, "linux/arm/v6", 4);
	add(index, "linux/arm/v7", 5);
	add(index, "unknown/unknown", 6);
	add(index, NULL, 7);
	ASSERT_OK(ob_index_format(index, &text, &t_err));
	ASSERT_OK(ob_index_parse(text.data, text.len, NULL, &again, &t_err));
	assert_int_equal(found(again, "linux/amd64"), 2);
	assert_int_equal(found(again, "linux/arm64"), 5);
	assert_int_equal(found(again, "linux/arm/v6"), 4);
	assert_int_equal(found(again, "linux/s390x"), 0);
}

TEST(index__an_entry_without_platform_matches_only_alone)
{
	ob_auto(ob_index) index = calloc(1, sizeof(*index));

	assert_int_equal(found(index, "linux/amd64"), 0);
	add(index, NULL, 1);
	assert_int_equal(found(index, "linux/amd64"), 1);
	add(index, NULL, 2);
	assert_int_equal(found(index, "linux/amd64"), 0);
}

TEST(index__is_not_read_from_what_has_layers)
{
	static const char TEXT[] = INDEX_START "],\"layers\":[]}";
	ob_auto(ob_index) index = NULL;

	ASSERT_ERROR(ob_index_parse(TEXT, sizeof(TEXT) - 1, NULL, &index, &t_err), OCIB_ERR_CORRUPT,
		     "ambiguous");
}

TEST(media__layer_types_tell_their_compression)
{
	ob_compression c;

	assert_true(ob_media_layer_compression(OB_MEDIA_DOCKER_LAYER_GZIP, &c));
	assert_int_equal(c, OB_COMPRESSION_GZIP);
	assert_true(ob_media_layer_compression(
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", &c));
	assert_int_equal(c, OB_COMPRESSION_ZSTD);
	assert_false(ob_media_is_layer(OB_MEDIA_OCI_CONFIG));
	for (int i = OB_COMPRESSION_GZIP; i <= OB_COMPRESSION_NONE; i++) {
		assert_true(ob_media_layer_compression(ob_media_layer((ob_compression)i), &c));
		assert_int_equal(c, i);
	}
}
