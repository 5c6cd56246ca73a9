/* image/config.h — image configuration, with the fields Docker adds (image-spec config.md).
 *
 * Members that are not modelled are kept (@ref rest) so that a base's unknown fields survive.
 */
#ifndef OB_IMAGE_CONFIG_H
#define OB_IMAGE_CONFIG_H

#include "base/json.h"
#include "image/digest.h"
#include "image/platform.h"

/** A command that may be absent (null), or present and empty. */
typedef struct ob_command {
	bool is_set;
	ob_strlist args;
} ob_command;

typedef struct ob_healthcheck {
	bool is_set;
	ob_strlist test;     /**< "NONE" | "CMD", args… | "CMD-SHELL", text; empty: inherit */
	int64_t interval_ns; /**< 0: default */
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t start_interval_ns;
	int64_t retries;
} ob_healthcheck;

typedef struct ob_history {
	char *created; /**< RFC 3339, or NULL */
	char *created_by;
	char *author;
	char *comment;
	bool empty_layer;
} ob_history;

typedef struct ob_config {
	ob_platform platform;
	char *created; /**< or NULL */
	char *author;  /**< or NULL */

	/* the "config" object */
	char *user;
	char *working_dir;
	char *stop_signal;
	ob_strlist env;
	ob_strlist exposed_ports; /**< sorted set */
	ob_strlist volumes;       /**< sorted set */
	ob_strlist
		labels; /**< keys and values alternating (a key may contain '='); sorted on output */
	ob_command entrypoint;
	ob_command cmd;
	ob_command shell;
	ob_strlist on_build;
	ob_healthcheck healthcheck;
	bool args_escaped;

	ob_digest *diff_ids;
	size_t diff_id_count;
	ob_history *history;
	size_t history_count;

	ob_json *rest;        /**< unknown top-level members, or NULL */
	ob_json *config_rest; /**< unknown members of "config", or NULL */
} ob_config;

/** Set or replace a label; -1: no memory. */
int ob_config_set_label(ob_config *config, const char *key, const char *value);

ob_config *ob_config_new(void); /**< all empty; NULL: no memory */
ob_config *ob_config_free(ob_config *config);
OB_DEFINE_AUTO(ob_config);
/** Deep copy; NULL: no memory. */
ob_config *ob_config_copy(const ob_config *config);
/** Kinds: CORRUPT, LIMIT. */
ocib_errc ob_config_parse(const char *data, size_t len, ob_config **out, ocib_error **err);
ocib_errc ob_config_format(const ob_config *config, ob_buffer *out, ocib_error **err);
int ob_config_add_diff_id(ob_config *config, const ob_digest *diff_id);
/** Strings are copied; NULL ones stay absent. */
int ob_config_add_history(ob_config *config, const char *created, const char *created_by,
			  const char *author, const char *comment, bool empty_layer);

#endif
