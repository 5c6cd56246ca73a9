/* base/options.h — versioned options structs, after the kernel's openat2 rule.
 *
 * The first member of every options struct is its size. The library copies min(size, known) over its
 * defaults and refuses a longer struct whose unknown tail is not all zero.
 */
#ifndef OB_BASE_OPTIONS_H
#define OB_BASE_OPTIONS_H

#include "base/error.h"

ocib_errc ob_options_copy(void *known, size_t known_size, const void *given, const char *what,
			  ocib_error **err);
/** `ob_options_load(&local, given, err)`: local is zeroed and filled; given may be NULL. */
#define ob_options_load(local, given, err) \
	ob_options_copy((local), sizeof(*(local)), (given), #given, (err))

#endif
