/* engine/plan/go_text.h — values as Go prints them, which is what history entries are made of. */
#ifndef OB_ENGINE_GO_TEXT_H
#define OB_ENGINE_GO_TEXT_H

#include <stdint.h>
#include "base/buffer.h"
#include "base/strlist.h"

/** %q of a string. */
void ob_go_quote(const char *text, ob_buffer *out);
/** %q of a []string: ["a" "b"]. */
void ob_go_quote_list(const ob_strlist *list, ob_buffer *out);
/** %v of a []string: [a b]. */
void ob_go_list(const ob_strlist *list, ob_buffer *out);
/** time.Duration.String: "1h30m0s". */
void ob_go_duration_format(int64_t ns, ob_buffer *out);

#endif
