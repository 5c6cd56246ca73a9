/* engine/check/planned_call.h — a public call that ends where a build would begin to execute. */
#ifndef OB_ENGINE_CHECK_PLANNED_CALL_H
#define OB_ENGINE_CHECK_PLANNED_CALL_H

#include "engine/build/build.h"

typedef struct ob_planned_call {
	bool parse_only; /**< there is no plan */
	bool outline;    /**< the plan has one */
	/** Make the result of a build that is planned, or of one that failed: *why, which may be taken. */
	ocib_errc (*use)(ob_build *build, ocib_error **why, void *result, ocib_error **err);
	void *result; /**< handed to use */
} ob_planned_call;

ocib_errc ob_planned_call_run(const ob_planned_call *call, ocib_context *ctx, ocib_store *store,
			      const ocib_build_options *options, ocib_error **err);

#endif
