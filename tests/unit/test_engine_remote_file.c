/* test_engine_remote_file.c — files behind URLs: what is asked of the server, what is kept, what is refused. */
#include <dirent.h>
#include "base/fds.h"
#include "engine/source/remote_file.h"
#include "fake_server.h"
#include "store_fixture.h"

#define OLD     "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define OLD_SEC 784111777
#define NOW     "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"

typedef struct fixture {
	fake_server server;
	ocib_context *ctx;
	ob_store *store;
	const char *headers, *body; /* of a reply with 200 */
	const ob_secrets *secrets;
	ob_remote_file file; /* of the last fetch */
} fixture;

static bool is_unchanged(const fixture *f, const fake_request *request)
{
	char value[128];

	if (fake_header(request, "If-None-Match", value, sizeof(value)))
		return strstr(f->headers, value) != NULL;
	return fake_header(request, "If-Modified-Since", value, sizeof(value)) &&
	       strstr(f->headers, value);
}

static bool serve(fake_server *server, const fake_request *request, size_t nth, int fd)
{
	const fixture *f = server->arg;

	(void)nth;
	if (ob_str_eq(request->target, "/loop"))
		return fake_reply(fd, 302, "Location: /loop\r\n", "");
	if (ob_str_eq(request->target, "/gone"))
		return fake_reply(fd, 404, "", "<html>");
	if (ob_str_eq(request->target, "/part"))
		return fake_reply(fd, 206, "", "part");
	if (ob_str_eq(request->target, "/liar"))
		return fake_reply(fd, 304, "", "");
	if (ob_str_eq(request->target, "/cut")) {
		static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";

		fake_write(fd, text, sizeof(text) - 1);
		return false;
	}
	if (ob_str_eq(request->target, "/chunks")) {
		static const char text[] =
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf";

		fake_write(fd, text, sizeof(text) - 1);
		return false;
	}
	if (ob_str_eq(request->target, "/huge")) {
		static const char text[] =
			"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n";

		fake_write(fd, text, sizeof(text) - 1);
		return false;
	}
	return is_unchanged(f, request) ? fake_reply(fd, 304, "", "")
					: fake_reply(fd, 200, f->headers, f->body);
}

static void begin(fixture *f)
{
	ASSERT_OK(ocib_context_new(NULL, &f->ctx, &t_err));
	f->store = fixture_store("store", false);
	f->headers = "";
	f->body = "content";
	fake_start(&f->server, serve, f);
}

static void end(fixture *f)
{
	fake_stop(&f->server);
	f->store = ocib_store_free(f->store);
	f->ctx = ocib_context_free(f->ctx);
}

static ocib_errc fetch(fixture *f, const char *path, const char *pinned)
{
	ob_autofree char *url = ob_str_printf("http://127.0.0.1:%d%s", f->server.port, path);
	ob_digest digest;

	if (pinned)
		ASSERT_OK(ob_digest_parse(pinned, &digest, &t_err));
	const ob_remote_request request = {
		.url = url, .pinned = pinned ? &digest : NULL, .secrets = f->secrets};
	return ob_remote_file_fetch(f->ctx, f->store, &request, &f->file, &t_err);
}

static size_t count_files(const fixture *f, const char *folder)
{
	ob_autofree char *path = ob_str_printf("%s/%s", ob_store_path(f->store), folder);
	ob_autodir DIR *dir = opendir(path);
	size_t count = 0;

	assert_non_null(dir);
	for (struct dirent *one; (one = readdir(dir));)
		count += one->d_name[0] != '.' && one->d_type == DT_REG;
	return count;
}

static void assert_content(const fixture *f, const char *text)
{
	ob_autodone(ob_buffer) got = OB_BUFFER_INIT(65536, "test");

	ASSERT_OK(ob_store_read_blob(f->store, &f->file.digest, &got, &t_err));
	assert_int_equal(f->file.size, strlen(text));
	assert_string_equal(got.data ? got.data : "", text);
}

