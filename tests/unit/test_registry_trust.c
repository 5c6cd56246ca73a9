/* tests/unit/test_registry_trust.c — redirects and tokens: who gets to see credentials, and who
 * does not.
 */
#include "fake_registry.h"

static fake_server other;

/* ---- Redirects. ---- */

static bool serve_redirect_to_other(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	char header[256];

	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 401, "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
	snprintf(header, sizeof(header),
		 "Location: http://127.0.0.1:%d/storage?signature=s3cret\r\n", other.port);
	return fake_reply(fd, 307, header, "");
}

static bool serve_storage(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)request;
	(void)s;
	(void)nth;
	return fake_reply_data(fd, 200, "", blob_data, BLOB_SIZE);
}

static bool refuse_storage(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)request;
	(void)s;
	(void)nth;
	return fake_reply(fd, 403, "", "expired");
}

TEST(redirect__to_another_host_without_credentials)
{
	const ob_registry_options options = {.username = "user", .password = "pa55word"};
	char value[128];

	begin(serve_redirect_to_other);
	fake_start(&other, serve_storage, NULL);
	ASSERT_OK(download(&options));
	assert_got_blob();
	assert_true(fake_header(&server.log[1], "Authorization", value, sizeof(value)));
	assert_string_equal(value, "Basic dXNlcjpwYTU1d29yZA==");
	assert_int_equal(other.count, 1);
	assert_false(fake_header(&other.log[0], "Authorization", value, sizeof(value)));
	fake_stop(&other);
	end();
}

TEST(redirect__neither_password_nor_signature_in_an_error)
{
	const ob_registry_options options = {.username = "user", .password = "pa55word"};

	begin(serve_redirect_to_other);
	fake_start(&other, refuse_storage, NULL);
	assert_int_equal(download(&options), OCIB_ERR_PROTOCOL);
	assert_null(strstr(ocib_error_message(t_err), "s3cret"));
	assert_null(strstr(ocib_error_message(t_err), "pa55word"));
	assert_null(strstr(ocib_error_message(t_err), "dXNlcjpw"));
	fake_stop(&other);
	end();
}

static bool serve_loop(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	return fake_reply(fd, 302, "Location: again\r\n", "");
}

TEST(redirect__loops_end)
{
	begin(serve_loop);
	ASSERT_ERROR(download(NULL), OCIB_ERR_PROTOCOL, "redirects");
	assert_int_equal(server.count, 1 + OB_LIMIT_HTTP_REDIRECTS + 1);
	end();
}

static bool serve_bad_redirect(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	return fake_reply(fd, 302, "Location: file:///etc/passwd\r\n", "");
}

TEST(redirect__to_a_file_is_refused)
{
	begin(serve_bad_redirect);
	ASSERT_ERROR(download(NULL), OCIB_ERR_PROTOCOL, "no http URL");
	end();
}

/* ---- Tokens. ---- */

static int tokens_given;

/* Asks for Bearer; takes "Bearer token-N" with the newest N; /token gives them out. */
static bool serve_tokens(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	char value[256], want[64], text[256];

	(void)nth;
	if (ob_str_starts(request->target, "/token")) {
		snprintf(text, sizeof(text), "{\"access_token\":\"token-%d\",\"expires_in\":300}",
			 ++tokens_given);
		return fake_reply(fd, 200, "", text);
	}
	snprintf(want, sizeof(want), "Bearer token-%d", tokens_given);
	bool ok = fake_header(request, "Authorization", value, sizeof(value)) &&
		  ob_str_eq(value, want);
	snprintf(
		text, sizeof(text),
		"WWW-Authenticate: Bearer realm=\"http://127.0.0.1:%d/token\",service=\"fake\"\r\n",
		s->port);
	if (!ok)
		return fake_reply(fd, 401, text, "");
	if (ob_str_eq(request->method, "HEAD"))
		return fake_reply(fd, 200, "", "");
	return fake_reply_data(fd, 200, "", blob_data, BLOB_SIZE);
}

TEST(token__is_fetched_once_and_again_when_refused)
{
	const ob_registry_options options = {.username = "user", .password = "pass"};

	tokens_given = 0;
	begin(serve_tokens);
	ob_auto(ob_registry) registry = connect_to(server.port, &options);
	char value[256];
	bool has;

	ASSERT_OK(ob_registry_has_blob(registry, &blob.digest, &has, &t_err));
	ASSERT_OK(ob_registry_has_blob(registry, &blob.digest, &has, &t_err));
	assert_int_equal(tokens_given, 1);
	tokens_given++; /* the old one counts no more */
	ASSERT_OK(ob_registry_has_blob(registry, &blob.digest, &has, &t_err));
	assert_int_equal(tokens_given, 3);
	assert_int_equal(count_requests(&server, "GET", "scope=repository%3Ateam%2Fapp%3Apull"), 2);
	assert_int_equal(count_requests(&server, "GET", "service=fake"), 2);
	for (size_t i = 0; i < server.count; i++) {
		if (!ob_str_starts(server.log[i].target, "/token"))
			continue;
		assert_true(fake_header(&server.log[i], "Authorization", value, sizeof(value)));
		assert_string_equal(value, "Basic dXNlcjpwYXNz");
	}
	end();
}

static void *ask_for_blob(void *arg)
{
	bool has;

	return ob_registry_has_blob(arg, &blob.digest, &has, NULL) ? (void *)1 : NULL;
}

TEST(token__many_threads_share_one)
{
	tokens_given = 0;
	begin(serve_tokens);
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);
	pthread_t threads[8];
	void *failed;

	for (size_t i = 0; i < OB_ARRAY_LEN(threads); i++)
		pthread_create(&threads[i], NULL, ask_for_blob, registry);
	for (size_t i = 0; i < OB_ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(tokens_given, 1);
	end();
}

static bool serve_no_tokens(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	if (ob_str_starts(request->target, "/token"))
		return fake_reply(fd, 404, "", "{\"details\":\"no such user\"}");
	return serve_tokens(s, request, nth, fd);
}

static bool serve_bad_tokens(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	if (ob_str_starts(request->target, "/token"))
		return fake_reply(fd, 200, "", "{\"token\":\"a\\r\\nX-Injected: 1\"}");
	return serve_tokens(s, request, nth, fd);
}

TEST(token__refusals_and_nonsense)
{
	begin(serve_no_tokens);
	ASSERT_ERROR(download(NULL), OCIB_ERR_PROTOCOL, "token server http://127.0.0.1");
	/* HTTP statuses of the token server say nothing about the blob. */
	end();
	begin(serve_bad_tokens);
	ASSERT_ERROR(download(NULL), OCIB_ERR_PROTOCOL, "holds no token");
	end();
}
