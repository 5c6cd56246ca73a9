# -DOCIBUILD_SANITIZE=address,undefined for the whole tree.
if(OCIBUILD_SANITIZE)
	add_compile_options(-fsanitize=${OCIBUILD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	add_link_options(-fsanitize=${OCIBUILD_SANITIZE})
endif()
# A fuzzer only finds its way through code that tells it where it has been: the library too.
if(OCIBUILD_FUZZ)
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()
