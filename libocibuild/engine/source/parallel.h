/* engine/source/parallel.h — a number of independent tasks on a few threads. */
#ifndef OB_ENGINE_PARALLEL_H
#define OB_ENGINE_PARALLEL_H

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

typedef ocib_errc (*ob_parallel_task)(size_t i, void *arg, ocib_error **err);

/**
 * Call @p task for 0 … count - 1, on this thread and up to @p threads - 1 others. After the first
 * failure no task is begun; it is what is returned.
 */
ocib_errc ob_parallel(size_t count, uint32_t threads, ob_parallel_task task, void *arg,
		      ocib_error **err);

#endif
