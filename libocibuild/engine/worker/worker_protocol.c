/* engine/worker/worker_protocol.c — frames on the socket between the engine and a worker.
 *
 * The two ends are the same program version on the same machine, one of them our own child: the format
 * is checked for form, so that a bug ends in an error, and not defended against malice.
 */
#include "engine/worker/worker_protocol.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "base/limits.h"
#include "sandbox/json_bytes.h"

typedef struct header {
	uint32_t type;
	uint32_t len;
} header;

void ob_frame_done(ob_frame *frame)
{
	frame->body = ob_json_free(frame->body);
	for (int i = 0; i < OB_FRAME_MAX_FDS; i++) {
		ob_closep(&frame->fds[i]);
		frame->fds[i] = -1;
	}
	frame->type = (ob_frame_type)0;
}

static int send_all(int socket, const void *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = send(socket, (const char *)data + at, len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -1;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The header goes in one piece, and the descriptors with it. */
static int send_header(int socket, const header *h, const int *fds)
{
	size_t count = 0;

	struct iovec part = {.iov_len = sizeof(*h)};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(OB_FRAME_MAX_FDS * sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	header copy = *h;
	ssize_t n;

	part.iov_base = &copy;
	while (fds && count < OB_FRAME_MAX_FDS && fds[count] >= 0)
		count++;
	if (count) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
	}
	do
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(copy) ? 0 : -1;
}

ocib_errc ob_frame_send(int socket, ob_frame_type type, ob_json *body, const int *fds,
			ocib_error **err)
{
	ob_auto(ob_json) owned = body;
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_WORKER_MESSAGE, "worker message");

	if (body) {
		ocib_errc r = ob_json_dump(body, OB_JSON_COMPACT, &text, err);

		if (r < 0)
			return r;
	}
	const header h = {.type = type, .len = (uint32_t)text.len};
	if (send_header(socket, &h, fds) < 0 || send_all(socket, text.data, text.len) < 0)
		return ob_fail_errno(err, "send to the other process");
	return OCIB_OK;
}

static void take_fds(struct msghdr *message, ob_frame *frame)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(message);

	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len <= CMSG_LEN(sizeof(frame->fds)))
		memcpy(frame->fds, CMSG_DATA(cmsg), cmsg->cmsg_len - CMSG_LEN(0));
}

/* Bytes that came, 0 at the end of the stream, -1 and errno. */
static ssize_t receive_some(int socket, void *data, size_t len, ob_frame *frame)
{
	struct iovec part = {.iov_base = data, .iov_len = len};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(OB_FRAME_MAX_FDS * sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		take_fds(&message, frame);
	return n;
}

static ssize_t receive_all(int socket, void *data, size_t len, ob_frame *frame)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = receive_some(socket, (char *)data + at, len - at, frame);

		if (n < 0)
			return errno == ECONNRESET ? 0 : -1;
		if (n == 0)
			return (ssize_t)at;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

ocib_errc ob_frame_receive(int socket, ob_frame *frame, ocib_error **err)
{
	ob_autofree char *text = NULL;
	header h;
	ssize_t n = receive_all(socket, &h, sizeof(h), frame);

	if (n < 0)
		return ob_fail_errno(err, "receive from the other process");
	if (n != (ssize_t)sizeof(h))
		return OCIB_OK; /* type 0: gone */
	if (h.len > OB_LIMIT_WORKER_MESSAGE)
		return ob_fail(err, OCIB_ERR_LIMIT, "a worker message of %u bytes", h.len);
	text = malloc((size_t)h.len + 1);
	if (!text)
		return ob_fail_nomem(err);
	n = receive_all(socket, text, h.len, frame);
	if (n < 0)
		return ob_fail_errno(err, "receive from the other process");
	if (n != (ssize_t)h.len)
		return OCIB_OK;
	if (h.len) {
		ocib_errc r = ob_json_parse(text, h.len, &frame->body, err);

		if (r < 0)
			return ob_wrap(err, r, "worker message");
	}
	frame->type = (ob_frame_type)h.type;
	return OCIB_OK;
}

ob_json *ob_worker_error_to_json(const ocib_error *error)
{
	ob_json *json = ob_json_object();

	ob_json_set_int(json, "code", ocib_error_code(error));
	ob_json_set_path(json, "message", ocib_error_message(error));
	ob_json_set_path(json, "hint", ocib_error_hint(error));
	return json;
}

ocib_errc ob_worker_error_from_json(const ob_json *json, ocib_error **err)
{
	ob_autofree char *message = NULL, *hint = NULL;
	int64_t code = 0;
	ocib_errc r = ob_json_take_path(json, "message", &message, err);

	if (r == OCIB_OK)
		r = ob_json_take_path(json, "hint", &hint, err);
	if (r < 0)
		return r;
	(void)ob_json_get_i64(json, "code", &code);
	if (code >= 0 || code < OCIB_ERR_CANCELED)
		code = OCIB_ERR_SYSTEM;
	r = ob_fail(err, (ocib_errc)code, "%s", message ? message : "the worker failed");
	if (hint)
		ob_error_set_hint(err, "%s", hint);
	return r;
}

ob_json *ob_probe_to_json(const ob_probe *probe)
{
	ob_json *json = ob_json_object();

	ob_json_set_int(json, "rung", probe->rung);
	ob_json_set_bool(json, "overlay", probe->overlay);
	ob_json_set_bool(json, "userxattr", probe->userxattr);
	ob_json_set_bool(json, "network_none", probe->network_none);
	ob_json_set_paths(json, "facts", &probe->facts);
	ob_json_set_paths(json, "problems", &probe->problems);
	ob_json_set_paths(json, "remedies", &probe->remedies);
	return json;
}

ocib_errc ob_probe_from_json(const ob_json *json, ob_probe *out, ocib_error **err)
{
	ob_autodone(ob_probe) probe = {0};
	int64_t rung = 0;
	ocib_errc r = ob_json_take_paths(json, "facts", &probe.facts, err);

	if (r == OCIB_OK)
		r = ob_json_take_paths(json, "problems", &probe.problems, err);
	if (r == OCIB_OK)
		r = ob_json_take_paths(json, "remedies", &probe.remedies, err);
	if (r < 0)
		return r;
	(void)ob_json_get_i64(json, "rung", &rung);
	probe.rung = (ob_rung)rung;
	probe.overlay = ob_json_get_bool(json, "overlay");
	probe.userxattr = ob_json_get_bool(json, "userxattr");
	probe.network_none = ob_json_get_bool(json, "network_none");
	*out = probe;
	probe = (ob_probe){0};
	return OCIB_OK;
}
