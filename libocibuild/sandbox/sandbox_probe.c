/* sandbox/sandbox_probe.c — which rung of the ladder this machine allows, and why not a better one.
 *
 * Each candidate is tried for real, in a child that enters the rung's namespaces and then asks for what
 * a command will need: a new /proc, an overlay on the store's own file system that can hide a file, a
 * network of its own. Settings and files are only read to say what would have to change.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include "base/fds.h"
#include "base/strings.h"
#include "sandbox/foreign.h"
#include "sandbox/idmap.h"
#include "sandbox/kernel_calls.h"
#include "sandbox/overlay_mount.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_fork.h"

const char *ob_rung_name(ob_rung rung)
{
	static const char *const names[] = {"none", "chroot", "single id", "ranges", "root"};

	return (unsigned)rung < OB_ARRAY_LEN(names) ? names[rung] : "none";
}

void ob_probe_done(ob_probe *probe)
{
	ob_strlist_done(&probe->facts);
	ob_strlist_done(&probe->problems);
	ob_strlist_done(&probe->remedies);
}

/* One thing that was tried: an empty text means that it works. */
typedef struct attempt {
	char why[512];
	char remedy[1536];
} attempt;

typedef struct trial {
	attempt enter, proc, overlay, network;
	char platforms[1024]; /* that commands can be for */
} trial;

static void record(attempt *a, const ocib_error *why)
{
	const char *hint = ocib_error_hint(why);

	(void)snprintf(a->why, sizeof(a->why), "%s", ocib_error_message(why));
	(void)snprintf(a->remedy, sizeof(a->remedy), "%s", hint ? hint : "");
}

static void try_proc(attempt *a)
{
	ob_auto(ocib_error) why = NULL;
	ob_autofd int fs = ob_sys_fsopen("proc"), fd = -1;

	if (fs >= 0 && ob_sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = ob_sys_fsmount(fs, 0);
	if (fd >= 0)
		return;
	(void)ob_fail_errno(&why, "mount a new /proc");
	ob_error_set_hint(&why,
			  "in a container, /proc must not be masked: docker run --security-opt "
			  "systempaths=unconfined, or procMount: Unmasked in a Kubernetes pod");
	record(a, why);
}

/* An overlay that can hide what is below: the whiteout is what some file systems cannot hold. */
static ocib_errc use_overlay(int dirfd, const char *dir, ocib_error **err)
{
	ob_autofree char *lower = ob_str_printf("%s/lower", dir);
	ob_autofree char *upper = ob_str_printf("%s/upper", dir);
	ob_autofree char *work = ob_str_printf("%s/work", dir);
	ob_autodone(ob_strlist) lowers = {0};
	ob_autofd int root = -1;

	if (!lower || !upper || !work || ob_strlist_add(&lowers, lower) < 0)
		return ob_fail_nomem(err);
	if (mkdirat(dirfd, "lower", 0755) < 0 || mkdirat(dirfd, "lower/dir", 0755) < 0)
		return ob_fail_errno(err, "make a directory in '%s'", dir);
	const ob_overlay overlay = {
		.lowers = &lowers,
		.bottom_fd = -1,
		.upper = upper,
		.work = work,
		.userxattr = !ob_is_initial_user_namespace(),
	};
	ocib_errc r = ob_overlay_mount(&overlay, &root, err);
	if (r < 0)
		return r;
	if (unlinkat(root, "dir", AT_REMOVEDIR) < 0 || mkdirat(root, "dir", 0755) < 0)
		return ob_fail_errno(err, "hide a directory in an overlay");
	return OCIB_OK;
}

static void try_overlay(const char *store_dir, attempt *a)
{
	ob_auto(ocib_error) why = NULL;
	ob_autofree char *dir = ob_str_printf("%s/probe-XXXXXX", store_dir);
	ob_autofd int fd = -1;

	if (dir && mkdtemp(dir))
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		(void)ob_fail_errno(&why, "make a directory in '%s'", store_dir);
		record(a, why);
		return;
	}
	if (use_overlay(fd, dir, &why) < 0) {
		(void)ob_wrap(&why, OCIB_ERR_DENIED, "overlayfs on '%s'", store_dir);
		ob_error_set_hint(
			&why, "overlayfs needs Linux 5.12 or newer and a file system that is not "
			      "itself an overlay: set OCIBUILD_STORE to a directory on ext4, xfs, "
			      "btrfs or tmpfs (in a container: a volume)");
		record(a, why);
	}
	(void)ob_remove_tree(AT_FDCWD, dir, NULL);
}

