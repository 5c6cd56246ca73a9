/* base/version.c — the library's version at run time. */
#include <ocibuild/context.h>

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *ocib_version(void)
{
	return TEXT(OCIB_VERSION_MAJOR) "." TEXT(OCIB_VERSION_MINOR) "." TEXT(OCIB_VERSION_PATCH);
}
