/* store/store_check.h — what the parts of ocib_store_check() share. Only for store/. */
#ifndef OB_STORE_STORE_CHECK_H
#define OB_STORE_STORE_CHECK_H

#include "base/map.h"
#include "store/store_inside.h"

/** What is known of a blob before it is read. */
typedef struct ob_checked_blob {
	ob_strlist users; /* names of images, or "step record …" */
	uint64_t size;    /* what the first descriptor says */
	bool may_be_absent;
} ob_checked_blob;

typedef struct ob_store_check_run {
	ocib_context *ctx;
	ob_store *store;
	ocib_store_problem_fn each;
	void *user;
	uint64_t problems;
	ob_map *blobs; /* digest text → ob_checked_blob */
} ob_store_check_run;

/** Tell one problem. Kinds: CANCELED. */
ocib_errc ob_check_tell(ob_store_check_run *run, ocib_error **err, const char *format, ...)
	ob_printf(3, 4);
/** Note that @p user needs the blob of @p d. */
ocib_errc ob_check_use(ob_store_check_run *run, const ob_descriptor *d, const char *user,
		       bool may_be_absent, ocib_error **err);

/** index.json and all documents below it; fills run->blobs. */
ocib_errc ob_check_images(ob_store_check_run *run, ocib_error **err);
/** Step records, layer indexes, trees; fills run->blobs. */
ocib_errc ob_check_caches(ob_store_check_run *run, ocib_error **err);
/** That every used blob is there, and that every blob is what its name says. */
ocib_errc ob_check_blobs(ob_store_check_run *run, ocib_error **err);
/** That nothing lies about that is not ours. */
ocib_errc ob_check_litter(ob_store_check_run *run, ocib_error **err);

/** Call @p one for each name in a folder of the store but "." and ".."; a missing folder is empty. */
typedef ocib_errc (*ob_check_name_fn)(ob_store_check_run *run, int dirfd, const char *name,
				      ocib_error **err);
ocib_errc ob_check_each_name(ob_store_check_run *run, const char *folder, ob_check_name_fn one,
			     ocib_error **err);
#endif
