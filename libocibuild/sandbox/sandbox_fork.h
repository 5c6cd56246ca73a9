/* sandbox/sandbox_fork.h — a child in the namespaces of a rung. */
#ifndef OB_SANDBOX_SANDBOX_FORK_H
#define OB_SANDBOX_SANDBOX_FORK_H

#include <sys/types.h>
#include "sandbox/sandbox.h"

/**
 * Like fork(), for a process with one thread: the child is in a new mount and a new process namespace
 * (as process 1), and for OB_RUNG_RANGES in a new user namespace, as its root. It dies with its parent.
 * @param pid    0 in the child
 * @param pidfd  in the parent; close it
 * Kinds, in either process: DENIED (with a hint where there is a remedy), UNSUPPORTED (other rungs).
 */
ocib_errc ob_sandbox_fork(ob_rung rung, pid_t *pid, int *pidfd, ocib_error **err);

/** The kernel's reasons to refuse new user namespaces, as a hint; nothing when none is known. */
void ob_hint_user_namespaces(ocib_error **err);

#endif
