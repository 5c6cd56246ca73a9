/* test_sandbox_foreign.c — programs of other machines: the least of them, the rule for them, commands that are such. */
#include "sandboxed.h"
#include <sys/utsname.h>
#include "base/limits.h"
#include "image/platform.h"
#include "sandbox/foreign.h"

SANDBOXED_AGAIN_AS_USER(foreign__everything_again_as_an_ordinary_user)

static const char *emulator_of(const ob_machine *machine)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "/usr/bin/qemu-%s-static", machine->qemu);
	return access(path, X_OK) == 0 ? path : NULL;
}

static void write_program(const ob_machine *machine, const char *name)
{
	ob_autodone(ob_buffer) program = OB_BUFFER_INIT(4 * OB_KIB, "program");
	ob_autofd int fd =
		open(sandboxed_path(name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0755);

	ob_machine_program(machine, &program);
	ASSERT_OK(ob_buffer_check(&program, &t_err));
	assert_true(fd >= 0);
	assert_int_equal(ob_write_full(fd, program.data, program.len), 0);
}

static int status_of(const char *emulator, const char *program)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (emulator)
			execl(emulator, emulator, program, (char *)NULL);
		else
			execl(program, program, (char *)NULL);
		_exit(errno == ENOEXEC ? 126 : 127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* This machine's own, and all that QEMU is installed for. */
TEST(foreign__each_least_program_ends_with_status_zero)
{
	ob_platform host;
	size_t tried = 0;

	ob_platform_host(&host);
	for (size_t i = 0; i < ob_machine_count(); i++) {
		const ob_machine *machine = ob_machine_at(i);
		bool is_host = ob_str_eq(machine->arch, host.arch);
		const char *emulator = is_host ? NULL : emulator_of(machine);

		if (!is_host && !emulator)
			continue;
		write_program(machine, machine->arch);
		int status = status_of(emulator, sandboxed_path(machine->arch));
		if (status)
			fail_msg("the program for %s ended with %d", machine->arch, status);
		tried++;
	}
	assert_true(tried >= 1);
	if (tried < ob_machine_count())
		SKIP("QEMU is not here for all machines: %zu of %zu were tried", tried,
		     ob_machine_count());
}

static void assert_rule(const char *arch, const char *wanted)
{
	ob_autodone(ob_buffer) rule = OB_BUFFER_INIT(1900, "rule");

	ob_machine_rule(ob_machine_find(arch), "self/fd/7", &rule);
	ASSERT_OK(ob_buffer_check(&rule, &t_err));
	assert_string_equal(rule.data, wanted);
}

TEST(foreign__rule_looks_at_what_a_header_must_have)
{
	assert_rule(
		"arm64",
		":ocibuild-arm64:M::"
		"\\x7f\\x45\\x4c\\x46\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
		"\\x02\\x00\\xb7\\x00:"
		"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff"
		"\\xfe\\xff\\xff\\xff:self/fd/7:OCPF");
	assert_rule(
		"s390x",
		":ocibuild-s390x:M::"
		"\\x7f\\x45\\x4c\\x46\\x02\\x02\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
		"\\x00\\x02\\x00\\x16:"
		"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff"
		"\\xff\\xfe\\xff\\xff:self/fd/7:OCPF");
}

TEST(foreign__unknown_machine_is_refused)
{
	ob_foreign foreign;

	ASSERT_ERROR(ob_foreign_find("pdp11", &foreign, &t_err), OCIB_ERR_UNSUPPORTED, "'pdp11'");
}

/* Another kind of machine than this one, whose emulator is here. */
static const ob_machine *other_machine(void)
{
	ob_platform host;

	ob_platform_host(&host);
	const ob_machine *machine =
		ob_machine_find(ob_str_eq(host.arch, "arm64") ? "riscv64" : "arm64");
	return emulator_of(machine) ? machine : NULL;
}

static void run_script(const char *script, const char *arch, sandboxed_result *result)
{
	ob_auto(ob_run_spec) spec = sandboxed_spec(script);

	spec->arch = arch ? strdup(arch) : NULL;
	sandboxed_run(spec, result);
}

/* What a command of that machine gives, or what its failure says. */
#define BEGIN_FOREIGN(machine)                                                             \
	SANDBOXED_BEGIN();                                                                 \
	const ob_machine *machine = other_machine();                                       \
	if (!machine)                                                                      \
		SKIP("there is no QEMU (apt install qemu-user-static): NOT TRIED");        \
	write_program(machine, "base/foreign");                                            \
	sandboxed_result result;                                                           \
	run_script("/foreign && echo ran", machine->arch, &result);                        \
	if (result.code == OCIB_ERR_DENIED) {                                              \
		assert_non_null(strstr(result.message, "a private binfmt_misc for"));      \
		SKIP("NOT TRIED on this kernel (it takes Linux 6.7): %s", result.message); \
	}

TEST(foreign__programs_of_another_machine_run)
{
	BEGIN_FOREIGN(machine);
	assert_int_equal(result.code, OCIB_OK);
	assert_string_equal(result.out, "ran\n");
	/* Where nobody asked for it, they run only if the whole machine runs them. */
	run_script("/foreign 2>/dev/null && echo ran", NULL, &result);
	if (access("/proc/sys/fs/binfmt_misc/qemu-aarch64", F_OK) < 0)
		assert_string_equal(result.out, "");
}

TEST(foreign__nothing_of_the_emulator_is_left_or_seen)
{
	BEGIN_FOREIGN(machine);
	run_script("ls /; ls /proc/self/fd | wc -l; id -u; chown 5:6 /tmp; stat -c %u:%g /tmp",
		   machine->arch, &result);
	assert_string_equal(result.out, "bin\ndev\netc\nforeign\nproc\nsys\ntmp\n4\n0\n5:6\n");
	assert_string_equal(result.stubs, "");
	run_script("echo : > /proc/sys/fs/binfmt_misc/register", machine->arch, &result);
	assert_non_null(strstr(result.out, "Read-only file system"));
}

TEST(foreign__users_limits_and_setuid_programs_are_as_elsewhere)
{
	BEGIN_FOREIGN(machine);
	run_script("cp /foreign /tmp/f; cp /bin/busybox /tmp/su; chmod 4755 /tmp/su;"
		   "su ann -c '/tmp/f && id -u; /tmp/su sh -c \"id -u\"'; hostname; ulimit -n",
		   machine->arch, &result);
	assert_non_null(strstr(result.out, "1000\n"));
	assert_non_null(strstr(result.out, OB_DEFAULT_HOSTNAME));
}
