/* registry/http_transfer.c — one request over one libcurl handle.
 *
 * The transfer runs in a multi handle so that the wait also watches the context's cancel
 * descriptor: Ctrl-C ends a stalled download at once. Only a 2xx body reaches the caller; the body
 * of any other reply is kept, up to its limit, for the error message. A callback's error is stored
 * and handed on as it is, whatever libcurl makes of the aborted transfer.
 *
 * Nothing here reports headers or URLs with their queries: both may hold secrets.
 */
#include "registry/http_transfer.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "registry/http_url.h"
#include "registry/sigpipe_guard.h"

/* Silence that is allowed where a body is sent: some registries copy a blob to its place before they answer. */
#define STORING_SECONDS 600L

/* One transfer under way; the callbacks' argument. */
typedef struct exchange {
	ocib_context *ctx;
	const ob_http_call *call;
	ob_http_reply *reply;
	bool replied;     /* on_reply was called */
	bool body_is_cut; /* enough of an error body was kept */
	uint64_t read;    /* bytes of the body handed to libcurl */
	ocib_errc failed; /* of a callback */
	ocib_error **err;
} exchange;

typedef struct curl_slist ob_curl_list;
static inline ob_curl_list *ob_curl_list_free(ob_curl_list *list)
{
	if (list)
		ob_curl.curl_slist_free_all(list);
	return NULL;
}
OB_DEFINE_AUTO(ob_curl_list);

const char *ob_http_method_name(ob_http_method method)
{
	static const char *const names[] = {"", "GET", "HEAD", "POST", "PUT", "DELETE"};

	return names[method];
}

void ob_http_reply_clear(ob_http_reply *reply)
{
	ob_strlist_done(&reply->headers);
	ob_buffer_clear(&reply->body);
	free(reply->url);
	reply->url = NULL;
	reply->header_bytes = 0;
	reply->status = 0;
	reply->transient = reply->not_http = false;
}

void ob_http_reply_done(ob_http_reply *reply)
{
	ob_http_reply_clear(reply);
	ob_buffer_done(&reply->body);
}

const char *ob_http_header(const ob_http_reply *reply, const char *name, size_t skip)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < reply->headers.len; i++) {
		const char *line = reply->headers.items[i];

		if (strncasecmp(line, name, len) || line[len] != ':' || skip-- > 0)
			continue;
		line += len + 1;
		return line + strspn(line, " \t");
	}
	return NULL;
}

static bool is_success(long status)
{
	return status >= 200 && status < 300;
}

/* The headers of a reply are complete: tell the caller of a success. An interim reply is none. */
static bool begin_body(exchange *x, CURL *easy)
{
	ob_curl.curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &x->reply->status);
	if (!is_success(x->reply->status) || x->replied || !x->call->on_reply)
		return true;
	x->replied = true;
	x->failed = x->call->on_reply(x->reply, x->call->arg, x->err);
	return !x->failed;
}

typedef struct callback_target {
	exchange *x;
	CURL *easy;
} callback_target;

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	callback_target *target = arg;
	exchange *x = target->x;
	size_t all = size * count, len = all;

	x->reply->header_bytes += all;
	if (x->reply->header_bytes > OB_LIMIT_HTTP_HEADERS) {
		x->failed = ob_fail(x->err, OCIB_ERR_LIMIT, "more than %ju bytes of headers",
				    (uintmax_t)OB_LIMIT_HTTP_HEADERS);
		return 0;
	}
	while (len > 0 && strchr("\r\n \t", data[len - 1]))
		len--;
	if (len > 5 && !memcmp(data, "HTTP/", 5)) {
		/* A new status line: what was before it belonged to an interim reply. */
		ob_strlist_done(&x->reply->headers);
		return all;
	}
	if (!len)
		return begin_body(x, target->easy) ? all : 0;
	if (ob_strlist_add_len(&x->reply->headers, data, len)) {
		x->failed = ob_fail_nomem(x->err);
		return 0;
	}
	return all;
}

