/* engine/worker/diff_id_reader.h — a layer's tar on its way, hashed on another core. */
#ifndef OB_ENGINE_DIFF_ID_READER_H
#define OB_ENGINE_DIFF_ID_READER_H

#include "image/digest.h"

/** Passes @p inner (taken) on; reading its end fails with CORRUPT unless all had that digest. */
ocib_errc ob_reader_open_diff_id(ob_reader *inner, const ob_digest *diff_id, ob_reader **out,
				 ocib_error **err);

#endif
