/* engine/run/health.c — Docker's rules of health as a state machine without a clock or a process.
 *
 * The first probe comes one interval after the start, the next one interval after the last has ended. In
 * the start period the interval is another, and a failure of what was never healthy does not count.
 */
#include "engine/run/health.h"
#include "base/strings.h"

#define SECOND 1000

const char *ob_health_state_name(ob_health_state state)
{
	static const char *const names[] = {"none", "starting", "healthy", "unhealthy"};

	return names[state];
}

static bool is_starting(const ob_health *health, int64_t now)
{
	return health->state == OB_HEALTH_STARTING && now - health->started < health->start_period;
}

static void plan_next(ob_health *health, int64_t now)
{
	health->is_probing = health->has_timed_out = false;
	health->due = now + (is_starting(health, now) ? health->start_interval : health->interval);
}

/* Shorter than a millisecond is a millisecond. */
static int64_t milliseconds(int64_t ns, int64_t otherwise)
{
	return ns <= 0 ? otherwise : ns < 1000000 ? 1 : ns / 1000000;
}

void ob_health_init(ob_health *health, const ob_healthcheck *check, int64_t now)
{
	const ob_strlist *test = &check->test;

	*health = (ob_health){.due = -1, .started = now};
	if (!check->is_set || !test->len || ob_str_eq(test->items[0], "NONE"))
		return;
	health->state = OB_HEALTH_STARTING;
	health->interval = milliseconds(check->interval_ns, 30 * SECOND);
	health->timeout = milliseconds(check->timeout_ns, 30 * SECOND);
	health->start_period = milliseconds(check->start_period_ns, 0);
	health->start_interval = milliseconds(check->start_interval_ns, 5 * SECOND);
	health->retries = check->retries > 0 ? check->retries : 3;
	plan_next(health, now);
}

int ob_health_argv(const ob_healthcheck *check, const ob_strlist *shell, ob_strlist *argv)
{
	bool is_shell = check->test.len && ob_str_eq(check->test.items[0], "CMD-SHELL");

	if (is_shell && shell->len && ob_strlist_copy(argv, shell) < 0)
		return -1;
	if (is_shell && !shell->len &&
	    (ob_strlist_add(argv, "/bin/sh") < 0 || ob_strlist_add(argv, "-c") < 0))
		return -1;
	for (size_t i = 1; i < check->test.len; i++)
		if (ob_strlist_add(argv, check->test.items[i]) < 0)
			return -1;
	return 0;
}

ob_health_action ob_health_tick(ob_health *health, int64_t now)
{
	if (health->due < 0 || now < health->due)
		return OB_HEALTH_WAIT;
	if (health->is_probing) {
		health->has_timed_out = true;
		health->due = -1;
		return OB_HEALTH_KILL;
	}
	health->is_probing = true;
	health->due = now + health->timeout;
	return OB_HEALTH_PROBE;
}

bool ob_health_result(ob_health *health, bool is_good, int64_t now)
{
	ob_health_state before = health->state;

	if (is_good && !health->has_timed_out) {
		health->failures = 0;
		health->state = OB_HEALTH_HEALTHY;
	} else if (!is_starting(health, now) && ++health->failures >= health->retries) {
		health->state = OB_HEALTH_UNHEALTHY;
	}
	plan_next(health, now);
	return health->state != before;
}