static size_t on_write(char *data, size_t size, size_t count, void *arg)
{
	callback_target *target = arg;
	exchange *x = target->x;
	size_t len = size * count;
	ob_buffer *body = &x->reply->body;

	if (is_success(x->reply->status)) {
		if (x->call->on_data)
			x->failed = x->call->on_data(data, len, x->call->arg, x->err);
		return x->failed ? 0 : len;
	}
	size_t room = OB_LIMIT_HTTP_ERROR_BODY - body->len;
	ob_buffer_append(body, data, len < room ? len : room);
	x->body_is_cut = len > room;
	return x->body_is_cut ? 0 : len;
}

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
	exchange *x = arg;
	const ob_http_call *call = x->call;
	size_t len = size * count;

	if (len > call->size - x->read)
		len = (size_t)(call->size - x->read);
	if (call->is_file) {
		ssize_t got = ob_pread_full(call->fd, to, len, (off_t)x->read);

		if (got < 0 || (size_t)got < len) {
			x->failed =
				got < 0 ? ob_fail_errno(x->err, "read the file to upload")
					: ob_fail(x->err, OCIB_ERR_CORRUPT,
						  "the file to upload is shorter than %ju bytes",
						  (uintmax_t)call->size);
			return CURL_READFUNC_ABORT;
		}
	} else {
		memcpy(to, (const char *)call->data + x->read, len);
	}
	x->read += len;
	if (call->sent && call->sent(x->read, call->size, call->sent_arg)) {
		x->failed = ob_fail(x->err, OCIB_ERR_CANCELED, "canceled");
		return CURL_READFUNC_ABORT;
	}
	return len;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
	exchange *x = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > x->call->size)
		return CURL_SEEKFUNC_FAIL;
	x->read = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void set_method(CURL *easy, exchange *x)
{
	const ob_http_call *call = x->call;

	switch (call->method) {
	case OB_HTTP_GET: ob_curl.curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); return;
	case OB_HTTP_HEAD: ob_curl.curl_easy_setopt(easy, CURLOPT_NOBODY, 1L); return;
	case OB_HTTP_DELETE:
		ob_curl.curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
		return;
	case OB_HTTP_POST:
		ob_curl.curl_easy_setopt(easy, CURLOPT_POST, 1L);
		ob_curl.curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->size);
		ob_curl.curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->data ? call->data : "");
		return;
	case OB_HTTP_PUT:
		ob_curl.curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		ob_curl.curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->size);
		ob_curl.curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
		ob_curl.curl_easy_setopt(easy, CURLOPT_READDATA, x);
		ob_curl.curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
		ob_curl.curl_easy_setopt(easy, CURLOPT_SEEKDATA, x);
		ob_curl.curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STORING_SECONDS);
		return;
	}
}

static ocib_errc add_header(ob_curl_list **list, const char *line, ocib_error **err)
{
	if (strpbrk(line, "\r\n"))
		return ob_fail(err, OCIB_ERR_INVALID, "a line break in an HTTP header");
	ob_curl_list *longer = ob_curl.curl_slist_append(*list, line);
	if (!longer)
		return ob_fail_nomem(err);
	*list = longer;
	return OCIB_OK;
}

static ocib_errc make_headers(const ob_http_call *call, ob_curl_list **list, ocib_error **err)
{
	/*
	 * No "Expect: 100-continue": a server that ignores it would cost a second for each
	 * upload.
	 */
	ocib_errc rc = add_header(list, "Expect:", err);

	for (size_t i = 0; !rc && call->headers && i < call->headers->len; i++)
		rc = add_header(list, call->headers->items[i], err);
	if (rc || !call->authorization)
		return rc;
	ob_autofree char *line = ob_str_printf("Authorization: %s", call->authorization);
	if (!line)
		return ob_fail_nomem(err);
	rc = add_header(list, line, err);
	explicit_bzero(line, strlen(line));
	return rc;
}

static CURLcode run(const exchange *x, ob_curl_handle *handle, bool *canceled)
{
	CURLcode result = CURLE_FAILED_INIT;
	int running = 1, left;

	if (ob_curl.curl_multi_add_handle(handle->multi, handle->easy))
		return CURLE_OUT_OF_MEMORY;
	while (!ob_curl.curl_multi_perform(handle->multi, &running) && running) {
		struct curl_waitfd cancel = {.fd = ob_cancel_fd(x->ctx),
					     .events = CURL_WAIT_POLLIN};

		*canceled = ob_is_canceled(x->ctx);
		if (*canceled)
			break;
		(void)ob_curl.curl_multi_poll(handle->multi, &cancel, cancel.fd >= 0, 1000, NULL);
	}
	for (CURLMsg *message; (message = ob_curl.curl_multi_info_read(handle->multi, &left));) {
		if (message->msg == CURLMSG_DONE)
			result = message->data.result;
	}
	ob_curl.curl_multi_remove_handle(handle->multi, handle->easy);
	return result;
}

