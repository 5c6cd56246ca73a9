/* dockerfile/csv_fields.h — one line of comma-separated fields, quoted as CSV quotes them. */
#ifndef OB_DOCKERFILE_CSV_FIELDS_H
#define OB_DOCKERFILE_CSV_FIELDS_H

#include "base/error.h"
#include "base/strlist.h"

/** Appended to @p out. Kinds: SYNTAX (no location): nothing at all, or an odd quote. */
ocib_errc ob_csv_fields(const char *line, ob_strlist *out, ocib_error **err);

#endif
