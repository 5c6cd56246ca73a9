/* sandbox/foreign_machine.c — see foreign_machine.h.
 *
 * Whether a machine can run another kind's programs is found out by running one. So each kind comes with
 * the instructions of exit(0), which are put into the smallest file that its kernel takes for a program:
 * an ELF header, one segment, the code. The same header's fixed part is what binfmt_misc looks for.
 */
#include "sandbox/foreign_machine.h"
#include <elf.h>
#include <string.h>
#include "base/strings.h"

#define LOAD_ADDRESS 0x10000 /* no machine has larger pages */

static const uint8_t amd64_exit[] = {0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05};
static const uint8_t i386_exit[] = {0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80};
static const uint8_t arm64_exit[] = {0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b,
				     0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
static const uint8_t arm_exit[] = {0x00, 0x00, 0xa0, 0xe3, 0x01, 0x70,
				   0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef};
static const uint8_t riscv64_exit[] = {0x93, 0x08, 0xd0, 0x05, 0x13, 0x05,
				       0x00, 0x00, 0x73, 0x00, 0x00, 0x00};
static const uint8_t ppc64le_exit[] = {0x01, 0x00, 0x00, 0x38, 0x00, 0x00,
				       0x60, 0x38, 0x02, 0x00, 0x00, 0x44};
static const uint8_t s390x_exit[] = {0xa7, 0x29, 0x00, 0x00, 0x0a, 0x01};
static const uint8_t loong64_exit[] = {0x0b, 0x74, 0x81, 0x02, 0x04, 0x00,
				       0x80, 0x02, 0x00, 0x00, 0x2b, 0x00};
static const uint8_t mips64le_exit[] = {0xc2, 0x13, 0x02, 0x24, 0x00, 0x00,
					0x04, 0x24, 0x0c, 0x00, 0x00, 0x00};

#define CODE(bytes) .exit_code = (bytes), .exit_code_len = sizeof(bytes)
#define LOONGARCH   258 /* older C libraries do not know it */

static const ob_machine machines[] = {
	{"amd64", "x86_64", EM_X86_64, true, false, 0, CODE(amd64_exit)},
	{"386", "i386", EM_386, false, false, 0, CODE(i386_exit)},
	{"arm64", "aarch64", EM_AARCH64, true, false, 0, CODE(arm64_exit)},
	{"arm", "arm", EM_ARM, false, false, EF_ARM_EABI_VER5, CODE(arm_exit)},
	{"riscv64", "riscv64", EM_RISCV, true, false, 0, CODE(riscv64_exit)},
	{"ppc64le", "ppc64le", EM_PPC64, true, false, 2, CODE(ppc64le_exit)},
	{"s390x", "s390x", EM_S390, true, true, 0, CODE(s390x_exit)},
	{"loong64", "loongarch64", LOONGARCH, true, false, 0, CODE(loong64_exit)},
	{"mips64le", "mips64el", EM_MIPS, true, false, EF_MIPS_ARCH_64R2, CODE(mips64le_exit)},
};

const ob_machine *ob_machine_find(const char *arch)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(machines); i++)
		if (ob_str_eq(machines[i].arch, arch))
			return &machines[i];
	return NULL;
}

size_t ob_machine_count(void)
{
	return OB_ARRAY_LEN(machines);
}

const ob_machine *ob_machine_at(size_t i)
{
	return &machines[i];
}

/* A number of @p len bytes in the machine's order. */
static void put(const ob_machine *m, uint64_t value, size_t len, ob_buffer *out)
{
	for (size_t i = 0; i < len; i++) {
		size_t shift = 8 * (m->is_big_endian ? len - 1 - i : i);
		char byte = (char)(value >> shift & 0xff);

		ob_buffer_append(out, &byte, 1);
	}
}

static void put_ident(const ob_machine *m, ob_buffer *out)
{
	const char ident[EI_NIDENT] = {
		ELFMAG0,
		ELFMAG1,
		ELFMAG2,
		ELFMAG3,
		m->is_64bit ? ELFCLASS64 : ELFCLASS32,
		m->is_big_endian ? ELFDATA2MSB : ELFDATA2LSB,
		EV_CURRENT,
	};

	ob_buffer_append(out, ident, sizeof(ident));
	put(m, ET_EXEC, 2, out);
	put(m, m->elf_machine, 2, out);
}

/* The order of a segment's flags is where the two classes differ. */
static void put_segment(const ob_machine *m, size_t size, size_t word, ob_buffer *out)
{
	put(m, PT_LOAD, 4, out);
	if (m->is_64bit)
		put(m, PF_R | PF_X, 4, out);
	put(m, 0, word, out); /* from the file's beginning */
	put(m, LOAD_ADDRESS, word, out);
	put(m, LOAD_ADDRESS, word, out);
	put(m, size, word, out);
	put(m, size, word, out);
	if (!m->is_64bit)
		put(m, PF_R | PF_X, 4, out);
	put(m, LOAD_ADDRESS, word, out);
}

void ob_machine_program(const ob_machine *m, ob_buffer *out)
{
	size_t word = m->is_64bit ? 8 : 4;
	size_t header = m->is_64bit ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	size_t segment = m->is_64bit ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	const uint16_t sizes[] = {(uint16_t)header, (uint16_t)segment, 1, 0, 0, 0};

	put_ident(m, out);
	put(m, EV_CURRENT, 4, out);
	put(m, LOAD_ADDRESS + header + segment, word, out);
	put(m, header, word, out); /* of the segment's description; there are no sections */
	put(m, 0, word, out);
	put(m, m->elf_flags, 4, out);
	for (size_t i = 0; i < OB_ARRAY_LEN(sizes); i++)
		put(m, sizes[i], 2, out);
	put_segment(m, header + segment + m->exit_code_len, word, out);
	ob_buffer_append(out, (const char *)m->exit_code, m->exit_code_len);
}

static void put_hex(const char *bytes, size_t len, ob_buffer *out)
{
	for (size_t i = 0; i < len; i++)
		ob_buffer_printf(out, "\\x%02x", (unsigned char)bytes[i]);
}

/*
 * Any system's programs and any version of its calls (byte 7), fixed and movable ones (type 2 and 3). P: the
 * command's own name is handed on; C: set-user-id programs are what they are; F: the interpreter is opened
 * here and now, and need not be where the command will be.
 */
void ob_machine_rule(const ob_machine *m, const char *interpreter, ob_buffer *out)
{
	ob_autodone(ob_buffer) magic = OB_BUFFER_INIT(64, "magic");
	char mask[EI_NIDENT + 4];

	put_ident(m, &magic);
	memset(mask, 0xff, sizeof(mask));
	mask[EI_OSABI] = 0;
	mask[EI_NIDENT + (m->is_big_endian ? 1 : 0)] = (char)0xfe;
	ob_buffer_printf(out, ":ocibuild-%s:M::", m->arch);
	put_hex(magic.data, magic.len, out);
	ob_buffer_append_str(out, ":");
	put_hex(mask, sizeof(mask), out);
	ob_buffer_printf(out, ":%s:OCPF", interpreter);
}
