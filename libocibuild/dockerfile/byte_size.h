/* dockerfile/byte_size.h — "64m", "1.5GiB": sizes as Docker's tools write them, in powers of 1024. */
#ifndef OB_DOCKERFILE_BYTE_SIZE_H
#define OB_DOCKERFILE_BYTE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/** False when @p text is no size, or not below 2^63. */
bool ob_byte_size_parse(const char *text, int64_t *bytes);

#endif
