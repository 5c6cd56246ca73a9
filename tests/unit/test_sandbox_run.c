/* test_sandbox_run.c — commands in a busybox root: what they see, what they may do, what they leave. */
#include "sandboxed.h"
#include <sys/xattr.h>

SANDBOXED_AGAIN_AS_USER(run__everything_again_as_an_ordinary_user)

/* Give the script's output, one line for each of several questions, and compare it as a whole. */
#define ASSERT_SCRIPT(script, text) assert_string_equal(sandboxed_script(script), text)

static int exists(const char *name)
{
	struct stat st;

	return lstat(sandboxed_path(name), &st) == 0;
}

TEST(run__writes_to_upper_and_nowhere_else)
{
	SANDBOXED_BEGIN();
	ASSERT_SCRIPT("echo hi > /new; cat /new; id -u; id -g", "hi\n0\n0\n");
	assert_true(exists("run/upper/new"));
	assert_false(exists("base/new"));
}

TEST(run__leaves_no_trace_of_its_mounts)
{
	char command[300];

	SANDBOXED_BEGIN();
	ASSERT_SCRIPT(
		"ls /dev/null /etc/hosts /etc/resolv.conf /proc/self/exe > /dev/null && echo ok",
		"ok\n");
	(void)snprintf(command, sizeof(command), "find %s -mindepth 1",
		       sandboxed_path("run/upper"));
	FILE *find = popen(command, "re");
	assert_null(fgets(command, sizeof(command), find));
	(void)pclose(find);
}

TEST(run__sees_nothing_of_the_builder)
{
	SANDBOXED_BEGIN();
	/* Process 1 is the shell itself; its environment is what was given; "/.." leads nowhere. */
	ASSERT_SCRIPT(
		"echo $$; wc -c < /proc/1/environ; ls /..; grep -c . /proc/self/mountinfo > /m;"
		"grep ' /work\\| /home\\| /tmp' /proc/self/mountinfo",
		"1\n10\nbin\ndev\netc\nproc\nsys\ntmp\n");
	ASSERT_SCRIPT("echo /proc/[0-9]*; ls /proc/self/fd | wc -l", "/proc/1\n4\n");
}

TEST(run__has_hosts_and_a_name)
{
	SANDBOXED_BEGIN();
	ASSERT_SCRIPT("hostname; cat /etc/hosts; echo x >> /etc/hosts",
		      "buildkitsandbox\n127.0.0.1\tlocalhost buildkitsandbox\n"
		      "::1\tlocalhost ip6-localhost ip6-loopback\n"
		      "/bin/sh: can't create /etc/hosts: Read-only file system\n");
}

TEST(run__has_the_devices_that_everybody_expects)
{
	SANDBOXED_BEGIN();
	ASSERT_SCRIPT(
		"for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done;"
		"echo x > /dev/null; head -c 2 /dev/zero | wc -c; readlink /dev/stdout; readlink /dev/fd;"
		"ls -d /dev/shm /dev/mqueue /dev/pts/ptmx; touch /dev/shm/x && echo shm;"
		"ls /dev/kmsg /dev/mem 2>/dev/null",
		"2\n/proc/self/fd/1\n/proc/self/fd\n/dev/mqueue\n/dev/pts/ptmx\n/dev/shm\nshm\n");
}

TEST(run__no_other_device_opens)
{
	SANDBOXED_BEGIN();
	/* For an ordinary user they cannot even be made. */
	ASSERT_SCRIPT(
		"for d in / /dev/ /dev/shm/ /tmp/; do mknod ${d}zero2 c 1 5 2>/dev/null &&"
		"head -c 1 ${d}zero2 2>/dev/null | wc -c; done | grep -v 0; chmod 600 /dev/null;"
		"test -w /dev/null && echo ok",
		"chmod: /dev/null: Read-only file system\nok\n");
}

TEST(run__proc_and_sys_are_masked_and_read_only)
{
	SANDBOXED_BEGIN();
	ASSERT_SCRIPT(
		"for f in keys timer_list kcore interrupts; do test -s /proc/$f && echo $f; done;"
		"echo 1 > /proc/sys/vm/overcommit_memory; "
		"ls /sys/firmware; touch /sys/x; mkdir /sys/fs/cgroup/x",
		"/bin/sh: can't create /proc/sys/vm/overcommit_memory: Read-only file system\n"
		"touch: /sys/x: Read-only file system\n"
		"mkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system\n");
}

