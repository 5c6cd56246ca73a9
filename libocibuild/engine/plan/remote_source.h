/* engine/plan/remote_source.h — is the text the address of something elsewhere, by BuildKit's rules? */
#ifndef OB_ENGINE_REMOTE_SOURCE_H
#define OB_ENGINE_REMOTE_SOURCE_H

#include <stdbool.h>

/** A git repository: git://, ssh://, user@host:path, and http(s):// when the path ends in ".git". */
bool ob_is_git_source(const char *text);
/** http:// or https://, and no git repository. */
bool ob_is_url_source(const char *text);

#endif
