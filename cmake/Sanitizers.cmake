# -DOCIBUILD_SANITIZE=address,undefined for the whole tree.
if(OCIBUILD_SANITIZE)
	add_compile_options(-fsanitize=${OCIBUILD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	add_link_options(-fsanitize=${OCIBUILD_SANITIZE})
endif()
