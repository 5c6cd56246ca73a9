/* tests/unit/test_registry_upload.c — blobs and manifests into a registry, manifests out of it,
 * plain URLs.
 */
#include <fcntl.h>
#include "fake_registry.h"
#include "registry/http_get.h"

/* ---- Uploads. ---- */

static char *uploaded;
static size_t uploaded_len;
static bool cut_first_upload;

/* Location is relative and has a query, and the upload goes to a third path. */
static bool serve_uploads(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)nth;
	(void)s;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	if (ob_str_eq(request->method, "HEAD"))
		return fake_reply(fd, 404, "", "");
	if (ob_str_eq(request->method, "POST"))
		return fake_reply(fd, 202, "Location: /elsewhere/1?_state=x%2By\r\n", "");
	if (cut_first_upload) {
		cut_first_upload = false;
		fake_write(fd, "HTTP/1.1 201 X\r\nContent-Length: 9\r\n\r\n", 38);
		return false;
	}
	uploaded = malloc(request->body_len);
	memcpy(uploaded, request->body, request->body_len);
	uploaded_len = request->body_len;
	return fake_reply(fd, 201, "", "");
}

static void check_upload(bool cut)
{
	cut_first_upload = cut;
	begin(serve_uploads);
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);
	ob_autofree char *path = ob_str_printf("%s/blob", t_temp_dir());
	ob_autofree char *target = ob_str_printf("/elsewhere/1?_state=x%%2By&digest=sha256%%3A%s",
						 ob_digest_hex(&blob.digest));
	FILE *file = fopen(path, "w");
	bool skipped = true;

	fwrite(blob_data, 1, BLOB_SIZE, file);
	fclose(file);
	ob_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_OK(ob_registry_put_blob(registry, &blob, fd, NULL, NULL, &skipped, &t_err));
	assert_false(skipped);
	assert_int_equal(uploaded_len, BLOB_SIZE);
	assert_memory_equal(uploaded, blob_data, BLOB_SIZE);
	assert_int_equal(count_requests(&server, "PUT", target), cut ? 2 : 1);
	assert_int_equal(count_requests(&server, "POST", "/blobs/uploads/"), cut ? 2 : 1);
	free(uploaded);
	end();
}

TEST(upload__to_a_relative_location_with_a_query)
{
	check_upload(false);
}

TEST(upload__begins_anew_after_a_cut)
{
	check_upload(true);
}

static bool serve_mounts(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)nth;
	(void)s;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	if (strstr(request->target, "from=team/base"))
		return fake_reply(fd, 201, "", "");
	return fake_reply(fd, 202, "Location: /session\r\n", "");
}

TEST(upload__mount_or_not)
{
	begin(serve_mounts);
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);
	bool mounted = false;

	ASSERT_OK(ob_registry_mount_blob(registry, &blob.digest, "team/base", &mounted, &t_err));
	assert_true(mounted);
	ASSERT_OK(ob_registry_mount_blob(registry, &blob.digest, "other/base", &mounted, &t_err));
	assert_false(mounted);
	assert_int_equal(count_requests(&server, "DELETE", "/session"), 1);
	end();
}

/* ---- Manifests. ---- */

static const char *manifest_digest_header = "";

static bool serve_manifest(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	char header[512];

	(void)nth;
	(void)s;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	if (strstr(request->target, "missing"))
		return fake_reply(
			fd, 404, "",
			"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"unknown\"}]}");
	snprintf(header, sizeof(header), "Content-Type: %s; charset=utf-8\r\n%s",
		 OB_MEDIA_OCI_MANIFEST, manifest_digest_header);
	return fake_reply(fd, 200, header, "{\"schemaVersion\":2}");
}

TEST(manifest__by_tag_and_by_digest)
{
	ob_digest right;

	manifest_digest_header = "";
	ob_digest_of(&right, "{\"schemaVersion\":2}", 19);
	begin(serve_manifest);
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_autofree char *type = NULL;
	ob_digest digest;

	ASSERT_OK(ob_registry_get_manifest(registry, "latest", &text, &type, &digest, &t_err));
	assert_string_equal(type, OB_MEDIA_OCI_MANIFEST);
	assert_true(ob_digest_eq(&digest, &right));
	ASSERT_OK(ob_registry_get_manifest(registry, right.text, &text, NULL, NULL, &t_err));
	ASSERT_ERROR(
		ob_registry_get_manifest(registry, blob.digest.text, &text, NULL, NULL, &t_err),
		OCIB_ERR_CORRUPT, "wanted digest");
	ASSERT_ERROR(ob_registry_get_manifest(registry, "missing", &text, NULL, NULL, &t_err),
		     OCIB_ERR_NOTFOUND, "manifest 'missing' of team/app: 404 MANIFEST_UNKNOWN");
	end();
}

