/* sandbox/child_plan.c — the process side of a run: user, environment, limits, where the command is.
 *
 * Everything that needs a decision, a file or memory is settled here, in the worker, so that the child
 * has only system calls left to make. The way back is here too: what a failed child reported, as an
 * error that says what was tried.
 */
#include "sandbox/child_plan.h"
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/strings.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define CAP(name)    (1ULL << (name))

/* What Docker gives a container. */
#define DEFAULT_CAPABILITIES                                                                     \
	(CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FSETID) | CAP(CAP_FOWNER) |            \
	 CAP(CAP_MKNOD) | CAP(CAP_NET_RAW) | CAP(CAP_SETGID) | CAP(CAP_SETUID) |                 \
	 CAP(CAP_SETFCAP) | CAP(CAP_SETPCAP) | CAP(CAP_NET_BIND_SERVICE) | CAP(CAP_SYS_CHROOT) | \
	 CAP(CAP_KILL) | CAP(CAP_AUDIT_WRITE))

void ob_process_plan_done(ob_process_plan *plan)
{
	ob_run_user_done(&plan->user);
	ob_strlist_done(&plan->env);
	ob_strlist_done(&plan->candidates);
	free(plan->rlimits);
}

static ocib_errc make_env(const ob_run_spec *spec, ob_process_plan *out, ocib_error **err)
{
	int failed = ob_strlist_copy(&out->env, &spec->env);

	if (spec->init_env && !ob_env_get(&out->env, "PATH"))
		failed |= ob_env_set(&out->env, "PATH", DEFAULT_PATH);
	if (spec->init_env && !ob_env_get(&out->env, "HOME"))
		failed |= ob_env_set(&out->env, "HOME", out->user.home);
	return failed ? ob_fail_nomem(err) : OCIB_OK;
}

/* As execvp() would: a name with a slash is a path, any other is looked for along PATH. */
static ocib_errc make_candidates(const ob_run_spec *spec, ob_process_plan *out, ocib_error **err)
{
	const char *name = spec->argv.items[0], *path = ob_env_get(&out->env, "PATH");
	int failed = 0;

	if (strchr(name, '/') || !*name)
		return ob_strlist_add(&out->candidates, name) < 0 ? ob_fail_nomem(err) : OCIB_OK;
	if (!path)
		path = DEFAULT_PATH;
	for (;; path++) {
		size_t len = strcspn(path, ":");

		failed |= ob_strlist_add_printf(&out->candidates, "%.*s/%s", len ? (int)len : 1,
						len ? path : ".", name);
		path += len;
		if (!*path)
			break;
	}
	return failed ? ob_fail_nomem(err) : OCIB_OK;
}

static bool find_resource(const char *name, size_t len, int *resource)
{
	static const struct {
		const char *name;
		int resource;
	} known[] = {
		{"as", RLIMIT_AS},
		{"core", RLIMIT_CORE},
		{"cpu", RLIMIT_CPU},
		{"data", RLIMIT_DATA},
		{"fsize", RLIMIT_FSIZE},
		{"locks", RLIMIT_LOCKS},
		{"memlock", RLIMIT_MEMLOCK},
		{"msgqueue", RLIMIT_MSGQUEUE},
		{"nice", RLIMIT_NICE},
		{"nofile", RLIMIT_NOFILE},
		{"nproc", RLIMIT_NPROC},
		{"rss", RLIMIT_RSS},
		{"rtprio", RLIMIT_RTPRIO},
		{"rttime", RLIMIT_RTTIME},
		{"sigpending", RLIMIT_SIGPENDING},
		{"stack", RLIMIT_STACK},
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) != len || strncmp(known[i].name, name, len) != 0)
			continue;
		*resource = known[i].resource;
		return true;
	}
	return false;
}

static bool parse_limit(const char *text, rlim_t *out)
{
	uint64_t value;

	if (ob_str_eq(text, "-1") || ob_str_eq(text, "unlimited")) {
		*out = RLIM_INFINITY;
		return true;
	}
	if (!ob_parse_u64(text, 10, INT64_MAX, &value))
		return false;
	*out = (rlim_t)value;
	return true;
}

/* "nofile=1024" or "nofile=1024:2048", soft then hard. */
static ocib_errc parse_ulimit(const char *text, ob_rlimit_op *out, ocib_error **err)
{
	size_t name_len = strcspn(text, "=");
	ob_autofree char *soft = strdup(text[name_len] ? text + name_len + 1 : "");

	if (!soft)
		return ob_fail_nomem(err);
	char *hard = strchr(soft, ':');
	if (hard)
		*hard++ = '\0';
	if (!find_resource(text, name_len, &out->resource))
		return ob_fail(err, OCIB_ERR_INVALID, "ulimit '%s': no limit of that name", text);
	if (!parse_limit(soft, &out->limit.rlim_cur) ||
	    !parse_limit(hard ? hard : soft, &out->limit.rlim_max))
		return ob_fail(err, OCIB_ERR_INVALID, "ulimit '%s': not NAME=SOFT[:HARD]", text);
	if (out->limit.rlim_cur > out->limit.rlim_max)
		return ob_fail(err, OCIB_ERR_INVALID, "ulimit '%s': soft above hard", text);
	return OCIB_OK;
}

