/* engine/copy/dir_listing.h — one directory of a context: what of it the ignore patterns let be seen.
 *
 * A walk opens and reads listings one by one, or has a lister do it ahead, on other threads.
 */
#ifndef OB_ENGINE_DIR_LISTING_H
#define OB_ENGINE_DIR_LISTING_H

#include "engine/copy/context_source.h"

typedef struct ob_dir_listing ob_dir_listing;
struct ob_dir_listing {
	char *path;
	ob_arena texts; /**< of the files */
	void *state;    /**< of the ignore patterns; NULL where there are none */
	unsigned depth;
	int fd;            /**< open from open to read */
	ob_copy_file self; /**< only its xattrs */
	ob_copy_files
		files; /**< sorted; an excluded directory is there ("implied") while something in it may show */
	ob_dir_listing **below; /**< by file: of the directories among them */
	size_t below_len;

	/* A lister's. */
	enum { OB_LISTING_NEW, OB_LISTING_TAKEN, OB_LISTING_DONE } status;
	ocib_errc code;
	ocib_error *error;
};

/** The listing of a directory whose ignore state is known; @p state is taken, @p path copied. */
ocib_errc ob_dir_listing_new(const char *path, void *state, unsigned depth, ob_dir_listing **out,
			     ocib_error **err);
ob_dir_listing *ob_dir_listing_free(ob_dir_listing *listing); /**< with those below */
OB_DEFINE_AUTO(ob_dir_listing);
/** First the directory itself, then what is in it. */
ocib_errc ob_dir_listing_open(const ob_context_scan *scan, ob_dir_listing *listing,
			      ocib_error **err);
ocib_errc ob_dir_listing_read(const ob_context_scan *scan, ob_dir_listing *listing,
			      ocib_error **err);
/** Memory for the ignore state of a directory; NULL where there are no patterns. */
ocib_errc ob_ignore_state_new(const ob_context_scan *scan, void **out, ocib_error **err);

/** Opens and reads listings, and those below them, ahead of a walk that will want nearly all. */
typedef struct ob_dir_lister ob_dir_lister;
ocib_errc ob_dir_lister_new(const ob_context_scan *scan, ob_dir_lister **out, ocib_error **err);
/** Until it is open and read; its error is returned. */
ocib_errc ob_dir_lister_wait(ob_dir_lister *lister, ob_dir_listing *listing, ocib_error **err);
/** Listings may be freed after this, not before. */
ob_dir_lister *ob_dir_lister_free(ob_dir_lister *lister);
OB_DEFINE_AUTO(ob_dir_lister);

#endif
