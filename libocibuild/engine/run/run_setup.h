/* engine/run/run_setup.h — from options and an image's configuration to the command that is started. */
#ifndef OB_ENGINE_RUN_SETUP_H
#define OB_ENGINE_RUN_SETUP_H

#include <ocibuild/run.h>
#include "image/config.h"
#include "sandbox/sandbox.h"

typedef struct ob_run_setup {
	const ocib_run_options *options;
	const char *image; /**< its name, for messages */
	const ob_config *config;
	ob_run_spec *spec;   /**< what is filled in */
	bool is_own_network; /**< chosen for the sake of its ports */
	int stop_signal;     /**< what asks the command to end */
} ob_run_setup;

/** Everything but where the root file system is. Kinds: INVALID, NOTFOUND. */
ocib_errc ob_run_setup_fill(ob_run_setup *setup, ocib_error **err);

#endif
