/* sandbox/foreign.c — see foreign.h.
 *
 * Three ways, tried in this order, each for real: the kernel runs such programs by itself (32-bit ones of
 * the same family, or because the machine's binfmt_misc knows an emulator and has it open); a private
 * binfmt_misc with an emulator that is installed here; none, and then what is missing is said. A trial
 * happens in an empty root, because an emulator that is looked up in the image is as good as none.
 */
#include "sandbox/foreign.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "image/platform.h"
#include "sandbox/device_dir.h"
#include "sandbox/kernel_calls.h"
#include "sandbox/sandbox_child.h"

#define PROGRAM "program"

void ob_foreign_done(ob_foreign *f)
{
	ob_closep(&f->emulator_fd);
	free(f->emulator);
	free(f->rule);
	free(f->uid_map);
	free(f->gid_map);
	*f = (ob_foreign){.emulator_fd = -1};
}

ob_emulation ob_foreign_emulation(const ob_foreign *f)
{
	return (ob_emulation){
		.rule = f->rule,
		.rule_len = f->rule ? strlen(f->rule) : 0,
		.uid_map = f->uid_map,
		.gid_map = f->gid_map,
	};
}

/* --- trials --- */

static ocib_errc make_program(const ob_machine *machine, int *out, ocib_error **err)
{
	ob_autodone(ob_buffer) program = OB_BUFFER_INIT(4 * OB_KIB, "program");
	ob_autofd int dir = ob_tmpfs_mount(0755, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	ob_autofd int fd = -1;

	ob_machine_program(machine, &program);
	ocib_errc r = ob_buffer_check(&program, err);
	if (r < 0)
		return r;
	if (dir >= 0)
		fd = openat(dir, PROGRAM, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (fd < 0 || ob_write_full(fd, program.data, program.len) < 0 ||
	    mkdirat(dir, "proc", 0555) < 0)
		return ob_fail_errno(err, "make a program for a trial");
	*out = ob_take_fd(dir);
	return OCIB_OK;
}

static int mount_proc(void)
{
	ob_autofd int fs = ob_sys_fsopen("proc");

	return fs >= 0 && ob_sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0
		       ? ob_sys_fsmount(fs, 0)
		       : -1;
}

/* As a command would have it: a root with nothing but the program and a /proc. */
static int try_enter(int root_fd, const ob_emulation *emulation, int proc_fd)
{
	if (ob_child_enter_root(root_fd) < 0 || ob_sys_move_mount(proc_fd, AT_FDCWD, "/proc") < 0)
		return -1;
	return emulation->rule ? ob_emulation_enter(emulation, proc_fd) : 0;
}

/* Sends an errno when it cannot be executed, and nothing else. */
static _Noreturn void try_child(int root_fd, const ob_emulation *emulation, int proc_fd, int report)
{
	static char name[] = PROGRAM;
	static char *const argv[] = {name, NULL}, *const env[] = {NULL};

	if (try_enter(root_fd, emulation, proc_fd) == 0)
		(void)execve("/" PROGRAM, argv, env);
	(void)!write(report, &errno, sizeof(errno));
	_exit(127);
}

/* 0: it ran and said so; else why not. */
static int try_run(int root_fd, const ob_emulation *emulation)
{
	struct clone_args args = {.exit_signal = SIGCHLD,
				  .flags = CLONE_NEWNS | CLONE_CLEAR_SIGHAND};
	ob_autofd int proc_fd = mount_proc(), report = -1;
	int ends[2], why = 0, status = 0;

	if (proc_fd < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	report = ends[0];
	pid_t pid = ob_sys_clone3(&args);
	if (pid == 0)
		try_child(root_fd, emulation, proc_fd, ends[1]);
	(void)close(ends[1]);
	if (pid < 0)
		return errno;
	if (ob_read_full(report, &why, sizeof(why)) != (ssize_t)sizeof(why))
		why = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return why ? why : WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ENOEXEC;
}

/* --- the emulator --- */

/* One that needs a loader of its own would look for it in the image. */
static bool is_static(int fd)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	if (header.e_ident[EI_CLASS] != ELFCLASS64)
		return true; /* of a 32-bit machine: the trial will tell */
	for (unsigned i = 0; i < header.e_phnum; i++) {
		off_t at = (off_t)(header.e_phoff + i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), at) != (ssize_t)sizeof(segment) ||
		    segment.p_type == PT_INTERP)
			return false;
	}
	return true;
}

static ocib_errc find_emulator(ob_foreign *f, ocib_error **err)
{
	static const char *const dirs[] = {"/usr/local/bin", "/usr/bin", "/bin"};
	static const char *const endings[] = {"-static", ""};

	for (size_t i = 0; i < OB_ARRAY_LEN(dirs) * OB_ARRAY_LEN(endings); i++) {
		ob_autofree char *path = ob_str_printf("%s/qemu-%s%s", dirs[i / 2],
						       f->machine->qemu, endings[i % 2]);
		ob_autofd int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

		if (!path)
			return ob_fail_nomem(err);
		if (fd < 0 || !is_static(fd))
			continue;
		f->emulator_fd = ob_take_fd(fd);
		f->emulator = ob_take_ptr(path);
		return OCIB_OK;
	}
	return OCIB_OK;
}

