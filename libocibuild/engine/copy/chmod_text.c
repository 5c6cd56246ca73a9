/* engine/copy/chmod_text.c — see chmod_text.h.
 *
 * Clauses are separated by commas: who (none means all, and no umask holds anything back), then one or
 * more operators, each with permissions or with the letters of classes to copy from. 'X' looks at the mode
 * as it was at first.
 */
#include "engine/copy/chmod_text.h"
#include <string.h>
#include "base/strings.h"

#define SET_UID  04000U
#define SET_GID  02000U
#define STICKY   01000U
#define ALL_RWX  00777U
#define ALL_EXEC 00111U

bool ob_chmod_is_octal(const char *text, uint32_t *mode)
{
	uint64_t value;

	if (!ob_parse_u64(text, 8, 07777, &value))
		return false;
	*mode = (uint32_t)value;
	return true;
}

/* The bits that a class's letters speak of. */
static uint32_t bits_of_class(char c)
{
	switch (c) {
	case 'u': return SET_UID | 0700U;
	case 'g': return SET_GID | 0070U;
	case 'o': return 0007U;
	default: return SET_UID | SET_GID | ALL_RWX;
	}
}

/* rwx of one class, repeated for all. */
static uint32_t copy_of_class(char c, uint32_t mode)
{
	uint32_t bits = (c == 'u' ? mode >> 6 : c == 'g' ? mode >> 3 : mode) & 7U;

	return bits << 6 | bits << 3 | bits;
}

typedef struct change {
	uint32_t who;      /* bits that may change */
	uint32_t original; /* the mode at first */
	bool is_dir;
} change;

/* What one letter after an operator stands for; *who may grow by the sticky bit. */
static uint32_t bits_of_permission(const change *c, char letter, uint32_t mode, uint32_t *who)
{
	switch (letter) {
	case 'r': return 0444;
	case 'w': return 0222;
	case 'x': return ALL_EXEC;
	case 'X': return c->is_dir || (c->original & ALL_EXEC) ? ALL_EXEC : 0;
	case 's': return SET_UID | SET_GID;
	case 't':
		/* Others alone have no sticky bit to give. */
		if (c->who != 0007U)
			*who |= STICKY;
		return STICKY;
	default: return copy_of_class(letter, mode);
	}
}

/* One operator and its permissions; returns what follows. */
static const char *apply_operator(const change *c, const char *p, uint32_t *mode)
{
	char op = *p++;
	uint32_t who = c->who, bits = 0;

	for (; *p && strchr("rwxXstugo", *p); p++)
		bits |= bits_of_permission(c, *p, *mode, &who);
	if (op == '=')
		*mode &= ~c->who;
	if (op == '-')
		*mode &= ~(bits & who);
	else
		*mode |= bits & who;
	return p;
}

uint32_t ob_chmod_apply(const char *text, uint32_t mode, bool is_dir)
{
	change c = {.original = mode, .is_dir = is_dir};
	const char *p = text;

	while (*p) {
		c.who = 0;
		for (; *p && strchr("augo", *p); p++)
			c.who |= bits_of_class(*p);
		if (!c.who)
			c.who = bits_of_class('a');
		if (!*p || !strchr("+-=", *p))
			break;
		while (*p && strchr("+-=", *p))
			p = apply_operator(&c, p, &mode);
		p += *p == ',';
	}
	return mode;
}
