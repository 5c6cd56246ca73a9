/* sandbox/sandbox.h — namespaces, mounts and limits around one command. Runs in the worker only.
 *
 * The privilege ladder is probed, never assumed. A worker is forked into the namespaces of its rung
 * (sandbox_fork.h) and starts any number of commands there. See docs/internals/sandbox.md.
 */
#ifndef OB_SANDBOX_SANDBOX_H
#define OB_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include "base/buffer.h"
#include "base/json.h"
#include "base/strlist.h"
#include "image/platform.h"

typedef enum ob_rung {
	OB_RUNG_NONE = 0, /* no namespaces, no capabilities */
	OB_RUNG_CHROOT,
	OB_RUNG_SINGLE_ID,
	OB_RUNG_RANGES,
	OB_RUNG_ROOT
} ob_rung;
const char *ob_rung_name(ob_rung rung);

/** What the machine allows, and for what it does not, why and what would change it. */
typedef struct ob_probe {
	ob_rung rung;        /**< the best one that works and that this version can use */
	bool overlay;        /**< native overlayfs can be mounted on the store's file system */
	bool userxattr;      /**< … with userxattr (in a user namespace) */
	bool network_none;   /**< an own network namespace can be made */
	ob_strlist facts;    /**< "user namespaces: yes", …: one line each, for doctor */
	ob_strlist problems; /**< why a better rung is out of reach, one line each */
	ob_strlist remedies; /**< what exact change would reach it, one line each */
} ob_probe;
void ob_probe_done(ob_probe *probe);
/** Each candidate is really tried, in a child. @param store_dir where overlay would have its upper. */
ocib_errc ob_sandbox_probe(const char *store_dir, ob_probe *out, ocib_error **err);

/** In the namespaces of a rung: is there all that commands will need? Kinds: DENIED (with a hint). */
ocib_errc ob_sandbox_check(const char *store_dir, ocib_error **err);

/**
 * What the sandboxes of one worker share: a tmpfs of its own, the system call filter, what kind of user
 * namespace this is. Made by a process that ob_sandbox_fork() put into its namespaces.
 */
typedef struct ob_sandbox_host ob_sandbox_host;
ocib_errc ob_sandbox_host_new(ob_sandbox_host **out, ocib_error **err);
ob_sandbox_host *ob_sandbox_host_free(ob_sandbox_host *host);
OB_DEFINE_AUTO(ob_sandbox_host);
/** Does overlayfs keep its marks in user.overlay.* here? */
bool ob_sandbox_host_userxattr(const ob_sandbox_host *host);

/** BuildKit's; what a command writes with it is then the same. */
#define OB_DEFAULT_HOSTNAME "buildkitsandbox"

typedef enum ob_network { OB_NETWORK_DEFAULT = 0, OB_NETWORK_NONE, OB_NETWORK_HOST } ob_network;

typedef enum ob_mount_kind {
	OB_MOUNT_BIND = 1, /* source: absolute host path, a file or a directory */
	OB_MOUNT_TMPFS,
	OB_MOUNT_FILE, /* data is placed in a file of the given mode on a private tmpfs and bound */
	OB_MOUNT_TREE, /* an overlay of trees, as the root file system is one */
	OB_MOUNT_SOCKET /* source: absolute host path of a socket, given to an owner and bound */
} ob_mount_kind;

typedef struct ob_mount {
	ob_mount_kind kind;
	char *source;
	char *inside; /**< BIND, TREE: path in it to mount instead, links followed in it; or NULL */
	ob_strlist lowers;  /**< TREE: directories, topmost first; may be empty */
	char *upper, *work; /**< TREE that is not read-only: take the changes */
	char *target;       /**< image path; made if missing and then no trace of it stays */
	bool read_only;
	uint64_t size;           /**< tmpfs; 0: default */
	uint32_t mode, uid, gid; /**< FILE, SOCKET */
	char *data;
	size_t data_len;
} ob_mount;

/** A port of the host that leads to one of the command's. */
typedef struct ob_port {
	char *address;    /**< of the host; NULL: all of them */
	uint16_t outside; /**< 0: any that is free */
	uint16_t inside;
} ob_port;
typedef struct ob_port_list {
	ob_port *items;
	size_t len;
} ob_port_list;
void ob_port_list_done(ob_port_list *ports);

