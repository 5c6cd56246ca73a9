/* engine/source/registry_set.h — connections to registries by repository, shared by all of one
 * call.
 *
 * Credentials that the caller gave explicitly go to the registries the caller named, and not to
 * others that turn out to have a blob. Thread rule: any thread.
 */
#ifndef OB_ENGINE_REGISTRY_SET_H
#define OB_ENGINE_REGISTRY_SET_H

#include "registry/registry.h"

typedef struct ob_registry_set ob_registry_set;

/** @param options copied; may be NULL. */
ocib_errc ob_registry_set_new(ocib_context *ctx, const ob_registry_options *options,
			      ob_registry_set **out, ocib_error **err);
ob_registry_set *ob_registry_set_free(ob_registry_set *set);
OB_DEFINE_AUTO(ob_registry_set);

/** The caller named this registry: the given credentials are for it. */
ocib_errc ob_registry_set_trust(ob_registry_set *set, const char *domain, ocib_error **err);
/** Borrowed from the set. */
ocib_errc ob_registry_set_get(ob_registry_set *set, const ob_reference *repository, bool push,
			      ob_registry **out, ocib_error **err);
uint64_t ob_registry_set_received(ob_registry_set *set);

#endif