static void try_network(attempt *a)
{
	ob_auto(ocib_error) why = NULL;

	if (unshare(CLONE_NEWNET) == 0)
		return;
	(void)ob_fail_errno(&why, "make a network namespace");
	record(a, why);
}

static void try_platforms(trial *t)
{
	ob_autodone(ob_strlist) list = {0};
	size_t len = 0;

	(void)ob_foreign_list(&list, NULL); /* without memory the list is shorter */
	for (size_t i = 0; i < list.len && len < sizeof(t->platforms); i++)
		len += (size_t)snprintf(t->platforms + len, sizeof(t->platforms) - len, "%s%s",
					i ? ", " : "", list.items[i]);
}

static _Noreturn void try_inside(const char *store_dir, const ocib_error *refused, int report)
{
	trial t = {0};

	if (refused) {
		record(&t.enter, refused);
	} else {
		try_proc(&t.proc);
		try_overlay(store_dir, &t.overlay);
		try_platforms(&t);
		try_network(&t.network);
	}
	_exit(ob_write_full(report, &t, sizeof(t)) < 0);
}

static void try_rung(ob_rung rung, const char *store_dir, trial *out)
{
	ob_auto(ocib_error) why = NULL;
	ob_autofd int pidfd = -1, report = -1;
	int ends[2];
	pid_t pid = -1;

	memset(out, 0, sizeof(*out));
	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void)ob_fail_errno(&why, "make a pipe");
		record(&out->enter, why);
		return;
	}
	report = ends[0];
	ocib_errc r = ob_sandbox_fork(rung, &pid, &pidfd, &why);
	if (pid == 0)
		try_inside(store_dir, why, ends[1]);
	(void)close(ends[1]);
	if (r < 0) {
		record(&out->enter, why);
		return;
	}
	if (ob_read_full(report, out, sizeof(*out)) != (ssize_t)sizeof(*out))
		(void)snprintf(out->enter.why, sizeof(out->enter.why), "the trial died");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

ocib_errc ob_sandbox_check(const char *store_dir, ocib_error **err)
{
	attempt attempts[2] = {0};

	try_proc(&attempts[0]);
	try_overlay(store_dir, &attempts[1]);
	for (size_t i = 0; i < OB_ARRAY_LEN(attempts); i++) {
		if (!attempts[i].why[0])
			continue;
		ob_fail(err, OCIB_ERR_DENIED, "%s", attempts[i].why);
		ob_error_set_hint(err, "%s", attempts[i].remedy);
		return OCIB_ERR_DENIED;
	}
	return OCIB_OK;
}

