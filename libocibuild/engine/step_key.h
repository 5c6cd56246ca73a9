/* engine/step_key.h — what of a step determines its layer, as a digest.
 *
 * The cache key of a step is this digest together with the chain id of its base and the digests of its
 * content inputs, which only the executor knows. What is for people (text, location, number) and what
 * must not be known (secret_env) is not in it.
 */
#ifndef OB_ENGINE_STEP_KEY_H
#define OB_ENGINE_STEP_KEY_H

#include "engine/plan.h"
#include "io/hash.h"

/** Hash of the step's canonical JSON. Kinds: NOMEM, LIMIT. */
ocib_errc ob_step_digest(const ob_step *step, uint8_t out[OB_SHA256_LEN], ocib_error **err);
/** The canonical JSON itself, appended to @p out: for --explain and tests. */
ocib_errc ob_step_canonical(const ob_step *step, ob_buffer *out, ocib_error **err);

#endif
