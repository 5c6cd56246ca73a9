/* sandbox/sandbox_inside.h — what the parts of a sandbox's life share. */
#ifndef OB_SANDBOX_SANDBOX_INSIDE_H
#define OB_SANDBOX_SANDBOX_INSIDE_H

#include "sandbox/child_plan.h"
#include "sandbox/foreign.h"
#include "sandbox/sandbox.h"
#include "sandbox/seccomp_filter.h"

struct ob_sandbox_host {
	int scratch_fd; /* a tmpfs that only this worker sees */
	bool is_initial_userns;
	ob_rlimit_op file_limit; /* what commands get unless they ask for another */
	ob_seccomp_filter filter;
	uint64_t next;        /* number of the next command's directory */
	ob_foreign *foreigns; /* kinds of machines that commands were for */
	size_t foreign_count;
};

struct ob_sandbox {
	ob_sandbox_host *host;
	int root_fd;
	int pidfd;
	int terminal;      /* the end that is not the command's */
	char dir_name[32]; /* of its directory on the scratch tmpfs */
	ob_strlist made;   /* mount points in the tree itself */
	bool is_read_only;
	bool is_reaped;
};

/** Duplicates of the streams, above 2, for a child. */
ocib_errc ob_sandbox_pass_stdio(const int stdio[3], ob_child_plan *child, ocib_error **err);
/** Fill in what a command gets from its spec and its host. */
void ob_sandbox_plan_process(const ob_sandbox_host *host, const ob_process_plan *process,
			     const ob_run_spec *spec, ob_child_plan *child);
/** The same for what its kind of machine takes. Kinds: those of ob_foreign_find(). */
ocib_errc ob_sandbox_plan_machine(ob_sandbox_host *host, const ob_run_spec *spec,
				  ob_child_plan *child, ocib_error **err);
/** Read a child's report: it ends empty when the command was executed. */
ocib_errc ob_sandbox_wait_for_exec(int fd, const ob_run_spec *spec, const ob_child_plan *child,
				   ocib_error **err);

#endif
