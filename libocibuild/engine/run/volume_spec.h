/* engine/run/volume_spec.h — what --volume asks for. */
#ifndef OB_ENGINE_VOLUME_SPEC_H
#define OB_ENGINE_VOLUME_SPEC_H

#include "sandbox/sandbox.h"

/**
 * "HOST:CONTAINER[:ro|:rw]"; a relative HOST is found from the working directory. *mount holds what is to
 * be freed also on failure. Kinds: INVALID, NOTFOUND (the host has nothing there).
 */
ocib_errc ob_volume_spec_parse(const char *text, ob_mount *mount, ocib_error **err);

#endif
