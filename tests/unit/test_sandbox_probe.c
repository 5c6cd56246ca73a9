/* test_sandbox_probe.c — what a machine that allows less is told. */
#include "sandboxed.h"
#include <sched.h>
#include <sys/prctl.h>
#include "sandbox/idmap.h"

/* What a probe in a child found, as text: rung, problems, remedies. */
static char found[8192];

static void add_lines(int fd, const char *what, const ob_strlist *lines)
{
	for (size_t i = 0; i < lines->len; i++)
		dprintf(fd, "%s: %s\n", what, lines->items[i]);
}

/* @p restrict_child makes the child what it is; a non-zero status of it skips the case. */
static int probe_in(int (*restrict_child)(void))
{
	int ends[2], status = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		ob_probe probe = {0};

		if (restrict_child())
			_exit(77);
		if (ob_sandbox_probe("/tmp", &probe, NULL) < 0)
			_exit(1);
		dprintf(ends[1], "rung: %s\n", ob_rung_name(probe.rung));
		add_lines(ends[1], "fact", &probe.facts);
		add_lines(ends[1], "problem", &probe.problems);
		add_lines(ends[1], "remedy", &probe.remedies);
		_exit(0);
	}
	(void)close(ends[1]);
	ssize_t n = ob_read_full(ends[0], found, sizeof(found) - 1);
	found[n > 0 ? n : 0] = '\0';
	(void)close(ends[0]);
	(void)waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

#define ASSERT_FOUND(text)                                                           \
	do {                                                                         \
		if (!strstr(found, text))                                            \
			fail_msg("the probe did not say '%s' but\n%s", text, found); \
	} while (0)

/* Root of a user namespace with one id: what `unshare -r` gives. */
static int become_single_id(void)
{
	char map[64];
	int len = snprintf(map, sizeof(map), "0 %u 1", geteuid());

	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	return fd < 0 || ob_write_full(fd, map, (size_t)len) < 0;
}

TEST(probe__one_id_is_not_enough_and_the_lines_to_add_are_told)
{
	if (probe_in(become_single_id) == 77)
		SKIP("no user namespaces here");
	ASSERT_FOUND("rung: none\n");
	ASSERT_FOUND("fact: kernel: Linux ");
	ASSERT_FOUND("in a user namespace already");
	/* With or without the programs and lines, something is missing, and it is said what to do. */
	ASSERT_FOUND("problem: ranges: ");
	ASSERT_FOUND("remedy: ");
	ASSERT_FOUND("fact: single id: ");
}

static int forbid_namespaces(void)
{
	int fd;

	if (become_single_id())
		return -1;
	fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
	return fd < 0 || ob_write_full(fd, "0", 1) < 0;
}

TEST(probe__namespaces_switched_off_are_named_with_their_setting)
{
	if (probe_in(forbid_namespaces) == 77)
		SKIP("no user namespaces here");
	ASSERT_FOUND("rung: none\n");
	ASSERT_FOUND("problem: ranges: make a user namespace: ");
	ASSERT_FOUND("remedy: as root: sysctl -w user.max_user_namespaces=");
}

static int keep_privileges_down(void)
{
	const struct passwd *user = sandboxed_user();

	if (!user || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (geteuid() != 0)
		return 0;
	return setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0;
}

TEST(probe__no_new_privileges_is_named)
{
	if (!ob_idmap_program(false) || probe_in(keep_privileges_down) == 77)
		SKIP("no newuidmap, or no user with ranges");
	ASSERT_FOUND("rung: none\n");
	ASSERT_FOUND("remedy: 'no new privileges' is in force");
}
