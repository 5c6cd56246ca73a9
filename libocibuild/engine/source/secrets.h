/* engine/source/secrets.h — what --secret gives: kept in memory only, and wiped. */
#ifndef OB_ENGINE_SECRETS_H
#define OB_ENGINE_SECRETS_H

#include <ocibuild/build.h>
#include "base/error.h"

typedef struct ob_secret {
	char *id;
	char *data; /**< NUL-terminated beyond len */
	size_t len;
} ob_secret;

typedef struct ob_secrets {
	ob_secret *items;
	size_t len;
} ob_secrets;

/** Read them all. Kinds: INVALID (no id), NOTFOUND (no such file), LIMIT. */
ocib_errc ob_secrets_load(const ocib_secret *given, size_t count, ob_secrets *out,
			  ocib_error **err);
/** Of two with one id the later; NULL: none. Borrowed. @p secrets may be NULL. */
const ob_secret *ob_secrets_find(const ob_secrets *secrets, const char *id);
void ob_secrets_done(ob_secrets *secrets);

#endif
