/* tests/unit/test_base_context.c — options, cancellation, and the event pump. */
#include "harness.h"
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "base/context.h"
#include "base/options.h"

typedef struct listener {
	pthread_t thread;
	unsigned count, next_number;
	bool wrong_thread, wrong_order;
	int answer;
	char last[64];
} listener;

static int on_event(const ocib_event *event, void *user)
{
	listener *l = user;

	l->count++;
	l->wrong_thread |= !pthread_equal(l->thread, pthread_self());
	if (event->type == OCIB_EVENT_NOTE || event->type == OCIB_EVENT_WARNING)
		snprintf(l->last, sizeof(l->last), "%s", event->u.message.text);
	if (event->type == OCIB_EVENT_OUTPUT && event->u.output.step == 1) {
		l->wrong_order |= (unsigned)atoi(event->u.output.text) != l->next_number;
		l->next_number++;
	}
	return l->answer;
}

static ocib_context *new_context(listener *l)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;
	ocib_context *ctx = NULL;

	l->thread = pthread_self();
	options.on_event = on_event;
	options.user = l;
	options.worker_path = "/w";
	ASSERT_OK(ocib_context_new(&options, &ctx, &t_err));
	return ctx;
}

TEST(options__unknown_tail_must_be_zero)
{
	struct {
		ocib_context_options known;
		long more;
	} longer = {.known = OCIB_CONTEXT_OPTIONS_INIT, .more = 0};
	ocib_context_options local;

	longer.known.size = sizeof(longer);
	longer.known.jobs = 3;
	ASSERT_OK(ob_options_load(&local, &longer.known, &t_err));
	assert_int_equal(local.jobs, 3);
	assert_int_equal(local.size, sizeof(local));
	longer.more = 1;
	ASSERT_ERROR(ob_options_load(&local, &longer.known, &t_err), OCIB_ERR_INVALID,
		     "does not know");
	longer.known.size = 0;
	ASSERT_ERROR(ob_options_load(&local, &longer.known, &t_err), OCIB_ERR_INVALID, "size is 0");
}

TEST(options__shorter_struct_leaves_the_rest_at_default)
{
	ocib_context_options given = OCIB_CONTEXT_OPTIONS_INIT, local;

	given.size = offsetof(ocib_context_options, offline);
	given.offline = 1;
	given.jobs = 2;
	ASSERT_OK(ob_options_load(&local, &given, &t_err));
	assert_int_equal(local.offline, 0);
	assert_int_equal(local.jobs, 2);
}

TEST(context__defaults)
{
	ob_auto(ocib_context) ctx = NULL;

	ASSERT_OK(ocib_context_new(NULL, &ctx, &t_err));
	assert_true(ob_context_jobs(ctx) >= 1);
	assert_non_null(ob_context_worker_path(ctx));
	assert_false(ob_context_offline(ctx));
	ob_emit_note(ctx, "nobody listens");
	ob_emit_note(NULL, "nobody at all");
}

TEST(cancel__flag_descriptor_and_error)
{
	listener l = {0};
	ob_auto(ocib_context) ctx = new_context(&l);
	struct pollfd p = {.fd = ob_cancel_fd(ctx), .events = POLLIN};

	assert_int_equal(poll(&p, 1, 0), 0);
	ASSERT_OK(ob_check_canceled(ctx, &t_err));
	ocib_context_cancel(ctx);
	ocib_context_cancel(ctx);
	assert_int_equal(poll(&p, 1, 0), 1);
	ASSERT_ERROR(ob_check_canceled(ctx, &t_err), OCIB_ERR_CANCELED, "canceled");
	assert_false(ob_is_canceled(NULL));
}

TEST(cancel__callback_says_stop)
{
	listener l = {.answer = 1};
	ob_auto(ocib_context) ctx = new_context(&l);

	ob_emit_note(ctx, "n");
	assert_true(ob_is_canceled(ctx));
}

TEST(emit__debug_only_where_asked)
{
	listener l = {0};
	ob_auto(ocib_context) ctx = new_context(&l);

	ob_emit_debug(ctx, "x");
	assert_int_equal(l.count, 0);
	ob_emit_warning(ctx, "Dockerfile", 3, "w %d", 1);
	assert_string_equal(l.last, "w 1");
	assert_int_equal(ob_next_step_id(ctx), 1);
	assert_int_equal(ob_next_step_id(ctx), 2);
}

#define EVENTS 20000

typedef struct job {
	ocib_context *ctx;
	uint32_t step;
	atomic_uint *running;
} job;

static void *emit_many(void *arg)
{
	job *j = arg;

	for (unsigned i = 0; i < EVENTS; i++) {
		char text[32];
		int len = snprintf(text, sizeof(text), "%u", i);

		ob_emit(j->ctx, &(ocib_event){.type = OCIB_EVENT_OUTPUT,
					      .u.output = {j->step, 1, text, (size_t)len, 0}});
		memset(text, 'x', sizeof(text)); /* the pump must have copied it */
	}
	atomic_fetch_sub(j->running, 1);
	ob_pump_wake(j->ctx);
	return NULL;
}

static bool none_running(void *arg)
{
	return atomic_load((atomic_uint *)arg) == 0;
}

TEST(pump__events_of_all_threads_arrive_on_the_callers_in_order)
{
	listener l = {0};
	ob_auto(ocib_context) ctx = new_context(&l);
	atomic_uint running = 2;
	job jobs[2] = {{ctx, 1, &running}, {ctx, 2, &running}};
	pthread_t threads[2];

	ASSERT_OK(ob_pump_begin(ctx, &t_err));
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, emit_many, &jobs[i]), 0);
	ob_pump_run(ctx, none_running, &running);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ob_pump_end(ctx);
	assert_int_equal(l.count, 2 * EVENTS);
	assert_false(l.wrong_thread);
	assert_false(l.wrong_order);
}

TEST(pump__owner_delivers_at_once_and_may_not_nest)
{
	listener l = {0};
	ob_auto(ocib_context) ctx = new_context(&l);

	ASSERT_OK(ob_pump_begin(ctx, &t_err));
	ob_emit_note(ctx, "now");
	assert_string_equal(l.last, "now");
	ASSERT_ERROR(ob_pump_begin(ctx, &t_err), OCIB_ERR_INVALID, "from inside another");
	ob_pump_end(ctx);
	ASSERT_OK(ob_pump_begin(ctx, &t_err));
	ob_pump_end(ctx);
}

static void *emit_big(void *arg)
{
	job *j = arg;
	size_t size = 1 << 20;
	char *text = calloc(1, size);

	for (int i = 0; text && i < 64; i++)
		ob_emit(j->ctx, &(ocib_event){.type = OCIB_EVENT_OUTPUT,
					      .u.output = {2, 1, text, size, 0}});
	free(text);
	atomic_fetch_sub(j->running, 1);
	ob_pump_wake(j->ctx);
	return NULL;
}

TEST(pump__output_past_the_bound_waits_and_is_not_lost)
{
	listener l = {0};
	ob_auto(ocib_context) ctx = new_context(&l);
	atomic_uint running = 1;
	job one = {ctx, 2, &running};
	pthread_t thread;

	ASSERT_OK(ob_pump_begin(ctx, &t_err));
	assert_int_equal(pthread_create(&thread, NULL, emit_big, &one), 0);
	ob_pump_run(ctx, none_running, &running);
	pthread_join(thread, NULL);
	ob_pump_end(ctx);
	assert_int_equal(l.count, 64);
}
