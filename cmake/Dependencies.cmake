# Every third party becomes one imported target, ocib_<name>; only the layer that may use it links it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# libarchive and libcurl: compiled against here, loaded when they are first needed (base/late_library.h).
pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive>=3.5)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.4)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=1.1.1)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.77)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.12)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1>=0.2)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp>=2.5)

set(OCIBUILD_HAVE_ISAL OFF)
if(OCIBUILD_ISAL)
	pkg_check_modules(ISAL IMPORTED_TARGET libisal>=2.28)
	if(ISAL_FOUND)
		set(OCIBUILD_HAVE_ISAL ON)
	endif()
endif()
message(STATUS "gzip by ISA-L: ${OCIBUILD_HAVE_ISAL}")