static ocib_errc fail_curl(exchange *x, CURLcode code, const char *detail, ocib_error **err)
{
	const char *text = *detail ? detail : ob_curl.curl_easy_strerror(code);

	switch (code) {
	case CURLE_OUT_OF_MEMORY: return ob_fail_nomem(err);
	case CURLE_URL_MALFORMAT: return ob_fail(err, OCIB_ERR_INVALID, "not a URL");
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		x->reply->not_http = true;
		return ob_fail(err, OCIB_ERR_PROTOCOL, "what answers is no HTTP server: %s", text);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
		x->reply->not_http = x->reply->status == 0;
		x->reply->transient = true;
		return ob_fail(err, OCIB_ERR_NETWORK, "%s", text);
	case CURLE_PEER_FAILED_VERIFICATION:
		(void)ob_fail(err, OCIB_ERR_NETWORK, "%s", text);
		ob_error_set_hint(err, "a private certificate authority is given with --ca-cert or "
				       "SSL_CERT_FILE");
		return OCIB_ERR_NETWORK;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM: return ob_fail(err, OCIB_ERR_NETWORK, "%s", text);
	default: x->reply->transient = true; return ob_fail(err, OCIB_ERR_NETWORK, "%s", text);
	}
}

static ocib_errc perform(exchange *x, ob_curl_handle *handle, ocib_error **err)
{
	char detail[CURL_ERROR_SIZE] = "";
	bool canceled = false;
	ob_sigpipe_guard guard;

	ob_curl.curl_easy_setopt(handle->easy, CURLOPT_ERRORBUFFER, detail);
	ob_sigpipe_guard_init(&guard);
	CURLcode code = run(x, handle, &canceled);
	ob_sigpipe_guard_done(&guard);
	ob_curl.curl_easy_setopt(handle->easy, CURLOPT_ERRORBUFFER, NULL);
	if (x->failed)
		return x->failed;
	if (canceled)
		return ob_check_canceled(x->ctx, err);
	ob_curl.curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &x->reply->status);
	/*
	 * A refusal that came while the body was still being sent is the reply, however the sending
	 * ended.
	 */
	bool refused = x->reply->status >= 400;
	if (code && !(code == CURLE_WRITE_ERROR && x->body_is_cut) &&
	    !(code == CURLE_SEND_ERROR && refused))
		return fail_curl(x, code, detail, err);
	return OCIB_OK;
}

ocib_errc ob_http_transfer(ocib_context *ctx, ob_curl_pool *pool, const ob_http_call *call,
			   ob_http_reply *reply, ocib_error **err)
{
	exchange x = {.ctx = ctx, .call = call, .reply = reply, .err = err};
	ob_auto(ob_curl_list) headers = NULL;
	ob_curl_handle *handle = NULL;

	ob_http_reply_clear(reply);
	if (ob_context_offline(ctx))
		return ob_fail(err, OCIB_ERR_DENIED, "offline: no network may be used");
	reply->url = strdup(call->url);
	if (!reply->url)
		return ob_fail_nomem(err);
	ocib_errc rc = make_headers(call, &headers, err);
	if (!rc)
		rc = ob_curl_pool_take(pool, &handle, err);
	if (rc)
		return rc;

	callback_target target = {&x, handle->easy};
	ob_curl.curl_easy_setopt(handle->easy, CURLOPT_URL, call->url);
	ob_curl.curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, headers);
	ob_curl.curl_easy_setopt(handle->easy, CURLOPT_HEADERFUNCTION, on_header);
	ob_curl.curl_easy_setopt(handle->easy, CURLOPT_HEADERDATA, &target);
	ob_curl.curl_easy_setopt(handle->easy, CURLOPT_WRITEFUNCTION, on_write);
	ob_curl.curl_easy_setopt(handle->easy, CURLOPT_WRITEDATA, &target);
	if (call->range)
		ob_curl.curl_easy_setopt(handle->easy, CURLOPT_RANGE, call->range);
	if (ob_url_is_loopback(call->url))
		ob_curl.curl_easy_setopt(handle->easy, CURLOPT_PROXY, "");
	set_method(handle->easy, &x);
	rc = perform(&x, handle, err);
	ob_curl_pool_give(pool, handle);
	return rc;
}