/* A child that only asks for a user namespace with its own id in it. */
static bool try_single_id(void)
{
	int status = 1;
	char map[64];
	pid_t pid = fork();

	if (pid == 0) {
		int len = snprintf(map, sizeof(map), "0 %u 1", geteuid());
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			_exit(1);
		int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
		_exit(fd < 0 || ob_write_full(fd, map, (size_t)len) < 0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return pid > 0 && status == 0;
}

static bool may_chroot(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	return geteuid() == 0 && syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & (1U << CAP_SYS_CHROOT));
}

static int add_attempt(ob_probe *out, ob_rung rung, const attempt *a)
{
	int failed = 0;

	if (a->why[0])
		failed |=
			ob_strlist_add_printf(&out->problems, "%s: %s", ob_rung_name(rung), a->why);
	if (a->remedy[0])
		failed |= ob_strlist_add(&out->remedies, a->remedy);
	return failed;
}

static int add_machine_facts(ob_probe *out)
{
	struct utsname uts;
	char name[256];
	ob_id_ranges uids, gids;
	uid_t uid = getuid();
	int failed = 0;

	ob_user_name(uid, name);
	if (uname(&uts) == 0)
		failed |= ob_strlist_add_printf(&out->facts, "kernel: %s %s (%s)", uts.sysname,
						uts.release, uts.machine);
	failed |= ob_strlist_add_printf(
		&out->facts, "user: %s (%u)%s", name[0] ? name : "?", uid,
		ob_is_initial_user_namespace() ? "" : ", in a user namespace already");
	if (ob_id_ranges_read("/etc/subuid", uid, name, &uids, NULL) == OCIB_OK &&
	    ob_id_ranges_read("/etc/subgid", uid, name, &gids, NULL) == OCIB_OK)
		failed |= ob_strlist_add_printf(&out->facts,
						"subordinate ids: %ju user ids, %ju group ids",
						(uintmax_t)uids.total, (uintmax_t)gids.total);
	for (int i = 0; i < 2; i++)
		failed |= ob_strlist_add_printf(
			&out->facts, "%s: %s", i ? "newgidmap" : "newuidmap",
			ob_idmap_program(i == 1) ? ob_idmap_program(i == 1) : "not installed");
	return failed;
}

static int add_trial_facts(ob_probe *out, const trial *t, const char *store_dir)
{
	int failed = 0;

	failed |=
		ob_strlist_add_printf(&out->facts, "new /proc: %s", t->proc.why[0] ? "no" : "yes");
	failed |= ob_strlist_add_printf(&out->facts, "overlayfs on %s: %s", store_dir,
					t->overlay.why[0] ? "no"
					: out->userxattr  ? "yes, with userxattr"
							  : "yes");
	failed |= ob_strlist_add_printf(&out->facts, "network namespaces: %s",
					t->network.why[0] ? "no" : "yes");
	failed |= ob_strlist_add_printf(&out->facts, "platforms of RUN: %s", t->platforms);
	return failed;
}

static bool try_and_note(ob_rung rung, const char *store_dir, ob_probe *out, int *failed)
{
	trial t;

	try_rung(rung, store_dir, &t);
	*failed |= add_attempt(out, rung, &t.enter);
	*failed |= add_attempt(out, rung, &t.proc);
	*failed |= add_attempt(out, rung, &t.overlay);
	if (t.enter.why[0])
		return false;
	out->userxattr = rung == OB_RUNG_RANGES || !ob_is_initial_user_namespace();
	out->overlay = !t.overlay.why[0];
	out->network_none = !t.network.why[0];
	*failed |= add_trial_facts(out, &t, store_dir);
	if (t.proc.why[0] || t.overlay.why[0])
		return false;
	out->rung = rung;
	return true;
}

/* Root of a user namespace with one id cannot give files their owners. */
static bool is_root_with_ids(void)
{
	return geteuid() == 0 && ob_idmap_count() > 1;
}

ocib_errc ob_sandbox_probe(const char *store_dir, ob_probe *out, ocib_error **err)
{
	ob_autodone(ob_probe) probe = {0};
	int failed = add_machine_facts(&probe);
	bool is_done = false;

	if (is_root_with_ids())
		is_done = try_and_note(OB_RUNG_ROOT, store_dir, &probe, &failed);
	if (!is_done)
		is_done = try_and_note(OB_RUNG_RANGES, store_dir, &probe, &failed);
	if (!is_done) {
		failed |= ob_strlist_add_printf(
			&probe.facts, "single id: %s",
			try_single_id() ? "possible, not used by this version" : "no");
		failed |= ob_strlist_add_printf(&probe.facts, "chroot: %s",
						may_chroot() ? "possible, not used by this version"
							     : "no");
	}
	if (failed)
		return ob_fail_nomem(err);
	*out = probe;
	probe = (ob_probe){0};
	return OCIB_OK;
}
