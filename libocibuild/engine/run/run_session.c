/* engine/run/run_session.c — attend to a command: streams, signals, the end in time, health.
 *
 * An attendant of the worker's exchange (worker_link.h): everything here happens between two calls of
 * poll(), on the thread that waits for the command.
 */
#include "engine/run/run_session.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include "base/strings.h"
#include "engine/run/health.h"
#include "engine/run/probe_output.h"
#include "engine/worker/worker_link.h"

#define DEFAULT_STOP_SECONDS 10

typedef struct session {
	ocib_context *ctx;
	const ob_run_setup *setup;
	ob_run_streams *streams;
	int signal_fd;   /* -1: none, or at its end */
	bool is_running; /* the worker said so */
	bool is_stopping, is_killed;
	int64_t kill_at;
	ob_health health;
	ob_strlist probe_argv;
	ob_probe_output probe_output;
} session;

static void session_done(session *s)
{
	ob_strlist_done(&s->probe_argv);
	ob_probe_output_done(&s->probe_output);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tell(session *s, ocib_event_type type, const char *text)
{
	const ocib_event event = {.type = type, .u.message.text = text};

	ob_emit(s->ctx, &event);
}

/* --- the end --- */

static ocib_errc kill_command(session *s, ob_worker *worker, ocib_error **err)
{
	s->is_killed = true;
	return ob_worker_signal(worker, SIGKILL, err);
}

/* The first time it is asked, the second time it is made to. */
static ocib_errc stop_command(session *s, ob_worker *worker, int signal, ocib_error **err)
{
	uint32_t seconds = s->setup->options->stop_seconds;

	if (s->is_stopping)
		return s->is_killed ? OCIB_OK : kill_command(s, worker, err);
	s->is_stopping = true;
	s->kill_at = now_ms() + (int64_t)(seconds ? seconds : DEFAULT_STOP_SECONDS) * 1000;
	return ob_worker_signal(worker, signal, err);
}

/* Nobody is left who could end it. */
static ocib_errc hang_up(session *s, ob_worker *worker, ocib_error **err)
{
	ob_run_streams_hang_up(s->streams);
	return s->is_stopping ? OCIB_OK : stop_command(s, worker, SIGHUP, err);
}

static ocib_errc take_signal(session *s, ob_worker *worker, ocib_error **err)
{
	unsigned char number;
	ssize_t n = read(s->signal_fd, &number, 1);

	if (n <= 0) {
		if (n == 0 || (errno != EINTR && errno != EAGAIN))
			s->signal_fd = -1;
		return OCIB_OK;
	}
	switch (number) {
	case SIGINT:
	case SIGTERM: return stop_command(s, worker, s->setup->stop_signal, err);
	case SIGWINCH: ob_run_streams_resize(s->streams); return OCIB_OK;
	default: return ob_worker_signal(worker, number, err);
	}
}

/* --- health --- */

static void tell_health(session *s, const char *why)
{
	ob_autofree char *text = NULL;

	if (s->health.state == OB_HEALTH_UNHEALTHY)
		text = ob_str_printf("unhealthy: %s", why);
	tell(s, OCIB_EVENT_HEALTH, text ? text : ob_health_state_name(s->health.state));
}

static ocib_errc tick_health(session *s, ob_worker *worker, ocib_error **err)
{
	if (s->is_stopping)
		return OCIB_OK;
	switch (ob_health_tick(&s->health, now_ms())) {
	case OB_HEALTH_WAIT: break;
	case OB_HEALTH_KILL: return ob_worker_kill_probe(worker, err);
	case OB_HEALTH_PROBE: {
		int output = -1;
		ocib_errc r = ob_probe_output_open(&s->probe_output, &output, err);
		ob_autofd int end = output;

		return r < 0 ? r : ob_worker_probe_command(worker, &s->probe_argv, end, err);
	}
	}
	return OCIB_OK;
}

static void take_probed(session *s, const ob_json *body)
{
	const char *failure = ob_json_get_str(body, "failure"), *text;
	bool exited = ob_json_get_bool(body, "exited");
	ob_autofree char *why = NULL;
	int64_t status = 0;

	(void)ob_json_get_i64(body, "status", &status);
	text = ob_probe_output_finish(&s->probe_output);
	if (failure)
		why = strdup(failure);
	else if (s->health.has_timed_out)
		why = ob_str_printf("no answer in %g s", (double)s->health.timeout / 1000);
	else
		why = ob_str_printf("%s %d%s%s", exited ? "exit status" : "signal", (int)status,
				    *text ? ": " : "", text);
	if (ob_health_result(&s->health, exited && status == 0, now_ms()))
		tell_health(s, why ? why : "");
}

/* --- the attendant --- */

static void limit_timeout(int *timeout_ms, int64_t due, int64_t now)
{
	int64_t left = due > now ? due - now : 0;

	if (*timeout_ms < 0 || left < *timeout_ms)
		*timeout_ms = left < INT32_MAX ? (int)left : INT32_MAX;
}

enum { WATCH_SIGNAL = OB_RUN_STREAMS_FDS, WATCH_PROBE, WATCH_COUNT };
_Static_assert(WATCH_COUNT <= OB_ATTENDANT_MAX_FDS, "an attendant's descriptors");

static size_t watch(void *arg, struct pollfd *fds, int *timeout_ms)
{
	const session *s = arg;
	int64_t now = now_ms();

	ob_run_streams_watch(s->streams, fds);
	fds[WATCH_SIGNAL] = (struct pollfd){
		.fd = s->is_running ? s->signal_fd : -1,
		.events = POLLIN,
	};
	fds[WATCH_PROBE] = (struct pollfd){.fd = s->probe_output.fd, .events = POLLIN};
	if (s->is_stopping && !s->is_killed)
		limit_timeout(timeout_ms, s->kill_at, now);
	if (s->is_running && !s->is_stopping && s->health.due >= 0)
		limit_timeout(timeout_ms, s->health.due, now);
	return WATCH_COUNT;
}

static ocib_errc look(void *arg, ob_worker *worker, const struct pollfd *fds, ocib_error **err)
{
	session *s = arg;
	ocib_errc r = OCIB_OK;

	ob_run_streams_step(s->streams, fds);
	if (fds[WATCH_PROBE].revents)
		ob_probe_output_read(&s->probe_output);
	if (!s->is_running)
		return OCIB_OK;
	if (fds[WATCH_SIGNAL].revents)
		r = take_signal(s, worker, err);
	if (r == OCIB_OK && ob_run_streams_is_hung_up(s->streams))
		r = hang_up(s, worker, err);
	if (r == OCIB_OK && s->is_stopping && !s->is_killed && now_ms() >= s->kill_at)
		r = kill_command(s, worker, err);
	return r < 0 ? r : tick_health(s, worker, err);
}

static void tell_ports(session *s, const ob_json *outside)
{
	const ob_port_list *ports = &s->setup->spec->ports;

	for (size_t i = 0; i < ports->len; i++) {
		const char *address = ports->items[i].address ? ports->items[i].address : "0.0.0.0";
		bool is_v6 = strchr(address, ':') != NULL;
		int64_t number = 0;

		(void)ob_json_get_i64(ob_json_at(outside, i), "outside", &number);
		ob_autofree char *text =
			ob_str_printf("%s%s%s:%d -> %u", is_v6 ? "[" : "", address,
				      is_v6 ? "]" : "", (int)number, ports->items[i].inside);
		if (text)
			tell(s, OCIB_EVENT_PORT, text);
	}
}

static ocib_errc hear(void *arg, ob_frame *frame, ocib_error **err)
{
	session *s = arg;

	if (frame->type == OB_FRAME_PROBED && s->is_running) {
		take_probed(s, frame->body);
		return OCIB_OK;
	}
	if (frame->type != OB_FRAME_STARTED || s->is_running)
		return ob_fail(err, OCIB_ERR_SYSTEM, "the worker says what nobody asked for");
	s->is_running = true;
	ob_run_streams_start(s->streams, ob_take_fd(frame->fds[0]));
	tell(s, OCIB_EVENT_COMMAND_STARTED,
	     s->setup->spec->network == OB_NETWORK_NONE ? "none" : "host");
	tell_ports(s, ob_json_get(frame->body, "ports"));
	if (!s->setup->options->no_healthcheck)
		ob_health_init(&s->health, &s->setup->config->healthcheck, now_ms());
	if (s->health.state)
		tell_health(s, "");
	return OCIB_OK;
}

static bool is_busy(void *arg)
{
	return ob_run_streams_is_busy(((session *)arg)->streams);
}

ocib_errc ob_run_session(ocib_context *ctx, ob_worker *worker, const ob_run_setup *setup,
			 ob_run_streams *streams, ob_run_status *status, ocib_error **err)
{
	ob_autodone(session) s = {
		.ctx = ctx,
		.setup = setup,
		.streams = streams,
		.signal_fd = setup->options->signal_fd > 0 ? setup->options->signal_fd : -1,
		.health.due = -1,
		.probe_output.fd = -1,
	};
	const ob_attendant attendant = {watch, look, hear, is_busy, &s};

	if (ob_health_argv(&setup->config->healthcheck, &setup->config->shell.args, &s.probe_argv) <
	    0)
		return ob_fail_nomem(err);
	return ob_worker_run_attended(worker, setup->spec, streams->command, &attendant, status,
				      err);
}