TEST(run__has_dockers_capabilities_and_no_more)
{
	SANDBOXED_BEGIN();
	ASSERT_SCRIPT(
		"grep -E 'Cap|NoNewPrivs|Seccomp:' /proc/self/status",
		"CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
		"CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\n"
		"Seccomp:\t2\n");
}

TEST(run__may_not_mount_or_make_namespaces)
{
	SANDBOXED_BEGIN();
	ASSERT_SCRIPT("mount -t tmpfs x /tmp; umount /proc; unshare -U true; unshare -m true",
		      "mount: permission denied (are you root?)\n"
		      "umount: can't unmount /proc: Operation not permitted\n"
		      "unshare: unshare(0x10000000): Operation not permitted\n"
		      "unshare: unshare(0x20000): Operation not permitted\n");
}

TEST(run__signals_are_as_in_a_fresh_process)
{
	SANDBOXED_BEGIN();
	ASSERT_SCRIPT("grep -E 'SigBlk|SigIgn' /proc/self/status; ulimit -n > /dev/null; umask",
		      "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022\n");
}

TEST(run__user_has_its_groups_from_the_image)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec =
		sandboxed_spec("id; echo $HOME; grep CapEff /proc/self/status; touch /x");
	spec->user = strdup("ann");
	spec->init_env = true;
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "uid=1000(ann) gid=1001(ann) groups=44(extra),1001(ann)\n"
					"/home/ann\nCapEff:\t0000000000000000\n"
					"touch: /x: Permission denied\n");
	assert_int_equal(result.status, 1);
}

TEST(run__user_may_write_to_the_standard_streams_by_name)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec("echo out > /dev/stdout; echo err > /dev/stderr");
	spec->user = strdup("1000:1000");
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "out\nerr\n");
}

TEST(run__set_user_id_programs_work)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	assert_int_equal(chmod(sandboxed_path("base/bin/busybox"), 04755), 0);
	/* busybox's su keeps its privilege where others drop it. */
	ob_run_spec *spec = sandboxed_spec("su -c 'id -u; grep CapEff /proc/self/status' root");
	spec->user = strdup("ann");
	sandboxed_write("base/etc/shadow", "root::1::::::\n", 0600);
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "0\nCapEff:\t00000000a80425fb\n");
}

TEST(run__unknown_user_is_not_found)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec("true");
	spec->user = strdup("bob");
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_int_equal(result.code, OCIB_ERR_NOTFOUND);
	assert_string_equal(result.message, "user 'bob' is not in the image's /etc/passwd");
}

TEST(run__missing_executable_is_not_found)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec("true");
	free(spec->argv.items[0]);
	spec->argv.items[0] = strdup("nonesuch");
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_int_equal(result.code, OCIB_ERR_NOTFOUND);
	assert_string_equal(result.message, "executable 'nonesuch' is not in the image's PATH");
}

TEST(run__exit_status_and_signal_are_told_apart)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec("exit 7");
	sandboxed_run(spec, &result);
	assert_int_equal(result.exited, 1);
	assert_int_equal(result.status, 7);
	ob_strlist_done(&spec->argv);
	assert_int_equal(ob_strlist_add(&spec->argv, "sh"), 0);
	assert_int_equal(ob_strlist_add(&spec->argv, "-c"), 0);
	assert_int_equal(ob_strlist_add(&spec->argv, "sh -c 'kill -9 $$'; exit $?"), 0);
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_int_equal(result.exited, 1);
	assert_int_equal(result.status, 137);
}

TEST(run__background_processes_die_with_the_command)
{
	SANDBOXED_BEGIN();
	/* The pipe of the output would stay open for a minute if they did not. */
	ASSERT_SCRIPT("sleep 60 & setsid sleep 60 & echo done", "done\n");
}

TEST(run__missing_working_directory_is_made_for_its_user)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec("pwd; stat -c '%u %g %a' /a/b");
	spec->cwd = strdup("/a/b");
	spec->user = strdup("ann");
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "/a/b\n1000 1001 755\n");
	assert_true(exists("run/upper/a/b"));
}

