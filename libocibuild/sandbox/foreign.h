/* sandbox/foreign.h — commands of another kind of machine: can they be run here, and by what? */
#ifndef OB_SANDBOX_FOREIGN_H
#define OB_SANDBOX_FOREIGN_H

#include "base/error.h"
#include "base/strlist.h"
#include "sandbox/foreign_child.h"
#include "sandbox/foreign_machine.h"

/** By what. Found out once for each kind, by running a program of it. */
typedef struct ob_foreign {
	const ob_machine *machine;
	int emulator_fd; /**< -1: the kernel runs them as it is */
	char *emulator;  /**< path of it; NULL likewise */
	char *rule, *uid_map, *gid_map;
} ob_foreign;
void ob_foreign_done(ob_foreign *foreign);

/**
 * In a worker's namespaces. Kinds: DENIED (with a hint: what to install), UNSUPPORTED (no such machine is
 * known).
 */
ocib_errc ob_foreign_find(const char *arch, ob_foreign *out, ocib_error **err);
ob_emulation ob_foreign_emulation(const ob_foreign *foreign); /**< borrows from it */

/** Every platform that can be run, "linux/arm64 (/usr/bin/qemu-aarch64-static)". */
ocib_errc ob_foreign_list(ob_strlist *out, ocib_error **err);

#endif