TEST(remote__etag_spares_the_second_download)
{
	fixture f = {0};

	begin(&f);
	f.headers = "ETag: \"v1\"\r\n" OLD;
	ASSERT_OK(fetch(&f, "/x", NULL));
	assert_content(&f, "content");
	assert_int_equal(f.file.mtime, OLD_SEC);
	f.file = (ob_remote_file){0};
	ASSERT_OK(fetch(&f, "/x", NULL));
	assert_content(&f, "content");
	assert_int_equal(f.file.mtime, OLD_SEC);
	assert_non_null(strstr(f.server.log[1].headers, "If-None-Match: \"v1\""));
	assert_null(strstr(f.server.log[1].headers, "If-Modified-Since"));

	f.headers = "ETag: \"v2\"\r\n";
	f.body = "other";
	ASSERT_OK(fetch(&f, "/x", NULL));
	assert_content(&f, "other");
	assert_int_equal(f.file.mtime, 0);
	end(&f);
}

TEST(remote__an_old_time_is_a_validator_and_a_young_one_is_none)
{
	fixture f = {0};

	begin(&f);
	f.headers = OLD NOW;
	ASSERT_OK(fetch(&f, "/x", NULL));
	ASSERT_OK(fetch(&f, "/x", NULL));
	assert_non_null(strstr(f.server.log[1].headers, "If-Modified-Since: Sun, 06 Nov 1994"));

	f.headers = OLD "Date: Sun, 06 Nov 1994 08:50:36 GMT\r\n";
	ASSERT_OK(fetch(&f, "/young", NULL));
	f.body = "changed!";
	ASSERT_OK(fetch(&f, "/young", NULL));
	assert_content(&f, "changed!");
	end(&f);
}

TEST(remote__a_blob_that_is_gone_is_fetched_again)
{
	fixture f = {0};
	ob_autofree char *path = NULL;

	begin(&f);
	f.headers = "ETag: \"v1\"\r\n";
	ASSERT_OK(fetch(&f, "/x", NULL));
	path = ob_str_printf("%s/blobs/sha256/%s", ob_store_path(f.store),
			     ob_digest_hex(&f.file.digest));
	assert_int_equal(unlink(path), 0);
	ASSERT_OK(fetch(&f, "/x", NULL));
	assert_content(&f, "content");
	end(&f);
}

#define SUM_OF_CONTENT "sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
#define OTHER_SUM      "sha256:d0b425e00e15a0d36b9b361f02bab63563aed6cb4665083905386c55d5b679fa"

TEST(remote__what_is_pinned_is_asked_for_once)
{
	fixture f = {0};

	begin(&f);
	ASSERT_OK(fetch(&f, "/x", SUM_OF_CONTENT));
	ASSERT_OK(fetch(&f, "/x", SUM_OF_CONTENT));
	assert_content(&f, "content");
	assert_int_equal(f.server.count, 1);
	end(&f);
}

TEST(remote__another_digest_than_the_pinned_one_is_not_kept)
{
	fixture f = {0};

	begin(&f);
	f.headers = "ETag: \"v1\"\r\n";
	ASSERT_ERROR(fetch(&f, "/x?secret", OTHER_SUM), OCIB_ERR_CORRUPT, "wanted checksum");
	assert_int_equal(count_files(&f, "blobs/sha256"), 0);
	assert_int_equal(count_files(&f, "cache"), 0);
	/* Also where it was there before, under its own name. */
	ASSERT_OK(fetch(&f, "/x?secret", NULL));
	ASSERT_ERROR(fetch(&f, "/x?secret", OTHER_SUM), OCIB_ERR_CORRUPT, OTHER_SUM);
	assert_null(strstr(f.server.log[2].headers, "If-None-Match"));
	end(&f);
}

