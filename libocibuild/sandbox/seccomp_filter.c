/* sandbox/seccomp_filter.c — the system call policy compiled to BPF.
 *
 * libseccomp resolves names to numbers for the machine's architecture and the ones it also runs; the
 * program is laid out here, because libseccomp before 2.6 can neither hand it over in memory nor answer
 * ENOSYS for numbers that are too new, and takes ten times as long over a filter for three
 * architectures. Per architecture the number line is cut into runs of one verdict and searched by
 * halving: nine comparisons at most. The kernel remembers constant verdicts and does not run the
 * program for them at all. x32, which next to no machine runs, is not known to it.
 */
#include "sandbox/seccomp_filter.h"
#include <errno.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "base/strings.h"
#include "sandbox/seccomp_table.h"

#define MAX_RUNS 2048
#define NEW_NAMESPACES                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF 4
#endif

/* From start on, up to the next run, every number has this verdict. */
typedef struct run {
	uint32_t start;
	ob_verdict verdict;
} run;

typedef struct program {
	struct sock_filter code[BPF_MAXINSNS];
	size_t len;
	bool is_full;
	bool is_s390; /* clone's flags are its second argument there */
} program;

static size_t emit(program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->len == BPF_MAXINSNS) {
		p->is_full = true;
		return 0;
	}
	p->code[p->len] = (struct sock_filter){code, jt, jf, k};
	return p->len++;
}

static void emit_return(program *p, uint32_t action)
{
	(void)emit(p, BPF_RET | BPF_K, action, 0, 0);
}

