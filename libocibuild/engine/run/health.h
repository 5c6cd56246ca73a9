/* engine/run/health.h — when a HEALTHCHECK is executed, and what its results add up to. */
#ifndef OB_ENGINE_HEALTH_H
#define OB_ENGINE_HEALTH_H

#include "image/config.h"

typedef enum ob_health_state {
	OB_HEALTH_NONE = 0, /* there is no check */
	OB_HEALTH_STARTING,
	OB_HEALTH_HEALTHY,
	OB_HEALTH_UNHEALTHY
} ob_health_state;
const char *ob_health_state_name(ob_health_state state);

typedef enum ob_health_action {
	OB_HEALTH_WAIT = 0,
	OB_HEALTH_PROBE, /* start a probe now; then tell its result */
	OB_HEALTH_KILL   /* the probe takes too long */
} ob_health_action;

/** Times are milliseconds of one clock that never goes back. Plain data. */
typedef struct ob_health {
	ob_health_state state;
	int64_t interval, timeout, start_period, start_interval, retries;
	int64_t started;  /**< when the command was */
	int64_t due;      /**< of what comes next; -1: nothing does */
	int64_t failures; /**< in a row, as far as they count */
	bool is_probing, has_timed_out;
} ob_health;

/** The command starts at @p now. A check that says NONE, or none, leaves the state NONE. */
void ob_health_init(ob_health *health, const ob_healthcheck *check, int64_t now);
/** The probe's command line is appended. CMD-SHELL goes through @p shell, "/bin/sh -c" where it is empty. */
int ob_health_argv(const ob_healthcheck *check, const ob_strlist *shell, ob_strlist *argv);

/** What is to be done at @p now; look again at health->due. */
ob_health_action ob_health_tick(ob_health *health, int64_t now);
/** A probe has ended. @return whether the state is another now. */
bool ob_health_result(ob_health *health, bool is_good, int64_t now);

#endif
