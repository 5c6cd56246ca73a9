/* engine/build/export_call.h — one output being made, and what those that make it share. */
#ifndef OB_ENGINE_BUILD_EXPORT_CALL_H
#define OB_ENGINE_BUILD_EXPORT_CALL_H

#include "engine/build/build.h"

typedef struct ob_export_call {
	ob_build *build;
	const ocib_output *output;
	const ob_build_result *result;
	uint32_t step;
} ob_export_call;

/** The file system of a target. */
ob_tree *ob_export_tree(const ob_build *build, size_t target);
/** Bring all layers of all targets into the store. */
ocib_errc ob_export_fetch(const ob_export_call *call, ocib_error **err);
/** Are all of them there? */
bool ob_export_is_fetched(const ob_build *build);
/** Push under the names of the output, else under the tags. */
ocib_errc ob_export_to_registry(ob_export_call *call, ocib_error **err);

#endif
