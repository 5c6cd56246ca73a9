/* engine/build/annotations.h — --annotation: which document it is for, and for which platform. */
#ifndef OB_ENGINE_BUILD_ANNOTATIONS_H
#define OB_ENGINE_BUILD_ANNOTATIONS_H

#include "base/error.h"
#include "base/strlist.h"
#include "image/platform.h"

/** What an annotation stands in. A descriptor is what a layout, or an index, says of a document. */
typedef enum ob_annotation_place {
	OB_ANNOTATE_MANIFEST = 1,
	OB_ANNOTATE_MANIFEST_DESCRIPTOR,
	OB_ANNOTATE_INDEX,
	OB_ANNOTATE_INDEX_DESCRIPTOR
} ob_annotation_place;

/**
 * Are they "[PLACE[[PLATFORM]],…:]KEY=VALUE", and is what they are for going to be made?
 * @param texts NULL-terminated, may be NULL. Kinds: INVALID.
 */
ocib_errc ob_annotations_check(const char *const *texts, const ob_platform *platforms, size_t count,
			       bool makes_index, ocib_error **err);
/** Add those for @p place and @p platform (NULL: of no platform) to *out; they were checked. */
ocib_errc ob_annotations_add(const char *const *texts, ob_annotation_place place,
			     const ob_platform *platform, ob_strlist *out, ocib_error **err);

#endif
