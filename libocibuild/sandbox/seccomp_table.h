/* sandbox/seccomp_table.h — which system calls a step may use: the policy, as tables. */
#ifndef OB_SANDBOX_SECCOMP_TABLE_H
#define OB_SANDBOX_SECCOMP_TABLE_H

#include <stddef.h>
#include <stdint.h>

/** What happens to a system call. The first three are constant, the others look at an argument. */
typedef enum ob_verdict {
	OB_VERDICT_DENY = 0, /**< EPERM: what nothing else says */
	OB_VERDICT_ALLOW,
	OB_VERDICT_DONE,        /**< returns 0 without being done */
	OB_VERDICT_UNKNOWN,     /**< ENOSYS: newer than this table, or better not known */
	OB_VERDICT_SOCKET,      /**< by address family */
	OB_VERDICT_PERSONALITY, /**< by value */
	OB_VERDICT_CLONE,       /**< no new namespaces */
	OB_VERDICT_IOCTL        /**< no typing into a terminal */
} ob_verdict;

typedef struct ob_seccomp_rule {
	ob_verdict verdict;
	uint32_t only_arch;       /**< libseccomp's SCMP_ARCH_*; 0: every one */
	const char *const *names; /**< ends with NULL */
} ob_seccomp_rule;

extern const ob_seccomp_rule ob_seccomp_rules[];
extern const size_t ob_seccomp_rule_count;

/** Calls with the same number everywhere, newer than the oldest libseccomp that we build with. */
typedef struct ob_seccomp_number {
	const char *name;
	uint32_t number;
} ob_seccomp_number;
extern const ob_seccomp_number ob_seccomp_new_numbers[];
extern const size_t ob_seccomp_new_number_count;
/** Higher numbers than this were not thought about: they answer ENOSYS, as on an older kernel. */
#define OB_SECCOMP_NEWEST 466

#endif
