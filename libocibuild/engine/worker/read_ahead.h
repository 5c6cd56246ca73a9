/* engine/worker/read_ahead.h — a stream read by another thread, a few blocks ahead of who uses it. */
#ifndef OB_ENGINE_READ_AHEAD_H
#define OB_ENGINE_READ_AHEAD_H

#include "io/stream.h"

/** Takes @p inner, which is used on the other thread until the new reader is freed. */
ocib_errc ob_reader_open_ahead(ob_reader *inner, ob_reader **out, ocib_error **err);

#endif
