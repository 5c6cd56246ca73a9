/* sandbox/seccomp_filter.h — the policy of seccomp_table.h as a program for the kernel. */
#ifndef OB_SANDBOX_SECCOMP_FILTER_H
#define OB_SANDBOX_SECCOMP_FILTER_H

#include <linux/filter.h>
#include "base/error.h"

/** Ready for seccomp(SECCOMP_SET_MODE_FILTER), which a child calls without a library. */
typedef struct ob_seccomp_filter {
	struct sock_filter *code;
	unsigned short len;
} ob_seccomp_filter;

ocib_errc ob_seccomp_filter_build(ob_seccomp_filter *out, ocib_error **err);
void ob_seccomp_filter_done(ob_seccomp_filter *filter);

#endif
