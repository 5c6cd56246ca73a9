/* dockerfile/check_syntax.h — the rules that need nothing but the Dockerfile's text. */
#ifndef OB_DOCKERFILE_CHECK_SYNTAX_H
#define OB_DOCKERFILE_CHECK_SYNTAX_H

#include "dockerfile/findings.h"

/** Nothing when @p findings is NULL. A file without stages was not parsed to its end. */
void ob_check_syntax(const ob_dockerfile *file, ob_findings *findings);

#endif
