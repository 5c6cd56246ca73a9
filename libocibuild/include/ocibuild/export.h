/* ocibuild/export.h — marks what the shared library exports; how an options struct begins. */
#ifndef OCIBUILD_EXPORT_H
#define OCIBUILD_EXPORT_H

#if defined(__GNUC__)
#define OCIB_API __attribute__((visibility("default")))
#else
#define OCIB_API
#endif

/* An options struct with its size set and all else zero, for the _INIT macros. */
#if defined(__cplusplus)
#define OCIB_OPTIONS_INIT(type) \
	{                       \
		sizeof(type)    \
	}
#else
#define OCIB_OPTIONS_INIT(type)      \
	{                            \
		.size = sizeof(type) \
	}
#endif

#endif