TEST(remote__errors_say_what_was_asked_for_and_keep_nothing)
{
	static const struct {
		const char *path;
		ocib_errc code;
		const char *words;
	} bad[] = {
		{"/gone?token=secret", OCIB_ERR_NOTFOUND, "/gone: 404"},
		{"/loop", OCIB_ERR_PROTOCOL, "/loop: more than 10 redirects"},
		{"/part", OCIB_ERR_PROTOCOL, "/part: 206"},
		{"/liar", OCIB_ERR_PROTOCOL, "/liar: 304"},
		{"/cut", OCIB_ERR_NETWORK, "/cut: "},
		{"/chunks", OCIB_ERR_NETWORK, "/chunks: "},
		{"/huge", OCIB_ERR_LIMIT, "/huge: more than 68719476736 bytes"},
	};
	fixture f = {0};

	begin(&f);
	for (size_t i = 0; i < OB_ARRAY_LEN(bad); i++) {
		const char *path = bad[i].path;

		if (strchr(path, '?')) /* the fake server compares whole targets */
			path = "/gone";
		assert_int_equal(fetch(&f, path, NULL), bad[i].code);
		assert_null(strstr(ocib_error_message(t_err), "secret"));
		ASSERT_ERROR(bad[i].code, bad[i].code, bad[i].words);
	}
	assert_int_equal(count_files(&f, "blobs/sha256"), 0);
	assert_int_equal(count_files(&f, "cache"), 0);
	end(&f);
}

TEST(remote__without_a_network_only_what_is_pinned_is_there)
{
	fixture f = {0};
	ocib_context_options offline = OCIB_CONTEXT_OPTIONS_INIT;

	begin(&f);
	ASSERT_OK(fetch(&f, "/x", NULL));
	f.ctx = ocib_context_free(f.ctx);
	offline.offline = 1;
	ASSERT_OK(ocib_context_new(&offline, &f.ctx, &t_err));
	ASSERT_OK(fetch(&f, "/x", SUM_OF_CONTENT));
	assert_content(&f, "content");
	ASSERT_ERROR(fetch(&f, "/x", NULL), OCIB_ERR_DENIED, "offline");
	end(&f);
}

TEST(remote__passwords_in_a_url_are_sent_and_not_shown)
{
	fixture f = {0};

	begin(&f);
	ob_autofree char *url =
		ob_str_printf("http://user:hunter2@127.0.0.1:%d/gone", f.server.port);
	const ob_remote_request request = {.url = url};
	assert_int_equal(ob_remote_file_fetch(f.ctx, f.store, &request, &f.file, &t_err),
			 OCIB_ERR_NOTFOUND);
	assert_null(strstr(ocib_error_message(t_err), "hunter2"));
	assert_non_null(strstr(f.server.log[0].headers, "Authorization: Basic dXNlcjpodW50ZXIy"));
	end(&f);
}

TEST(remote__secrets_of_the_host_are_sent_and_not_shown)
{
	static char header_id[] = "HTTP_AUTH_HEADER_127.0.0.1",
		    token_id[] = "HTTP_AUTH_TOKEN_127.0.0.1",
		    other_id[] = "HTTP_AUTH_TOKEN_localhost", header[] = "Basic aGVhZGVy\n",
		    token[] = "hunter2\r\n", lines[] = "a\nb";
	ob_secret items[] = {{header_id, header, strlen(header)}, {other_id, token, strlen(token)}},
		  tokens[] = {{header_id, header, strlen(header)},
			      {token_id, token, strlen(token)}},
		  bad[] = {{header_id, lines, strlen(lines)}};
	const ob_secrets headers = {items, 2}, both = {tokens, 2}, broken = {bad, 1};
	fixture f = {0};

	begin(&f);
	f.secrets = &headers;
	ASSERT_OK(fetch(&f, "/x", NULL));
	assert_non_null(strstr(f.server.log[0].headers, "Authorization: Basic aGVhZGVy\r\n"));
	f.secrets = &both;
	ASSERT_OK(fetch(&f, "/y", NULL));
	assert_non_null(strstr(f.server.log[1].headers, "Authorization: Bearer hunter2\r\n"));
	f.secrets = &broken;
	ASSERT_ERROR(fetch(&f, "/z", NULL), OCIB_ERR_INVALID, "not one line");
	f.secrets = &both;
	assert_int_equal(fetch(&f, "/gone", NULL), OCIB_ERR_NOTFOUND);
	assert_null(strstr(ocib_error_message(t_err), "hunter2"));
	end(&f);
}
