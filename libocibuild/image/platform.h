/* image/platform.h — os/arch[/variant], normalised as containerd does (x86_64 → amd64 …). */
#ifndef OB_IMAGE_PLATFORM_H
#define OB_IMAGE_PLATFORM_H

#include <stdbool.h>
#include "base/json.h"

typedef struct ob_platform {
	char os[32];
	char arch[32];
	char variant[32];    /**< "" when none */
	char os_version[64]; /**< "" when none */
} ob_platform;

void ob_platform_host(ob_platform *out);
/** Kinds: INVALID. */
ocib_errc ob_platform_parse(const char *text, ob_platform *out, ocib_error **err);
/** "linux/arm/v7"; out needs 128 bytes. */
void ob_platform_format(const ob_platform *platform, char *out);
bool ob_platform_eq(const ob_platform *a, const ob_platform *b);
/** May @p have be used where @p want was asked for? A score, higher is better; negative: no. */
int ob_platform_match(const ob_platform *want, const ob_platform *have);
ob_json *ob_platform_to_json(const ob_platform *platform);
ocib_errc ob_platform_from_json(const ob_json *json, ob_platform *out, ocib_error **err);

#endif
