/* tests/unit/test_registry_download.c — blobs from registries that cut, lie, and are busy. */
#include <time.h>
#include "fake_registry.h"

static bool serve_whole(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	return fake_reply_data(fd, 200, "", blob_data, BLOB_SIZE);
}

TEST(download__whole_blob)
{
	begin(serve_whole);
	ASSERT_OK(download(NULL));
	assert_got_blob();
	end();
}

/* Each reply is cut after a megabyte; ranges are honoured. */
static bool serve_cut(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	char value[64], head[256];
	size_t begin = 0, cut;

	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	bool part = fake_header(request, "Range", value, sizeof(value));
	if (part)
		begin = strtoul(value + strlen("bytes="), NULL, 10);
	int n = snprintf(
		head, sizeof(head),
		"HTTP/1.1 %d X\r\nContent-Length: %zu\r\nContent-Range: bytes %zu-%d/%d\r\n\r\n",
		part ? 206 : 200, BLOB_SIZE - begin, begin, BLOB_SIZE - 1, BLOB_SIZE);
	fake_write(fd, head, (size_t)n);
	cut = BLOB_SIZE - begin < (1 << 20) ? BLOB_SIZE - begin : (1 << 20);
	fake_write(fd, blob_data + begin, cut);
	return false;
}

TEST(download__goes_on_by_range_after_a_cut)
{
	begin(serve_cut);
	ASSERT_OK(download(NULL));
	assert_got_blob();
	assert_int_equal(count_requests(&server, "GET", "/blobs/"), 4);
	end();
}

/* Cut once, and then the whole blob again although a range was asked for. */
static bool serve_cut_then_whole(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	if (nth > 1)
		return fake_reply_data(fd, 200, "", blob_data, BLOB_SIZE);
	fake_write(fd, "HTTP/1.1 200 X\r\nContent-Length: 3145745\r\n\r\n", 43);
	fake_write(fd, blob_data, 1000000);
	return false;
}

TEST(download__skips_what_it_has_when_the_server_starts_over)
{
	begin(serve_cut_then_whole);
	ASSERT_OK(download(NULL));
	assert_got_blob();
	end();
}

static bool serve_wrong(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	ob_autofree char *wrong = malloc(BLOB_SIZE);
	memcpy(wrong, blob_data, BLOB_SIZE);
	wrong[BLOB_SIZE / 2] ^= 1;
	return fake_reply_data(fd, 200, "", wrong, BLOB_SIZE);
}

TEST(download__wrong_digest_names_host_wanted_and_got)
{
	begin(serve_wrong);
	char host[32];

	assert_int_equal(download(NULL), OCIB_ERR_CORRUPT);
	snprintf(host, sizeof(host), "127.0.0.1:%d", server.port);
	assert_non_null(strstr(ocib_error_message(t_err), host));
	assert_non_null(strstr(ocib_error_message(t_err), blob.digest.text));
	assert_non_null(strstr(ocib_error_message(t_err), "got sha256:"));
	assert_int_equal(count_requests(&server, "GET", "/blobs/"), 1);
	end();
}

/* More than the descriptor says, without a Content-Length: endless if one reads on. */
static bool serve_too_much(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	fake_write(fd, "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n", 37);
	for (int i = 0; i < 64; i++)
		fake_write(fd, blob_data, BLOB_SIZE);
	return false;
}

static bool serve_big_length(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	fake_write(fd, "HTTP/1.1 200 X\r\nContent-Length: 99999999999\r\n\r\n", 47);
	return true;
}

static bool serve_too_little(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	return fake_reply_data(fd, 200, "", blob_data, BLOB_SIZE / 2);
}

TEST(download__too_much_ends_at_once_and_too_little_is_an_error)
{
	begin(serve_too_much);
	ASSERT_ERROR(download(NULL), OCIB_ERR_CORRUPT, "more than 3145745");
	assert_true(got.len <= BLOB_SIZE);
	end();
	begin(serve_big_length);
	ASSERT_ERROR(download(NULL), OCIB_ERR_CORRUPT, "more than");
	end();
	begin(serve_too_little);
	ASSERT_ERROR(download(NULL), OCIB_ERR_CORRUPT, "got 1572872");
	end();
}

static bool serve_range(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	char value[64], head[128];
	size_t first, last;

	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	if (!fake_header(request, "Range", value, sizeof(value)) ||
	    sscanf(value, "bytes=%zu-%zu", &first, &last) != 2)
		return fake_reply(fd, 400, "", "");
	snprintf(head, sizeof(head), "Content-Range: bytes %zu-%zu/%d\r\n", first, last, BLOB_SIZE);
	return fake_reply_data(fd, 206, head, blob_data + first, last - first + 1);
}

