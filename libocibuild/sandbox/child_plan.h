/* sandbox/child_plan.h — from a run spec to the plain data that a child carries out. */
#ifndef OB_SANDBOX_CHILD_PLAN_H
#define OB_SANDBOX_CHILD_PLAN_H

#include "sandbox/run_user.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_child.h"

/** Everything of a child plan that has to be owned by somebody. */
typedef struct ob_process_plan {
	ob_run_user user;
	ob_strlist env;
	ob_strlist candidates; /**< paths to try to execute */
	ob_rlimit_op *rlimits;
	size_t rlimit_count;
	uint64_t capabilities;
} ob_process_plan;
void ob_process_plan_done(ob_process_plan *plan);

/** Look the user up in the mounted root, complete the environment, find where the command may be.
 *  Kinds: NOTFOUND (user), INVALID (ulimit). */
ocib_errc ob_process_plan_make(const ob_run_spec *spec, int rootfd, ob_process_plan *out,
			       ocib_error **err);

/** Fill in what a spec and a process plan say; both must outlive it. */
void ob_process_plan_apply(const ob_process_plan *plan, const ob_run_spec *spec,
			   ob_child_plan *child);

/** Turn a child's message into an error. Kinds: NOTFOUND (the executable), DENIED, SYSTEM. */
ocib_errc ob_child_failure_to_error(const ob_child_failure *failure, const ob_run_spec *spec,
				    const ob_child_plan *child, ocib_error **err);

#endif
