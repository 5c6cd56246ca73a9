/* sandbox/idmap.c — subordinate id ranges, and newuidmap and newgidmap, which may map them.
 *
 * A user namespace made without privilege may map nothing but its maker's own ids. The two set-user-id
 * programs of the shadow suite write larger maps, as far as /etc/subuid and /etc/subgid allow: the
 * maker becomes root inside, the ranges follow from id 1 on. Both run at the same time.
 */
#include "sandbox/idmap.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "base/strlist.h"

#define FIRST_SUBORDINATE 100000
#define INITIAL_NAMESPACE 0xeffffffdU /* the kernel's fixed inode number of it */
#define MAX_SAID          2048

static bool parse_line(char *line, char **owner, ob_id_range *range)
{
	char *start = strchr(line, ':');
	char *count = start ? strchr(start + 1, ':') : NULL;
	uint64_t first = 0, len = 0;

	if (!count)
		return false;
	*start++ = '\0';
	*count++ = '\0';
	count[strcspn(count, " \t\r")] = '\0';
	if (!ob_parse_u64(start, 10, UINT32_MAX, &first) ||
	    !ob_parse_u64(count, 10, UINT32_MAX - first, &len) || !len)
		return false;
	*owner = line;
	*range = (ob_id_range){(uint32_t)first, (uint32_t)len};
	return true;
}

void ob_id_ranges_parse(const char *text, uid_t uid, const char *user_name, ob_id_ranges *out)
{
	ob_autofree char *copy = strdup(text);
	char number[16], *rest = copy, *line;

	*out = (ob_id_ranges){.free_start = FIRST_SUBORDINATE};
	(void)snprintf(number, sizeof(number), "%u", uid);
	while (rest && (line = strsep(&rest, "\n"))) {
		ob_id_range range;
		char *owner;

		if (line[0] == '#' || !parse_line(line, &owner, &range))
			continue;
		if ((uint64_t)range.start + range.count > out->free_start)
			out->free_start = (uint64_t)range.start + range.count;
		bool is_ours =
			ob_str_eq(owner, number) || (user_name[0] && ob_str_eq(owner, user_name));
		if (!is_ours || out->len == OB_MAX_ID_RANGES)
			continue;
		out->items[out->len++] = range;
		out->total += range.count;
	}
}

ocib_errc ob_id_ranges_read(const char *path, uid_t uid, const char *user_name, ob_id_ranges *out,
			    ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_PASSWD, path);
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = ob_read_file(AT_FDCWD, path, &text, &why);

	if (r < 0 && r != OCIB_ERR_NOTFOUND)
		return ob_error_move(err, &why);
	ob_id_ranges_parse(text.data ? text.data : "", uid, user_name, out);
	return OCIB_OK;
}

void ob_user_name(uid_t uid, char *out)
{
	struct passwd entry, *found = NULL;
	char strings[4096];

	out[0] = '\0';
	if (getpwuid_r(uid, &entry, strings, sizeof(strings), &found) == 0 && found)
		(void)snprintf(out, 256, "%s", entry.pw_name);
}

const char *ob_idmap_program(bool is_gid)
{
	static const char *const paths[2][4] = {
		{"/usr/bin/newuidmap", "/bin/newuidmap", "/usr/local/bin/newuidmap",
		 "/run/wrappers/bin/newuidmap"},
		{"/usr/bin/newgidmap", "/bin/newgidmap", "/usr/local/bin/newgidmap",
		 "/run/wrappers/bin/newgidmap"},
	};

	for (size_t i = 0; i < 4; i++)
		if (access(paths[is_gid][i], X_OK) == 0)
			return paths[is_gid][i];
	return NULL;
}

/* A mapping program at work: what it says on standard error is read when it has ended. */
typedef struct mapper {
	const char *program;
	pid_t pid;
	int said;
} mapper;

static int add_mapping(ob_strlist *argv, uint64_t inside, uint64_t outside, uint64_t count)
{
	if (ob_strlist_add_printf(argv, "%ju", (uintmax_t)inside) < 0 ||
	    ob_strlist_add_printf(argv, "%ju", (uintmax_t)outside) < 0)
		return -1;
	return ob_strlist_add_printf(argv, "%ju", (uintmax_t)count);
}

