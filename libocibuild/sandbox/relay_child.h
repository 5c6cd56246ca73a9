/* sandbox/relay_child.h — the process that passes on what comes in at published ports. */
#ifndef OB_SANDBOX_RELAY_CHILD_H
#define OB_SANDBOX_RELAY_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include "base/limits.h"

/** Plain data. */
typedef struct ob_relay_plan {
	const int *listeners; /**< non-blocking */
	size_t count;
	uint16_t ports[OB_LIMIT_RUN_PORTS]; /**< where each leads to, in the inner network */
	int network; /**< pidfd of a process in the inner network; -1: stay in this one */
	int report;  /**< pipe: an errno when it could not start; else closed */
} ob_relay_plan;

_Noreturn void ob_relay_child(ob_relay_plan *plan);

#endif
