/* sandbox/sandbox_child.h — what a sandbox's first process does between clone and exec. */
#ifndef OB_SANDBOX_SANDBOX_CHILD_H
#define OB_SANDBOX_SANDBOX_CHILD_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include "sandbox/foreign_child.h"

/** One mount operation, in order. */
typedef struct ob_mount_op {
	int fd; /**< a detached mount to attach; -1: see fs_name or read_only */
	const char
		*fs_name; /**< a file system that belongs to the child's own namespaces, or NULL */
	unsigned attributes; /**< MOUNT_ATTR_* of that file system */
	const char *target;  /**< image path */
	bool is_dir;         /**< what a missing target is made as */
	bool is_optional;    /**< a missing target is none of our business */
	bool read_only;      /**< no mount: what is there already becomes read-only */
} ob_mount_op;

typedef struct ob_rlimit_op {
	int resource;
	struct rlimit limit;
} ob_rlimit_op;

/** Plain data; everything it points to was made before the clone. */
typedef struct ob_child_plan {
	int root_fd;  /**< the root file system, a detached mount */
	int error_fd; /**< pipe for an ob_child_failure; closed by a successful exec */
	int stdio[3]; /**< all above 2 */
	ob_mount_op *ops;
	size_t op_count;
	const char *hostname;
	bool own_network;               /**< bring its loopback up */
	bool low_ports;                 /**< in an own network: any user may listen on any port */
	bool is_terminal;               /**< the standard streams are one, to be the session's */
	int join;                       /**< pidfd of a sandbox whose namespaces are entered */
	ob_emulation emulation;         /**< of another kind of machine; or nothing */
	const ob_rlimit_op *file_limit; /**< set before the others */
	const ob_rlimit_op *rlimits;
	size_t rlimit_count;
	const char *cwd;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t group_count;
	uint64_t capabilities;
	bool every_user_has_them; /**< not only root */
	bool no_new_privs;
	struct sock_fprog filter;      /**< len 0: none */
	const char *const *candidates; /**< paths to try to execute, ends with NULL */
	char *const *argv;
	char *const *env;
} ob_child_plan;

typedef enum ob_child_step {
	OB_CHILD_ROOT = 1,
	OB_CHILD_MAKE_FS, /**< index: of the operation, as for the next two */
	OB_CHILD_TARGET,
	OB_CHILD_MOUNT,
	OB_CHILD_NETWORK,
	OB_CHILD_HOSTNAME,
	OB_CHILD_RLIMIT, /**< index: of the limit */
	OB_CHILD_CWD,
	OB_CHILD_CAPABILITIES,
	OB_CHILD_FILTER,
	OB_CHILD_IDS,
	OB_CHILD_STDIO,
	OB_CHILD_JOIN,
	OB_CHILD_TERMINAL,
	OB_CHILD_MACHINE,
	OB_CHILD_EXEC
} ob_child_step;

typedef struct ob_child_failure {
	int step;
	int error_number;
	size_t index;
} ob_child_failure;

/** In a mount namespace of its own: the detached mount is the root, and nothing is left of the old one. */
int ob_child_enter_root(int root_fd);
_Noreturn void ob_sandbox_child(ob_child_plan *plan);
/** Another process of a sandbox, cloned into its process namespace: see plan->join. */
_Noreturn void ob_sandbox_joining_child(const ob_child_plan *plan);

#endif