/** A command and all it runs in: plain data. Paths in it are the host's unless called image paths. */
typedef struct ob_run_spec {
	/* the root file system: an overlay */
	ob_strlist lowers; /**< tree directories, topmost first; may be empty (scratch) */
	char *upper;       /**< directory that takes the changes */
	char *work;        /**< overlay's work directory, same file system, empty */
	bool read_only_root;
	/* the process */
	ob_strlist argv; /**< argv[0] is looked up in env's PATH inside the root */
	ob_strlist env;
	char *cwd;  /**< image path; must exist, made with parents for `run` when missing */
	char *user; /**< "", "name", "name:group", "uid:gid": looked up in the root's own files */
	char *hostname; /**< NULL: OB_DEFAULT_HOSTNAME */
	/* around it */
	ob_network network;
	bool insecure; /**< all capabilities, no seccomp filter */
	bool no_new_privs;
	uint64_t shm_size;      /**< 0: 64 MiB */
	ob_strlist extra_hosts; /**< lines for /etc/hosts, "ADDRESS NAME" */
	ob_strlist ulimits;     /**< "nofile=1024:2048" */
	ob_mount *mounts;
	size_t mount_count;
	bool init_env; /**< set HOME from passwd and a PATH when env lacks them, as runc does */
	bool terminal; /**< its standard streams are a terminal of its own */
	uint16_t rows, columns; /**< of the terminal; 0: not known */
	ob_port_list ports;     /**< relayed from the host's network */
	bool attended;          /**< somebody wants to be told when it has started */
	char *arch; /**< its machine, as the image specification has it; NULL: this one */
} ob_run_spec;
ob_run_spec *ob_run_spec_new(void);
ob_run_spec *ob_run_spec_free(ob_run_spec *spec);
OB_DEFINE_AUTO(ob_run_spec);
/** The command is one of that machine. */
ocib_errc ob_run_spec_set_platform(ob_run_spec *spec, const ob_platform *platform,
				   ocib_error **err);
ob_json *ob_run_spec_to_json(const ob_run_spec *spec);
ocib_errc ob_run_spec_from_json(const ob_json *json, ob_run_spec **out, ocib_error **err);

/** A started command. */
typedef struct ob_sandbox ob_sandbox;
typedef struct ob_run_status {
	bool exited; /**< else killed by signal */
	int status;  /**< exit status or signal number */
	/** Entry paths made as mount points that could not be removed: not the step's doing. */
	ob_strlist stubs;
} ob_run_status;
void ob_run_status_done(ob_run_status *status);

/**
 * Start the command. @p stdio: three fds for its 0, 1, 2 (borrowed), not used for one with a terminal of
 * its own. Kinds: DENIED, SYSTEM, NOTFOUND
 * (the executable, the user), COMMAND never.
 */
ocib_errc ob_sandbox_start(ob_sandbox_host *host, const ob_run_spec *spec, const int stdio[3],
			   ob_sandbox **out, ocib_error **err);
/** The other end of the command's terminal, for the caller to close; -1: it has none. */
int ob_sandbox_take_terminal(ob_sandbox *sandbox);
int ob_sandbox_pidfd(const ob_sandbox *sandbox); /**< readable when it ended; borrowed */
void ob_sandbox_signal(ob_sandbox *sandbox, int signal);
/**
 * Start another command in the same namespaces, as the same user: @p spec is the first one's, but for its
 * argv. The caller waits for @p pid, without delay: the sandbox cannot end before. Kinds: as above.
 */
ocib_errc ob_sandbox_join(ob_sandbox *sandbox, const ob_run_spec *spec, const ob_strlist *argv,
			  const int stdio[3], pid_t *pid, int *pidfd, ocib_error **err);
/** Waits; everything that was started in it is dead after this, all mounts gone. */
ocib_errc ob_sandbox_wait(ob_sandbox *sandbox, ob_run_status *status, ocib_error **err);
ob_sandbox *ob_sandbox_free(ob_sandbox *sandbox); /**< kills what still lives */
OB_DEFINE_AUTO(ob_sandbox);

#endif