static ocib_errc make_rlimits(const ob_run_spec *spec, ob_process_plan *out, ocib_error **err)
{
	if (!spec->ulimits.len)
		return OCIB_OK;
	out->rlimits = calloc(spec->ulimits.len, sizeof(*out->rlimits));
	if (!out->rlimits)
		return ob_fail_nomem(err);
	for (; out->rlimit_count < spec->ulimits.len; out->rlimit_count++) {
		ocib_errc r = parse_ulimit(spec->ulimits.items[out->rlimit_count],
					   &out->rlimits[out->rlimit_count], err);
		if (r < 0)
			return r;
	}
	return OCIB_OK;
}

/* Nobody can hand on what he has not: a worker in a container may lack some. */
static uint64_t own_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

ocib_errc ob_process_plan_make(const ob_run_spec *spec, int rootfd, ob_process_plan *out,
			       ocib_error **err)
{
	ocib_errc r = ob_run_user_lookup(rootfd, spec->user, &out->user, err);

	if (r == OCIB_OK)
		r = make_env(spec, out, err);
	if (r == OCIB_OK)
		r = make_candidates(spec, out, err);
	if (r == OCIB_OK)
		r = make_rlimits(spec, out, err);
	out->capabilities = own_capabilities();
	if (!spec->insecure)
		out->capabilities &= DEFAULT_CAPABILITIES;
	return r;
}

void ob_process_plan_apply(const ob_process_plan *plan, const ob_run_spec *spec,
			   ob_child_plan *child)
{
	child->hostname = spec->hostname ? spec->hostname : OB_DEFAULT_HOSTNAME;
	child->own_network = spec->network == OB_NETWORK_NONE;
	child->low_ports = child->own_network && spec->ports.len;
	child->is_terminal = spec->terminal;
	child->rlimits = plan->rlimits;
	child->rlimit_count = plan->rlimit_count;
	child->cwd = spec->cwd && *spec->cwd ? spec->cwd : "/";
	child->uid = plan->user.uid;
	child->gid = plan->user.gid;
	child->groups = plan->user.groups;
	child->group_count = plan->user.group_count;
	child->capabilities = plan->capabilities;
	child->every_user_has_them = spec->insecure;
	child->no_new_privs = spec->no_new_privs;
	child->candidates = (const char *const *)plan->candidates.items;
	child->argv = spec->argv.items;
	child->env = plan->env.items;
}

static ocib_errc fail_exec(const ob_child_failure *failure, const ob_run_spec *spec,
			   ocib_error **err)
{
	const char *name = spec->argv.items[0];

	if (failure->error_number == ENOENT && !strchr(name, '/'))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "executable '%s' is not in the image's PATH",
			       name);
	if (failure->error_number == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND,
			       "executable '%s', or the interpreter it names, is not in the image",
			       name);
	return ob_fail_errno(err, "execute '%s'", name);
}

ocib_errc ob_child_failure_to_error(const ob_child_failure *failure, const ob_run_spec *spec,
				    const ob_child_plan *child, ocib_error **err)
{
	const ob_mount_op *op =
		failure->index < child->op_count ? &child->ops[failure->index] : NULL;
	const char *target = op ? op->target : "?";

	errno = failure->error_number;
	switch ((ob_child_step)failure->step) {
	case OB_CHILD_ROOT: return ob_fail_errno(err, "enter the root file system");
	case OB_CHILD_MAKE_FS: return ob_fail_errno(err, "make a file system for '%s'", target);
	case OB_CHILD_TARGET: return ob_fail_errno(err, "mount point '%s'", target);
	case OB_CHILD_MOUNT: return ob_fail_errno(err, "mount at '%s'", target);
	case OB_CHILD_NETWORK: return ob_fail_errno(err, "bring up the loopback interface");
	case OB_CHILD_HOSTNAME: return ob_fail_errno(err, "set host name '%s'", child->hostname);
	case OB_CHILD_RLIMIT:
		return ob_fail_errno(err, "set ulimit '%s'", spec->ulimits.items[failure->index]);
	case OB_CHILD_CWD: return ob_fail_errno(err, "enter working directory '%s'", child->cwd);
	case OB_CHILD_CAPABILITIES: return ob_fail_errno(err, "set capabilities");
	case OB_CHILD_FILTER: return ob_fail_errno(err, "load the system call filter");
	case OB_CHILD_IDS:
		return ob_fail_errno(err, "become user %u:%u (are these ids mapped here?)",
				     child->uid, child->gid);
	case OB_CHILD_STDIO: return ob_fail_errno(err, "set up standard streams");
	case OB_CHILD_JOIN: return ob_fail_errno(err, "enter the command's namespaces");
	case OB_CHILD_TERMINAL: return ob_fail_errno(err, "take over the terminal");
	case OB_CHILD_MACHINE: return ob_fail_errno(err, "make commands of another machine run");
	case OB_CHILD_EXEC: return fail_exec(failure, spec, err);
	}
	return ob_fail_errno(err, "start the command (step %d)", failure->step);
}
