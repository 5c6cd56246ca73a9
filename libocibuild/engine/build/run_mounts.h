/* engine/build/run_mounts.h — the --mounts of a RUN: made ready, and held while the command runs. */
#ifndef OB_ENGINE_BUILD_RUN_MOUNTS_H
#define OB_ENGINE_BUILD_RUN_MOUNTS_H

#include "engine/build/build.h"
#include "store/cache_dir.h"

/** A cache in use by a RUN; several mounts may show it. */
typedef struct ob_held_cache {
	ob_digest key;
	const ob_step_mount *mount; /**< the first that names it; borrowed */
	ob_cache_dir *dir;
} ob_held_cache;

typedef struct ob_run_mounts {
	ob_held_cache *caches; /**< in the order of their keys */
	size_t cache_count;
} ob_run_mounts;

/** Add the step's mounts to @p spec, parents before what is below them. May wait for a locked cache. */
ocib_errc ob_run_mounts_add(ob_build *build, const ob_step *step, ob_run_spec *spec,
			    ob_run_mounts *held, ocib_error **err);
/** Let go, after the command. */
void ob_run_mounts_done(ob_run_mounts *held);

#endif