static void emit_load_argument(program *p, unsigned index)
{
	size_t offset = offsetof(struct seccomp_data, args) + index * sizeof(uint64_t) + LOW_HALF;

	(void)emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The kernel takes these arguments as 32 bits, whatever stands in the upper half. */
static void emit_match(program *p, unsigned index, const uint32_t *values, size_t count,
		       uint32_t if_one, uint32_t if_none)
{
	emit_load_argument(p, index);
	for (size_t i = 0; i < count; i++) {
		(void)emit(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1);
		emit_return(p, if_one);
	}
	emit_return(p, if_none);
}

static void emit_verdict(program *p, ob_verdict verdict)
{
	static const uint32_t families[] = {AF_ALG, AF_VSOCK};
	static const uint32_t personas[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
	static const uint32_t typing[] = {TIOCSTI, TIOCLINUX};
	const uint32_t allow = SECCOMP_RET_ALLOW, deny = SECCOMP_RET_ERRNO | EPERM;

	switch (verdict) {
	case OB_VERDICT_DENY: emit_return(p, deny); break;
	case OB_VERDICT_ALLOW: emit_return(p, allow); break;
	case OB_VERDICT_DONE: emit_return(p, SECCOMP_RET_ERRNO); break;
	case OB_VERDICT_UNKNOWN: emit_return(p, SECCOMP_RET_ERRNO | ENOSYS); break;
	case OB_VERDICT_SOCKET:
		emit_match(p, 0, families, OB_ARRAY_LEN(families), deny, allow);
		break;
	case OB_VERDICT_PERSONALITY:
		emit_match(p, 0, personas, OB_ARRAY_LEN(personas), allow, deny);
		break;
	case OB_VERDICT_IOCTL: emit_match(p, 1, typing, OB_ARRAY_LEN(typing), deny, allow); break;
	case OB_VERDICT_CLONE:
		emit_load_argument(p, p->is_s390 ? 1 : 0);
		(void)emit(p, BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1);
		emit_return(p, deny);
		emit_return(p, allow);
		break;
	}
}

/* Search runs[0..count): the left half follows at once, the right one is jumped to. */
static void emit_search(program *p, const run *runs, size_t count)
{
	size_t half = count / 2;

	if (count == 1) {
		emit_verdict(p, runs[0].verdict);
		return;
	}
	(void)emit(p, BPF_JMP | BPF_JGE | BPF_K, runs[half].start, 0, 1);
	size_t jump = emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	emit_search(p, runs, half);
	if (!p->is_full)
		p->code[jump].k = (uint32_t)(p->len - jump - 1);
	emit_search(p, runs + half, count - half);
}

typedef struct number_list {
	run items[MAX_RUNS]; /* single numbers first, then runs */
	size_t len;
} number_list;

static void add_number(number_list *list, int64_t number, ob_verdict verdict)
{
	if (number >= 0 && number <= UINT32_MAX && list->len < MAX_RUNS)
		list->items[list->len++] = (run){(uint32_t)number, verdict};
}

/* 32-bit x86 has these twice: behind socketcall() and ipc(), where libseccomp points, and direct. */
static int64_t x86_direct_number(const char *name)
{
	static const char *const names[] = {
		"socket",  "socketpair", "bind",       "connect",     "listen",
		"accept4", "getsockopt", "setsockopt", "getsockname", "getpeername",
		"sendto",  "sendmsg",    "recvfrom",   "recvmsg",     "shutdown",
	};
	static const char *const ipc_names[] = {
		"semget", "semctl", "shmget", "shmctl", "shmat",
		"shmdt",  "msgget", "msgsnd", "msgrcv", "msgctl",
	};

	for (size_t i = 0; i < OB_ARRAY_LEN(names); i++)
		if (ob_str_eq(name, names[i]))
			return 359 + (int64_t)i;
	for (size_t i = 0; i < OB_ARRAY_LEN(ipc_names); i++)
		if (ob_str_eq(name, ipc_names[i]))
			return 393 + (int64_t)i;
	return -1;
}

static int64_t find_number(uint32_t arch, const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(arch, name);

	if (number < 0 && arch == SCMP_ARCH_X86)
		return x86_direct_number(name);
	if (number != __NR_SCMP_ERROR)
		return number;
	for (size_t i = 0; i < ob_seccomp_new_number_count; i++)
		if (ob_str_eq(name, ob_seccomp_new_numbers[i].name))
			return ob_seccomp_new_numbers[i].number;
	return -1;
}

static void add_arch(number_list *list, uint32_t arch)
{
	for (size_t i = 0; i < ob_seccomp_rule_count; i++) {
		const ob_seccomp_rule *rule = &ob_seccomp_rules[i];

		if (rule->only_arch && rule->only_arch != arch)
			continue;
		for (const char *const *name = rule->names; *name; name++)
			add_number(list, find_number(arch, *name), rule->verdict);
	}
}

static int by_start(const void *a, const void *b)
{
	const run *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void append_run(number_list *runs, uint32_t start, ob_verdict verdict)
{
	if (runs->len > 0 && runs->items[runs->len - 1].verdict == verdict)
		return;
	if (runs->len > 0 && runs->items[runs->len - 1].start == start)
		runs->items[runs->len - 1].verdict = verdict;
	else if (runs->len < MAX_RUNS)
		runs->items[runs->len++] = (run){start, verdict};
}

/* What lies between two listed numbers: denied as far as this table was thought through. */
static void append_gap(number_list *runs, uint32_t from, uint32_t to)
{
	if (from <= OB_SECCOMP_NEWEST)
		append_run(runs, from, OB_VERDICT_DENY);
	if (to > OB_SECCOMP_NEWEST + 1)
		append_run(runs, from > OB_SECCOMP_NEWEST ? from : OB_SECCOMP_NEWEST + 1,
			   OB_VERDICT_UNKNOWN);
}

static void numbers_to_runs(number_list *numbers, number_list *runs)
{
	uint32_t next = 0;

	qsort(numbers->items, numbers->len, sizeof(run), by_start);
	for (size_t i = 0; i < numbers->len; i++) {
		const run *one = &numbers->items[i];

		if (one->start > next)
			append_gap(runs, next, one->start);
		append_run(runs, one->start, one->verdict);
		next = one->start + 1;
	}
	append_gap(runs, next, UINT32_MAX);
}

/* An architecture that a native one also runs: the kernel's name of it, and libseccomp's. */
typedef struct arch_group {
	uint32_t native, audit, arch;
} arch_group;

static const arch_group groups[] = {
	{SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64},
	{SCMP_ARCH_X86_64, AUDIT_ARCH_I386, SCMP_ARCH_X86},
	{SCMP_ARCH_X86, AUDIT_ARCH_I386, SCMP_ARCH_X86},
	{SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64},
	{SCMP_ARCH_AARCH64, AUDIT_ARCH_ARM, SCMP_ARCH_ARM},
	{SCMP_ARCH_ARM, AUDIT_ARCH_ARM, SCMP_ARCH_ARM},
	{SCMP_ARCH_PPC64LE, AUDIT_ARCH_PPC64LE, SCMP_ARCH_PPC64LE},
	{SCMP_ARCH_S390X, AUDIT_ARCH_S390X, SCMP_ARCH_S390X},
	{SCMP_ARCH_S390X, AUDIT_ARCH_S390, SCMP_ARCH_S390},
#ifdef SCMP_ARCH_RISCV64
	{SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, SCMP_ARCH_RISCV64},
#endif
#ifdef SCMP_ARCH_LOONGARCH64
	{SCMP_ARCH_LOONGARCH64, AUDIT_ARCH_LOONGARCH64, SCMP_ARCH_LOONGARCH64},
#endif
};

static ocib_errc emit_arch(program *p, const arch_group *group, ocib_error **err)
{
	ob_autofree number_list *numbers = calloc(1, sizeof(*numbers));
	ob_autofree number_list *runs = calloc(1, sizeof(*runs));

	if (!numbers || !runs)
		return ob_fail_nomem(err);
	add_arch(numbers, group->arch);
	numbers_to_runs(numbers, runs);
	p->is_s390 = group->native == SCMP_ARCH_S390X;
	(void)emit(p, BPF_JMP | BPF_JEQ | BPF_K, group->audit, 1, 0);
	size_t jump = emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	(void)emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	emit_search(p, runs->items, runs->len);
	if (p->is_full || runs->len == MAX_RUNS)
		return ob_fail(err, OCIB_ERR_LIMIT, "the system call filter grows too long");
	p->code[jump].k = (uint32_t)(p->len - jump - 1);
	return OCIB_OK;
}

ocib_errc ob_seccomp_filter_build(ob_seccomp_filter *out, ocib_error **err)
{
	ob_autofree program *p = calloc(1, sizeof(*p));
	uint32_t native = seccomp_arch_native();
	bool is_known = false;

	if (!p)
		return ob_fail_nomem(err);
	(void)emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	for (size_t i = 0; i < OB_ARRAY_LEN(groups); i++) {
		if (groups[i].native != native)
			continue;
		ocib_errc r = emit_arch(p, &groups[i], err);
		if (r < 0)
			return r;
		is_known = true;
	}
	if (!is_known)
		return ob_fail(err, OCIB_ERR_UNSUPPORTED,
			       "no system call filter for this processor architecture");
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
	if (p->is_full)
		return ob_fail(err, OCIB_ERR_LIMIT, "the system call filter grows too long");
	out->code = malloc(p->len * sizeof(*p->code));
	if (!out->code)
		return ob_fail_nomem(err);
	memcpy(out->code, p->code, p->len * sizeof(*p->code));
	out->len = (unsigned short)p->len;
	return OCIB_OK;
}

void ob_seccomp_filter_done(ob_seccomp_filter *filter)
{
	free(filter->code);
	*filter = (ob_seccomp_filter){0};
}