TEST(run__without_network_has_loopback_only)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec(
		"ip -o link | wc -l; ip -o addr | grep -c 127.0.0.1; ls /sys/class/net");
	spec->network = OB_NETWORK_NONE;
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "1\n1\nlo\n");
}

TEST(run__fsync_is_answered_at_once)
{
	SANDBOXED_BEGIN();
	ASSERT_SCRIPT("dd if=/dev/zero of=/big bs=1M count=8 conv=fsync 2>/dev/null; sync; echo ok",
		      "ok\n");
}

TEST(run__ulimits_are_set_and_refused_with_their_name)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec("ulimit -Sn; ulimit -Hn");
	assert_int_equal(ob_strlist_add(&spec->ulimits, "nofile=100:200"), 0);
	sandboxed_run(spec, &result);
	assert_string_equal(result.out, "100\n200\n");
	free(spec->ulimits.items[0]);
	spec->ulimits.items[0] = strdup("nofiles=3");
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_int_equal(result.code, OCIB_ERR_INVALID);
	assert_string_equal(result.message, "ulimit 'nofiles=3': no limit of that name");
}

static ob_mount *add_mount(ob_run_spec *spec, ob_mount_kind kind, const char *target)
{
	spec->mounts = reallocarray(spec->mounts, spec->mount_count + 1, sizeof(*spec->mounts));
	assert_non_null(spec->mounts);
	ob_mount *mount = &spec->mounts[spec->mount_count++];
	*mount = (ob_mount){.kind = kind, .target = strdup(target)};
	return mount;
}

TEST(run__mounts_appear_and_leave_no_trace)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	assert_int_equal(mkdir(sandboxed_path("shared"), 0755), 0);
	sandboxed_write("shared/file", "shared\n", 0644);
	ob_run_spec *spec = sandboxed_spec(
		"cat /mnt/deep/er/file; echo new > /mnt/deep/er/new;"
		"touch /mnt/ro/x; cat /run/secrets/key; stat -c '%a %u' /run/secrets/key;"
		"touch /cache/t/x; cat /dev/pipes/EOF");
	add_mount(spec, OB_MOUNT_BIND, "/mnt/deep/er")->source = strdup(sandboxed_path("shared"));
	ob_mount *read_only = add_mount(spec, OB_MOUNT_BIND, "/mnt/ro");
	read_only->source = strdup(sandboxed_path("shared"));
	read_only->read_only = true;
	ob_mount *secret = add_mount(spec, OB_MOUNT_FILE, "/run/secrets/key");
	secret->data = strdup("s3cret\n");
	secret->data_len = 7;
	secret->mode = 0400;
	(void)add_mount(spec, OB_MOUNT_TMPFS, "/cache/t");
	ob_mount *here = add_mount(spec, OB_MOUNT_FILE, "/dev/pipes/EOF");
	here->data = strdup("heredoc\n");
	here->data_len = 8;
	here->mode = 0755;
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.message, "no error");
	assert_string_equal(
		result.out,
		"shared\ntouch: /mnt/ro/x: Read-only file system\ns3cret\n400 0\nheredoc\n");
	assert_true(exists("shared/new"));
	assert_false(exists("run/upper/mnt"));
	assert_false(exists("run/upper/run"));
	assert_false(exists("run/upper/cache"));
}

TEST(run__part_of_a_source_is_looked_up_inside_it)
{
	static const struct {
		const char *inside, *wants;
	} cases[] = {
		{"/in/f", "deep\n"},
		{"/link/f", "deep\n"},
		{"/../in/f", "deep\n"},
		{"/out", "there is no '/out' to mount at '/m'"},
		{"/in/f/x", "there is no '/in/f/x' to mount at '/m'"},
	};
	sandboxed_result result;

	SANDBOXED_BEGIN();
	assert_int_equal(mkdir(sandboxed_path("shared"), 0755), 0);
	assert_int_equal(mkdir(sandboxed_path("shared/in"), 0755), 0);
	sandboxed_write("shared/in/f", "deep\n", 0644);
	assert_int_equal(symlink("/in", sandboxed_path("shared/link")), 0);
	assert_int_equal(symlink("/etc/passwd", sandboxed_path("shared/out")), 0);
	for (size_t i = 0; i < OB_ARRAY_LEN(cases); i++) {
		ob_run_spec *spec = sandboxed_spec("cat /m");
		ob_mount *mount = add_mount(spec, OB_MOUNT_BIND, "/m");

		mount->source = strdup(sandboxed_path("shared"));
		mount->inside = strdup(cases[i].inside);
		sandboxed_run(spec, &result);
		ob_run_spec_free(spec);
		assert_string_equal(result.code == OCIB_OK ? result.out : result.message,
				    cases[i].wants);
	}
}

