/* engine/copy/chmod_text.h — --chmod: octal, or chmod(1)'s symbolic modes without a umask. */
#ifndef OB_ENGINE_CHMOD_TEXT_H
#define OB_ENGINE_CHMOD_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/** Octal digits only? Then *mode is their value, at most 07777. */
bool ob_chmod_is_octal(const char *text, uint32_t *mode);
/** The mode that a symbolic @p text makes of @p mode; @p text was checked by the planner. */
uint32_t ob_chmod_apply(const char *text, uint32_t mode, bool is_dir);

#endif
