/* engine/plan/plan_healthcheck.c — HEALTHCHECK: its times were checked when the Dockerfile was parsed.
 *
 * The shell form is stored as CMD-SHELL: whoever runs the image puts a shell in front, so SHELL has no
 * say here.
 */
#include "engine/plan/go_text.h"
#include "engine/plan/planner.h"

static ocib_errc commit(ob_dispatch *d, const ob_healthcheck *check, ocib_error **err)
{
	const struct {
		const char *name;
		int64_t ns;
	} times[] = {
		{"Interval", check->interval_ns},
		{"Timeout", check->timeout_ns},
		{"StartPeriod", check->start_period_ns},
		{"StartInterval", check->start_interval_ns},
	};
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;

	ob_buffer_append_str(&history, "HEALTHCHECK {Test:");
	ob_go_list(&check->test, &history);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		ob_buffer_printf(&history, " %s:", times[i].name);
		ob_go_duration_format(times[i].ns, &history);
	}
	ob_buffer_printf(&history, " Retries:%lld}", (long long)check->retries);
	return ob_dispatch_commit(d, &history, false, err);
}

ocib_errc ob_dispatch_healthcheck(ob_dispatch *d, ocib_error **err)
{
	const ob_instruction *instruction = d->instruction;
	const ob_health_flags *flags = &instruction->health;
	ob_healthcheck *check = &d->stage->config->healthcheck;
	const char *kind = instruction->healthcheck_none ? "NONE"
			   : instruction->json_form      ? "CMD"
							 : "CMD-SHELL";

	ob_strlist_done(&check->test);
	*check = (ob_healthcheck){
		.is_set = true,
		.interval_ns = flags->interval,
		.timeout_ns = flags->timeout,
		.start_period_ns = flags->start_period,
		.start_interval_ns = flags->start_interval,
		.retries = flags->retries,
	};
	if (ob_strlist_add(&check->test, kind) < 0)
		return ob_fail_nomem(err);
	for (size_t i = 0; !instruction->healthcheck_none && i < instruction->words.len; i++)
		if (ob_strlist_add(&check->test, instruction->words.items[i].text) < 0)
			return ob_fail_nomem(err);
	return commit(d, check, err);
}