static size_t late_answers;

/* A registry that does not see a blob yet, as often as asked, or finds the manifest wrong for another reason. */
static bool serve_late_blob(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)nth;
	(void)s;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	if (strstr(request->target, "wrong"))
		return fake_reply(fd, 400, "", "{\"errors\":[{\"code\":\"MANIFEST_INVALID\"}]}");
	if (late_answers) {
		late_answers--;
		return fake_reply(fd, 400, "",
				  "{\"errors\":[{\"code\":\"DIGEST_INVALID\"},"
				  "{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}");
	}
	return fake_reply(fd, 201, "", "");
}

TEST(manifest__is_put_again_where_a_blob_is_late_and_only_then)
{
	static const char type[] = "application/vnd.oci.image.manifest.v1+json";

	begin(serve_late_blob);
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);
	late_answers = 2;
	ASSERT_OK(ob_registry_put_manifest(registry, "late", type, "{}", 2, &t_err));
	assert_int_equal(count_requests(&server, "PUT", "manifests/late"), 3);
	assert_int_equal(ob_registry_put_manifest(registry, "wrong", type, "{}", 2, &t_err),
			 OCIB_ERR_PROTOCOL);
	assert_int_equal(count_requests(&server, "PUT", "manifests/wrong"), 1);
	t_err = ocib_error_free(t_err);
	end();
}

TEST(manifest__must_be_what_the_registry_says_it_is)
{
	manifest_digest_header =
		"Docker-Content-Digest: sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000\r\n";
	begin(serve_manifest);
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");

	ASSERT_ERROR(ob_registry_get_manifest(registry, "latest", &text, NULL, NULL, &t_err),
		     OCIB_ERR_CORRUPT, "wanted digest sha256:0000");
	end();
}

/* ---- Plain URLs. ---- */

static bool serve_file(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	char value[128];

	(void)nth;
	(void)s;
	if (ob_str_eq(request->target, "/gone"))
		return fake_reply(fd, 404, "", "");
	if (ob_str_eq(request->target, "/moved"))
		return fake_reply(fd, 301, "Location: /dir/file\r\n", "");
	if (fake_header(request, "If-None-Match", value, sizeof(value)) &&
	    ob_str_eq(value, "\"v1\""))
		return fake_reply(fd, 304, "ETag: \"v1\"\r\n", "");
	return fake_reply(fd, 200,
			  "ETag: \"v1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
			  "content");
}

TEST(get__a_file_with_its_validators)
{
	begin(serve_file);
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_MIB, "test");
	ob_auto(ob_writer) to = NULL;
	ob_autodone(ob_http_result) result = {0};
	ob_autodone(ob_http_result) unchanged = {0};
	char url[64];
	ob_http_request request = {.url = url, .max_size = 7};

	ASSERT_OK(ob_writer_open_buffer(&text, &to, &t_err));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/moved", server.port);
	ASSERT_OK(ob_http_get(ctx, &request, to, &result, &t_err));
	assert_string_equal(text.data, "content");
	assert_string_equal(result.etag, "\"v1\"");
	assert_int_equal(result.mtime, 784111777);
	assert_int_equal(result.size, 7);
	assert_true(ob_str_ends(result.final_url, "/dir/file"));

	request.etag = result.etag;
	ASSERT_OK(ob_http_get(ctx, &request, to, &unchanged, &t_err));
	assert_int_equal(unchanged.status, 304);

	request.etag = NULL;
	request.max_size = 6;
	ASSERT_ERROR(ob_http_get(ctx, &request, to, &unchanged, &t_err), OCIB_ERR_LIMIT, "6 bytes");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/gone", server.port);
	ASSERT_ERROR(ob_http_get(ctx, &request, to, &unchanged, &t_err), OCIB_ERR_NOTFOUND, "404");
	request.url = "ftp://x/y";
	ASSERT_ERROR(ob_http_get(ctx, &request, to, &unchanged, &t_err), OCIB_ERR_INVALID, "ftp");
	end();
}
