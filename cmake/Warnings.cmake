# Warnings for our own code, and hardening for release builds.
add_library(ocib_warnings INTERFACE)
target_compile_options(ocib_warnings INTERFACE
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes
	-Wmissing-prototypes -Wundef -Wvla -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough
	-Wdouble-promotion -Wno-missing-field-initializers
	$<$<C_COMPILER_ID:GNU>:-Wjump-misses-init>
	$<$<C_COMPILER_ID:Clang>:-Wno-gnu-zero-variadic-macro-arguments>
	$<$<BOOL:${OCIBUILD_WERROR}>:-Werror>)
if(NOT OCIBUILD_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
	target_compile_options(ocib_warnings INTERFACE -Wnull-dereference)
endif()
if(NOT OCIBUILD_SANITIZE AND CMAKE_BUILD_TYPE MATCHES "Rel")
	target_compile_definitions(ocib_warnings INTERFACE _FORTIFY_SOURCE=2)
	target_compile_options(ocib_warnings INTERFACE -fstack-protector-strong)
	target_link_options(ocib_warnings INTERFACE -Wl,-z,relro,-z,now)
endif()
