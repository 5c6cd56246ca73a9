/* engine/run/env_file.h — a file of environment variables, by the rules of docker run --env-file. */
#ifndef OB_ENGINE_ENV_FILE_H
#define OB_ENGINE_ENV_FILE_H

#include "base/error.h"
#include "base/strlist.h"

/**
 * Append what the lines say to @p out: "KEY=VALUE", the value as it is written, or "KEY", whose value
 * somebody else knows. @param name of the file, for messages. Kinds: INVALID.
 */
ocib_errc ob_env_file_parse(const char *text, size_t len, const char *name, ob_strlist *out,
			    ocib_error **err);

#endif