/* Trees low/ and high/, both with "f"; high/ hides "gone" of low/ where overlays can say so. */
static ob_mount *add_tree(ob_run_spec *spec, const char *target, const char *inside)
{
	ob_mount *mount = add_mount(spec, OB_MOUNT_TREE, target);

	assert_int_equal(ob_strlist_add(&mount->lowers, sandboxed_path("high")), 0);
	assert_int_equal(ob_strlist_add(&mount->lowers, sandboxed_path("low")), 0);
	mount->inside = inside ? strdup(inside) : NULL;
	mount->read_only = true;
	return mount;
}

TEST(run__trees_are_mounted_as_one_and_in_part)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	for (size_t i = 0; i < 2; i++) {
		const char *name = i ? "high" : "low";
		char path[64];

		assert_int_equal(mkdir(sandboxed_path(name), 0755), 0);
		(void)snprintf(path, sizeof(path), "%s/d", name);
		assert_int_equal(mkdir(sandboxed_path(path), 0755), 0);
		(void)snprintf(path, sizeof(path), "%s/d/%s", name, name);
		sandboxed_write(path, "x\n", 0644);
		(void)snprintf(path, sizeof(path), "%s/f", name);
		sandboxed_write(path, i ? "high\n" : "low\n", 0644);
	}
	assert_int_equal(symlink("../../d", sandboxed_path("high/l")), 0);
	ob_run_spec *spec =
		sandboxed_spec("cat /all/f; ls /all/d; touch /all/x; ls /part; cat /file;"
			       "echo new > /rw/f; rm /rw/d/low; cat /rw/f; ls /rw/d; ls -A /none");
	(void)add_tree(spec, "/all", NULL);
	(void)add_tree(spec, "/part", "/l");
	(void)add_tree(spec, "/file", "/f");
	ob_mount *writable = add_tree(spec, "/rw", NULL);
	writable->read_only = false;
	assert_int_equal(mkdir(sandboxed_path("changes"), 0755), 0);
	writable->upper = strdup(sandboxed_path("changes/upper"));
	writable->work = strdup(sandboxed_path("changes/work"));
	add_mount(spec, OB_MOUNT_TREE, "/none")->read_only = true;
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.message, "no error");
	assert_string_equal(result.out, "high\nhigh\nlow\ntouch: /all/x: Read-only file system\n"
					"high\nlow\nhigh\nnew\nhigh\n");
	assert_true(exists("low/d/low"));
	assert_true(exists("changes/upper/f"));
	assert_false(exists("run/upper/all"));
	assert_false(exists("run/upper/file"));
}

TEST(run__mount_points_behind_links_are_taken_away_again)
{
	sandboxed_result result;
	struct stat before, after;

	SANDBOXED_BEGIN();
	assert_int_equal(mkdir(sandboxed_path("base/var"), 0755), 0);
	assert_int_equal(symlink("../deep/run", sandboxed_path("base/var/run")), 0);
	assert_int_equal(symlink("/run/resolved.conf", sandboxed_path("base/etc/resolv.conf")), 0);
	const struct timespec times[2] = {{1000, 0}, {1000, 0}};
	assert_int_equal(utimensat(AT_FDCWD, sandboxed_path("base"), times, 0), 0);
	assert_int_equal(stat(sandboxed_path("base"), &before), 0);
	ob_run_spec *spec = sandboxed_spec(
		"cat /var/run/x/key; ls /deep/run/x; test -e /etc/resolv.conf && echo resolv");
	ob_mount *secret = add_mount(spec, OB_MOUNT_FILE, "/var/run/x/key");
	secret->data = strdup("k\n");
	secret->data_len = 2;
	secret->mode = 0444;
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "k\nkey\nresolv\n");
	assert_string_equal(result.stubs, "");
	assert_false(exists("run/upper/deep"));
	assert_false(exists("run/upper/run"));
	assert_int_equal(stat(sandboxed_path("run/upper"), &after), 0);
	assert_int_equal(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
}

