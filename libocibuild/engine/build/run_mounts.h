/* engine/build/run_mounts.h — the --mounts of a RUN: looked at, made ready, held while the command runs. */
#ifndef OB_ENGINE_BUILD_RUN_MOUNTS_H
#define OB_ENGINE_BUILD_RUN_MOUNTS_H

#include "engine/build/build.h"
#include "store/cache_dir.h"

/** A cache in use by a RUN; several mounts may show it. */
typedef struct ob_held_cache {
	ob_digest key;
	size_t mount; /**< the first that names it */
	ob_cache_dir *dir;
} ob_held_cache;

typedef struct ob_run_mounts {
	ob_build *build;
	const ob_step *step;
	bool has_inputs; /**< does any mount show, or begin as, another node? */
	uint8_t (*inputs)
		[OB_SHA256_LEN]; /**< what that is, by mount; zeros where there is nothing */
	ob_held_cache *caches;   /**< in the order of their keys */
	size_t cache_count;
	ob_strlist scratch; /**< directories that took what nobody keeps */
} ob_run_mounts;

/** Find out what is mounted: its content, for the key of the step. Kinds: NOTFOUND (located). */
ocib_errc ob_run_mounts_look(ob_build *build, const ob_step *step, ob_run_mounts *out,
			     ocib_error **err);
/** Add the mounts to @p spec, parents before what is below them. May wait for a locked cache. */
ocib_errc ob_run_mounts_add(ob_run_mounts *mounts, uint32_t event, ob_run_spec *spec,
			    ocib_error **err);
/** The command has ended: let go of all but what was found out. */
void ob_run_mounts_release(ob_run_mounts *mounts);
void ob_run_mounts_done(ob_run_mounts *mounts);

/* run_caches.c */
/** Tell the build which caches there are, whether or not the step is executed. */
ocib_errc ob_run_caches_note(const ob_run_mounts *mounts, ocib_error **err);
/** Hold all of them, made where they are missing. */
ocib_errc ob_run_caches_hold(ob_run_mounts *mounts, uint32_t event, ocib_error **err);
/** The directory for a cache mount; borrowed until the release. */
ocib_errc ob_run_caches_find(const ob_run_mounts *mounts, size_t mount, const ob_cache_dir **out,
			     ocib_error **err);
void ob_run_caches_release(ob_run_mounts *mounts);

#endif
