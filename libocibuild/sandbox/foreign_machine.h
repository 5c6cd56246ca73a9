/* sandbox/foreign_machine.h — kinds of machines: how the kernel tells their programs, and the least of these. */
#ifndef OB_SANDBOX_FOREIGN_MACHINE_H
#define OB_SANDBOX_FOREIGN_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buffer.h"

typedef struct ob_machine {
	const char *arch; /**< as the image specification has it */
	const char *qemu; /**< its name in QEMU's programs: "aarch64" in qemu-aarch64-static */
	uint16_t elf_machine;
	bool is_64bit, is_big_endian;
	uint32_t elf_flags;
	const uint8_t *exit_code; /**< instructions of exit(0) */
	size_t exit_code_len;
} ob_machine;

/** NULL: none that is known. */
const ob_machine *ob_machine_find(const char *arch);
size_t ob_machine_count(void);
const ob_machine *ob_machine_at(size_t i);

/** A whole program that ends at once with status 0. */
void ob_machine_program(const ob_machine *machine, ob_buffer *out);
/** The line for binfmt_misc's "register": such programs are run by @p interpreter, opened now. */
void ob_machine_rule(const ob_machine *machine, const char *interpreter, ob_buffer *out);

#endif