static int spawn_quietly(const char *program, char *const *argv, int said, pid_t *pid)
{
	static char *const no_environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return r;
	r = posix_spawn_file_actions_adddup2(&actions, said, 2);
	if (!r)
		r = posix_spawn(pid, program, &actions, NULL, argv, no_environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

static ocib_errc start_mapper(mapper *m, bool is_gid, pid_t target, const ob_id_ranges *ranges,
			      ocib_error **err)
{
	ob_autodone(ob_strlist) argv = {0};
	uint64_t inside = 1;
	int ends[2];

	m->program = ob_idmap_program(is_gid);
	int failed = ob_strlist_add(&argv, m->program);
	failed |= ob_strlist_add_printf(&argv, "%d", (int)target);
	failed |= add_mapping(&argv, 0, is_gid ? getegid() : geteuid(), 1);
	for (size_t i = 0; i < ranges->len; i++) {
		failed |=
			add_mapping(&argv, inside, ranges->items[i].start, ranges->items[i].count);
		inside += ranges->items[i].count;
	}
	if (failed)
		return ob_fail_nomem(err);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return ob_fail_errno(err, "make a pipe");
	int r = spawn_quietly(m->program, argv.items, ends[1], &m->pid);
	(void)close(ends[1]);
	m->said = ends[0];
	if (r) {
		errno = r;
		return ob_fail_errno(err, "start '%s'", m->program);
	}
	return OCIB_OK;
}

static ocib_errc finish_mapper(mapper *m, ocib_error **err)
{
	char said[MAX_SAID];
	int status = 0;

	if (m->pid <= 0)
		return OCIB_OK;
	ssize_t n = ob_read_full(m->said, said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)close(m->said);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return OCIB_OK;
	ob_fail(err, OCIB_ERR_DENIED, "'%s' failed: %s", m->program,
		said[0] ? said : "it said nothing");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		ob_error_set_hint(err,
				  "'no new privileges' is in force, so set-user-id programs do "
				  "nothing: start without it (in Kubernetes: "
				  "allowPrivilegeEscalation: true)");
	else
		ob_error_set_hint(
			err,
			"'%s' must be set-user-id root (or have its file capability), and "
			"not on a file system mounted nosuid: reinstall its package",
			m->program);
	return OCIB_ERR_DENIED;
}

static ocib_errc require_programs(ocib_error **err)
{
	for (int i = 0; i < 2; i++) {
		if (ob_idmap_program(i == 1))
			continue;
		ob_fail(err, OCIB_ERR_DENIED, "%s is not installed", i ? "newgidmap" : "newuidmap");
		ob_error_set_hint(err, "install the package uidmap (Debian, Ubuntu), shadow-utils "
				       "(Fedora) or shadow-uidmap (Alpine)");
		return OCIB_ERR_DENIED;
	}
	return OCIB_OK;
}

/* The lines that are missing, above all ranges that either file gives to anybody. */
static ocib_errc fail_ranges(const ob_id_ranges ranges[2], const char *name, ocib_error **err)
{
	static const char *const paths[2] = {"/etc/subuid", "/etc/subgid"};
	uint64_t start = ranges[0].free_start > ranges[1].free_start ? ranges[0].free_start
								     : ranges[1].free_start;
	char hint[1024] = "as root:";
	int missing = ranges[0].len ? 1 : 0;

	for (int i = 0; i < 2; i++) {
		size_t len = strlen(hint);

		if (!ranges[i].len)
			(void)snprintf(hint + len, sizeof(hint) - len,
				       "%s echo '%s:%ju:65536' >> %s", i > missing ? " &&" : "",
				       name, (uintmax_t)start, paths[i]);
	}
	ob_fail(err, OCIB_ERR_DENIED, "%s has no line for user %s", paths[missing], name);
	ob_error_set_hint(err, "%s", hint);
	return OCIB_ERR_DENIED;
}

static ocib_errc find_ranges(ob_id_ranges ranges[2], ocib_error **err)
{
	char name[256];
	ocib_errc r = require_programs(err);

	ob_user_name(getuid(), name);
	if (r == OCIB_OK)
		r = ob_id_ranges_read("/etc/subuid", getuid(), name, &ranges[0], err);
	if (r == OCIB_OK)
		r = ob_id_ranges_read("/etc/subgid", getuid(), name, &ranges[1], err);
	if (r < 0 || (ranges[0].len && ranges[1].len))
		return r;
	if (!name[0])
		(void)snprintf(name, sizeof(name), "%u", getuid());
	return fail_ranges(ranges, name, err);
}

ocib_errc ob_idmap_write(pid_t pid, ocib_error **err)
{
	ob_id_ranges ranges[2];
	mapper mappers[2] = {{.said = -1}, {.said = -1}};
	ocib_errc r = find_ranges(ranges, err);

	for (int i = 0; i < 2 && r == OCIB_OK; i++)
		r = start_mapper(&mappers[i], i == 1, pid, &ranges[i], err);
	for (int i = 0; i < 2; i++) {
		ocib_errc r2 = finish_mapper(&mappers[i], r == OCIB_OK ? err : NULL);

		r = r == OCIB_OK ? r2 : r;
	}
	return r;
}

uint64_t ob_idmap_count(void)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(64 * OB_KIB, "uid_map");
	uint64_t total = 0;
	char *rest;

	if (ob_read_file(AT_FDCWD, "/proc/self/uid_map", &text, NULL) < 0 || !text.data)
		return 0;
	rest = text.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		unsigned long inside = 0, outside = 0, count = 0;

		if (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3)
			total += count;
	}
	return total;
}

bool ob_is_initial_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino == INITIAL_NAMESPACE;
}
