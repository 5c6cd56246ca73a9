/* sandbox/foreign_child.h — a process arranges for itself that programs of another machine run: system calls only. */
#ifndef OB_SANDBOX_FOREIGN_CHILD_H
#define OB_SANDBOX_FOREIGN_CHILD_H

#include <stddef.h>

/** Plain data; everything it points to was made before the fork. */
typedef struct ob_emulation {
	const char *rule; /**< for binfmt_misc; NULL: nothing has to be done */
	size_t rule_len;
	const char *uid_map,
		*gid_map; /**< of a user namespace in which all ids are what they were */
} ob_emulation;

/**
 * Enter a user and a mount namespace of our own, in which the rule holds.
 * @param proc_fd a proc file system of our own process namespace, also where the rule's relative path begins.
 * @return 0, or -1 with errno. The working directory is another one afterwards.
 */
int ob_emulation_enter(const ob_emulation *emulation, int proc_fd);

#endif
