/* test_sandbox_overlay.c — overlays as detached mounts, by the new system calls and by the old one. */
#include "sandboxed.h"
#include "sandbox/overlay_mount.h"

SANDBOXED_AGAIN_AS_USER(overlay__everything_again_as_an_ordinary_user)

#define LAYERS 150

/* In the namespaces of the rung: 0 when all is as it should be, else the line that was not. */
#define CHECK(condition)                 \
	do {                             \
		if (!(condition))        \
			return __LINE__; \
	} while (0)

static int use_overlay(bool old_call)
{
	ob_autodone(ob_strlist) lowers = {0};
	ob_autofd int root = -1;
	struct stat st;
	char name[64];

	for (int i = 0; i < LAYERS; i++) {
		(void)snprintf(name, sizeof(name), "l%d", i);
		CHECK(ob_strlist_add(&lowers, sandboxed_path(name)) == 0);
	}
	const ob_overlay overlay = {
		.lowers = &lowers,
		.bottom_fd = -1,
		.upper = sandboxed_path("upper"),
		.work = sandboxed_path("work"),
		.userxattr = sandboxed_rung() == OB_RUNG_RANGES,
		.old_call = old_call,
	};
	CHECK(ob_overlay_mount(&overlay, &root, NULL) == OCIB_OK);
	(void)snprintf(name, sizeof(name), "f%d", LAYERS - 1);
	CHECK(fstatat(root, name, &st, 0) == 0);
	CHECK(unlinkat(root, "f0", 0) == 0);
	CHECK(fstatat(root, "f0", &st, 0) < 0 && errno == ENOENT);
	/* The upper directory itself was not mounted over for longer than a moment. */
	CHECK(stat(sandboxed_path("upper/f1"), &st) < 0);
	CHECK(lstat(sandboxed_path("upper/f0"), &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(stat(sandboxed_path("upper"), &st) == 0);
	CHECK((st.st_mode & 07777) == 0711);
	return 0;
}

static int use_without_upper(bool old_call)
{
	ob_autodone(ob_strlist) lowers = {0};
	ob_autofd int root = -1;
	struct stat st;

	CHECK(ob_strlist_add(&lowers, sandboxed_path("l0")) == 0);
	CHECK(ob_strlist_add(&lowers, sandboxed_path("l1")) == 0);
	const ob_overlay overlay = {
		.lowers = &lowers,
		.bottom_fd = -1,
		.userxattr = sandboxed_rung() == OB_RUNG_RANGES,
		.old_call = old_call,
	};
	CHECK(ob_overlay_mount(&overlay, &root, NULL) == OCIB_OK);
	CHECK(fstatat(root, "f0", &st, 0) == 0);
	CHECK(fstatat(root, "f1", &st, 0) == 0);
	CHECK(unlinkat(root, "f0", 0) < 0 && errno == EROFS);
	CHECK(stat(sandboxed_path("l0/f1"), &st) < 0);
	return 0;
}

static int in_namespaces(int (*use)(bool), bool arg)
{
	int pidfd = -1, status = 0;
	pid_t pid = -1;

	ocib_errc r = ob_sandbox_fork(sandboxed_rung(), &pid, &pidfd, &t_err);
	if (pid == 0)
		_exit(r < 0 ? 255 : use(arg));
	if (r < 0)
		return 255;
	(void)close(pidfd);
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 254;
}

static void make_layers(void)
{
	char name[64];

	for (int i = 0; i < LAYERS; i++) {
		(void)snprintf(name, sizeof(name), "l%d", i);
		assert_int_equal(mkdir(sandboxed_path(name), 0755), 0);
		(void)snprintf(name, sizeof(name), "l%d/f%d", i, i);
		sandboxed_write(name, "x", 0644);
	}
	assert_int_equal(chmod(sandboxed_path("l0"), 0711), 0);
}

TEST(overlay__without_upper_directory_takes_no_changes)
{
	SANDBOXED_BEGIN();
	make_layers();
	assert_int_equal(in_namespaces(use_without_upper, false), 0);
	assert_int_equal(in_namespaces(use_without_upper, true), 0);
}

TEST(overlay__of_many_layers)
{
	SANDBOXED_BEGIN();
	make_layers();
	assert_int_equal(in_namespaces(use_overlay, false), 0);
}

TEST(overlay__of_many_layers_by_the_old_call)
{
	SANDBOXED_BEGIN();
	make_layers();
	assert_int_equal(in_namespaces(use_overlay, true), 0);
}

TEST(overlay__of_too_many_layers_is_a_limit)
{
	ob_autodone(ob_strlist) lowers = {0};
	int fd = -1;

	for (int i = 0; i < 600; i++)
		assert_int_equal(ob_strlist_add(&lowers, "/"), 0);
	const ob_overlay overlay = {
		.lowers = &lowers, .bottom_fd = -1, .upper = "/u", .work = "/w"};
	ASSERT_ERROR(ob_overlay_mount(&overlay, &fd, &t_err), OCIB_ERR_LIMIT, "600 layers");
}

TEST(overlay__missing_layer_is_named)
{
	ob_autodone(ob_strlist) lowers = {0};
	int fd = -1;

	assert_int_equal(ob_strlist_add(&lowers, "/nonexistent/tree"), 0);
	const ob_overlay overlay = {
		.lowers = &lowers, .bottom_fd = -1, .upper = "/u", .work = "/w"};
	ASSERT_ERROR(ob_overlay_mount(&overlay, &fd, &t_err), OCIB_ERR_SYSTEM,
		     "open tree '/nonexistent/tree'");
}