static ocib_errc download_part(void)
{
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);
	ocib_errc rc = ob_registry_get_blob_range(registry, &blob.digest, 1000, 500, &got, &t_err);

	assert_int_equal(ob_registry_received(registry), got.len);
	return rc;
}

TEST(download__a_part)
{
	begin(serve_range);
	ASSERT_OK(download_part());
	assert_int_equal(got.len, 500);
	assert_memory_equal(got.data, blob_data + 1000, 500);
	end();
	begin(serve_whole);
	ASSERT_ERROR(download_part(), OCIB_ERR_UNSUPPORTED, "no parts");
	assert_int_equal(got.len, 0);
	end();
}

static int cancel_at_once(uint64_t current, uint64_t total, void *arg)
{
	(void)current;
	(void)total;
	(void)arg;
	return 1;
}

TEST(download__progress_can_cancel)
{
	begin(serve_whole);
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);
	ob_auto(ob_writer) to = NULL;

	ASSERT_OK(ob_writer_open_buffer(&got, &to, &t_err));
	ASSERT_ERROR(ob_registry_get_blob(registry, &blob, to, cancel_at_once, NULL, &t_err),
		     OCIB_ERR_CANCELED, "");
	end();
}

/* Never answers the blob request. */
static bool serve_silence(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	char byte;

	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	(void)!recv(fd, &byte, 1, 0);
	return false;
}

static void *cancel_soon(void *arg)
{
	usleep(100000);
	ocib_context_cancel(arg);
	return NULL;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

TEST(download__cancel_ends_a_stalled_transfer)
{
	pthread_t thread;

	begin(serve_silence);
	int64_t start = now_ms();
	pthread_create(&thread, NULL, cancel_soon, ctx);
	ASSERT_ERROR(download(NULL), OCIB_ERR_CANCELED, "");
	pthread_join(thread, NULL);
	assert_true(now_ms() - start < 800);
	end();
}

/* ---- Failures and repetition. ---- */

TEST(failure__nobody_listens)
{
	begin(serve_whole);
	shutdown(server.fd, SHUT_RDWR);
	ASSERT_ERROR(download(NULL), OCIB_ERR_NETWORK, "127.0.0.1");
	end();
}

TEST(failure__offline_is_denied_at_once)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;

	begin(serve_whole);
	ctx = ocib_context_free(ctx);
	options.offline = 1;
	ASSERT_OK(ocib_context_new(&options, &ctx, &t_err));
	ASSERT_ERROR(download(NULL), OCIB_ERR_DENIED, "offline");
	assert_int_equal(server.count, 0);
	end();
}

static bool serve_refusal(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	return fake_reply(fd, 403, "",
			  "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"not \\u001b you\"}]}");
}

TEST(failure__refusal_shows_the_registrys_words)
{
	begin(serve_refusal);
	assert_int_equal(download(NULL), OCIB_ERR_PROTOCOL);
	assert_int_equal(ocib_error_http_status(t_err), 403);
	assert_non_null(strstr(ocib_error_message(t_err), "403 DENIED: not ? you"));
	assert_non_null(ocib_error_hint(t_err));
	end();
}

/* Busy twice, then well. */
static bool serve_busy(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	if (nth == 1)
		return fake_reply(fd, 429, "Retry-After: 1\r\n", "slow down");
	if (nth == 2)
		return fake_reply(fd, 503, "", "");
	return fake_reply_data(fd, 200, "", blob_data, BLOB_SIZE);
}

TEST(failure__busy_is_waited_for_as_told)
{
	begin(serve_busy);
	int64_t start = now_ms();
	ASSERT_OK(download(NULL));
	assert_got_blob();
	assert_true(now_ms() - start >= 1000);
	end();
}

static bool serve_busy_for_long(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	return fake_reply(fd, 429, "Retry-After: 99999\r\n", "{\"message\":\"toomanyrequests\"}");
}

TEST(failure__an_hour_is_not_waited_for)
{
	begin(serve_busy_for_long);
	ASSERT_ERROR(download(NULL), OCIB_ERR_PROTOCOL, "429 toomanyrequests");
	assert_int_equal(count_requests(&server, "GET", "/blobs/"), 1);
	end();
}

static bool serve_headers(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)s;
	(void)nth;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	fake_write(fd, "HTTP/1.1 200 X\r\n", 16);
	for (int i = 0; i < 100000; i++)
		fake_write(fd, "X-Filler: 01234567890123456789\r\n", 32);
	return false;
}

TEST(failure__endless_headers)
{
	begin(serve_headers);
	assert_true(download(NULL) != OCIB_OK);
	end();
}