TEST(run__a_mount_target_cannot_lead_out_of_the_root)
{
	sandboxed_result result;
	char link[300];

	SANDBOXED_BEGIN();
	assert_int_equal(mkdir(sandboxed_path("outside"), 0755), 0);
	(void)snprintf(link, sizeof(link), "../../../../../..%s", sandboxed_path("outside"));
	assert_int_equal(symlink(link, sandboxed_path("base/out")), 0);
	ob_run_spec *spec = sandboxed_spec("cat /out/file");
	ob_mount *file = add_mount(spec, OB_MOUNT_FILE, "/out/file");
	file->data = strdup("in\n");
	file->data_len = 3;
	file->mode = 0444;
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "in\n");
	assert_false(exists("outside/file"));
}

TEST(run__read_only_root_refuses_writes)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec("touch /x; touch /dev/shm/x && echo shm");
	spec->read_only_root = true;
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "touch: /x: Read-only file system\nshm\n");
}

TEST(run__read_only_root_names_its_mount_points)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	assert_int_equal(symlink("/run/resolved.conf", sandboxed_path("base/etc/resolv.conf")), 0);
	ob_run_spec *spec = sandboxed_spec("test -e /etc/resolv.conf && echo resolv");
	spec->read_only_root = true;
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_int_equal(result.code, OCIB_OK);
	assert_string_equal(result.out, "resolv\n");
	assert_string_equal(result.stubs, "runrun/resolved.conf");
}

TEST(run__insecure_has_all_capabilities_and_no_filter)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec(
		"mount -t tmpfs x /tmp && echo mounted; grep Seccomp: /proc/self/status");
	spec->insecure = true;
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "mounted\nSeccomp:\t0\n");
}

TEST(run__insecure_means_every_user)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec("id -u; chown 5 /tmp && stat -c %u /tmp");
	spec->insecure = true;
	spec->user = strdup("1000");
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "1000\n5\n");
}

TEST(run__scratch_root_has_what_is_mounted)
{
	sandboxed_result result;

	SANDBOXED_BEGIN();
	ob_run_spec *spec = sandboxed_spec("true");
	ob_strlist_done(&spec->lowers);
	ob_strlist_done(&spec->argv);
	assert_int_equal(ob_strlist_add(&spec->argv, "/busybox"), 0);
	assert_int_equal(ob_strlist_add(&spec->argv, "ls"), 0);
	assert_int_equal(ob_strlist_add(&spec->argv, "/"), 0);
	add_mount(spec, OB_MOUNT_BIND, "/busybox")->source = strdup("/bin/busybox");
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "busybox\ndev\netc\nproc\nsys\n");
}

TEST(run__a_removed_directory_is_hidden_from_the_next_command)
{
	SANDBOXED_BEGIN();
	assert_int_equal(mkdir(sandboxed_path("base/d"), 0755), 0);
	sandboxed_write("base/d/old", "", 0644);
	ASSERT_SCRIPT("rm -r /d && mkdir /d && touch /d/new && ls /d", "new\n");
	assert_int_equal(rename(sandboxed_path("run/upper"), sandboxed_path("first")), 0);
	ob_run_spec *spec = sandboxed_spec("ls /d");
	sandboxed_result result;
	ob_strlist_done(&spec->lowers);
	assert_int_equal(ob_strlist_add(&spec->lowers, sandboxed_path("first")), 0);
	assert_int_equal(ob_strlist_add(&spec->lowers, sandboxed_path("base")), 0);
	/* The next step's work directory is its own. */
	free(spec->work);
	spec->work = strdup(sandboxed_path("run/work2"));
	sandboxed_run(spec, &result);
	ob_run_spec_free(spec);
	assert_string_equal(result.out, "new\n");
}
