/* ocibuild/export.h — marks what the shared library exports. */
#ifndef OCIBUILD_EXPORT_H
#define OCIBUILD_EXPORT_H

#if defined(__GNUC__)
#define OCIB_API __attribute__((visibility("default")))
#else
#define OCIB_API
#endif

#endif