/* All ids of this namespace onto themselves: in a map's own words, line by line. */
static ocib_errc read_map(const char *path, char **out, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(64 * OB_KIB, "id map");
	ob_autodone(ob_buffer) map = OB_BUFFER_INIT(64 * OB_KIB, "id map");
	ocib_errc r = ob_read_file(AT_FDCWD, path, &text, err);
	char *rest = text.data;

	for (char *line; r == OCIB_OK && (line = strsep(&rest, "\n"));) {
		unsigned long inside, outside, count;

		if (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3)
			ob_buffer_printf(&map, "%lu %lu %lu\n", inside, inside, count);
	}
	return r < 0 ? r : ob_buffer_finish(&map, out, err);
}

/* The rule's path is relative to a /proc: whoever writes it stands there. */
static ocib_errc make_rule(ob_foreign *f, ocib_error **err)
{
	ob_autodone(ob_buffer) rule = OB_BUFFER_INIT(1900, "binfmt_misc rule");
	char emulator[32];

	(void)snprintf(emulator, sizeof(emulator), "self/fd/%d", f->emulator_fd);
	ob_machine_rule(f->machine, emulator, &rule);
	ocib_errc r = ob_buffer_finish(&rule, &f->rule, err);
	if (r == OCIB_OK)
		r = read_map("/proc/self/uid_map", &f->uid_map, err);
	return r == OCIB_OK ? read_map("/proc/self/gid_map", &f->gid_map, err) : r;
}

/* --- what is missing --- */

static void hint_install(const ob_machine *m, ocib_error **err)
{
	ob_error_set_hint(
		err,
		"install an emulator, as root: apt-get install qemu-user-static (Debian, "
		"Ubuntu), dnf install qemu-user-static-%s (Fedora), apk add qemu-%s (Alpine)",
		m->qemu, m->qemu);
}

static ocib_errc fail_without_emulator(const ob_machine *m, ocib_error **err)
{
	(void)ob_fail(err, OCIB_ERR_DENIED,
		      "commands for %s cannot be run here: there is no emulator, qemu-%s-static",
		      m->arch, m->qemu);
	hint_install(m, err);
	return OCIB_ERR_DENIED;
}

static bool kernel_is_older_than(long major, long minor)
{
	struct utsname name;
	char *end;

	if (uname(&name) < 0)
		return false;
	long have = strtol(name.release, &end, 10);
	long have_minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
	return have < major || (have == major && have_minor < minor);
}

static ocib_errc fail_private(const ob_foreign *f, int why, ocib_error **err)
{
	errno = why;
	(void)ob_fail(err, OCIB_ERR_DENIED,
		      "commands for %s cannot be run here: a private binfmt_misc for '%s': %s",
		      f->machine->arch, f->emulator, strerror(why));
	if (kernel_is_older_than(6, 7))
		ob_error_set_hint(
			err,
			"this takes Linux 6.7 or newer; with an older one the emulator must "
			"be registered for the whole machine, as root: apt-get install "
			"qemu-user-static binfmt-support (Debian, Ubuntu), dnf install "
			"qemu-user-static-%s (Fedora), apk add qemu-%s qemu-openrc (Alpine)",
			f->machine->qemu, f->machine->qemu);
	else
		ob_error_set_hint(
			err, "the kernel has no binfmt_misc (as root: modprobe binfmt_misc), or a "
			     "container keeps us from mounting it: register the emulator for "
			     "the whole machine, as qemu-user-static does with binfmt-support");
	return OCIB_ERR_DENIED;
}

/* --- all together --- */

/* A root that was entered is used up. */
static ocib_errc try_machine(const ob_machine *machine, const ob_emulation *emulation, int *why,
			     ocib_error **err)
{
	ob_autofd int root_fd = -1;
	ocib_errc r = make_program(machine, &root_fd, err);

	if (r == OCIB_OK)
		*why = try_run(root_fd, emulation);
	return r;
}

static ocib_errc find(ob_foreign *f, ocib_error **err)
{
	const ob_emulation nothing = {0};
	int why = 0;
	ocib_errc r = try_machine(f->machine, &nothing, &why, err);

	if (r < 0 || !why)
		return r;
	r = find_emulator(f, err);
	if (r < 0)
		return r;
	if (!f->emulator)
		return fail_without_emulator(f->machine, err);
	r = make_rule(f, err);
	if (r < 0)
		return r;
	const ob_emulation emulation = ob_foreign_emulation(f);
	r = try_machine(f->machine, &emulation, &why, err);
	return r == OCIB_OK && why ? fail_private(f, why, err) : r;
}

ocib_errc ob_foreign_find(const char *arch, ob_foreign *out, ocib_error **err)
{
	ob_autodone(ob_foreign) f = {.machine = ob_machine_find(arch), .emulator_fd = -1};

	if (!f.machine)
		return ob_fail(err, OCIB_ERR_UNSUPPORTED,
			       "commands for the architecture '%.64s' cannot be run on any other",
			       arch);
	ocib_errc r = find(&f, err);
	if (r < 0)
		return r;
	*out = f;
	f = (ob_foreign){.emulator_fd = -1};
	return OCIB_OK;
}

ocib_errc ob_foreign_list(ob_strlist *out, ocib_error **err)
{
	ob_platform host;

	ob_platform_host(&host);
	for (size_t i = 0; i < ob_machine_count(); i++) {
		const ob_machine *machine = ob_machine_at(i);
		ob_autodone(ob_foreign) f = {.emulator_fd = -1};
		bool is_host = ob_str_eq(machine->arch, host.arch);

		if (!is_host && ob_foreign_find(machine->arch, &f, NULL) < 0)
			continue;
		if (ob_strlist_add_printf(out, "linux/%s%s%s%s", machine->arch,
					  f.emulator ? " (" : "", f.emulator ? f.emulator : "",
					  f.emulator ? ")" : "") < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}
