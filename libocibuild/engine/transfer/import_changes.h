/* engine/transfer/import_changes.h — Dockerfile instructions that make an image's configuration. */
#ifndef OB_ENGINE_IMPORT_CHANGES_H
#define OB_ENGINE_IMPORT_CHANGES_H

#include "base/context.h"
#include "image/config.h"
#include "store/store.h"

/**
 * The configuration that "FROM scratch" and these instructions give, without history. @p changes:
 * NULL-terminated, or NULL. A pump must run. Kinds: SYNTAX, UNSUPPORTED (an instruction that is
 * more than configuration).
 */
ocib_errc ob_import_changes(ocib_context *ctx, ob_store *store, const ob_platform *platform,
			    const char *const *changes, ob_config **out, ocib_error **err);

#endif
