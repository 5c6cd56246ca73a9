# The layers of ARCHITECTURE.md as object libraries, and who may stand on whom.
#
# ob_layer(NAME LINKS … SOURCES …) makes ob_NAME. Objects of a layer and of everything below it are in
# OB_OBJECTS_<layer>, which is what a test or a fuzz target of that layer links.
set(OB_BELOW_base "")
set(OB_BELOW_io base)
set(OB_BELOW_image io base)
set(OB_BELOW_layer image io base)
foreach(sibling dockerfile sandbox snapshot store registry)
	set(OB_BELOW_${sibling} layer image io base)
endforeach()
set(OB_BELOW_engine dockerfile sandbox snapshot store registry layer image io base)

function(ob_layer name)
	cmake_parse_arguments(arg "" "" "LINKS;SOURCES" ${ARGN})
	if(NOT arg_SOURCES)
		add_library(ob_${name} INTERFACE)
		return()
	endif()
	add_library(ob_${name} OBJECT ${arg_SOURCES})
	target_include_directories(ob_${name}
		PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/libocibuild/include>
		PRIVATE ${PROJECT_SOURCE_DIR}/libocibuild)
	target_compile_definitions(ob_${name} PRIVATE _GNU_SOURCE)
	set_target_properties(ob_${name} PROPERTIES C_VISIBILITY_PRESET hidden)
	target_link_libraries(ob_${name} PRIVATE ocib_warnings PUBLIC ${arg_LINKS} Threads::Threads)
endfunction()

# Link the objects of a layer and all below it into an executable or library.
function(ob_link_layer target layer)
	foreach(one ${layer} ${OB_BELOW_${layer}})
		target_link_libraries(${target} PRIVATE ob_${one})
	endforeach()
	target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/libocibuild)
	target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
	target_link_libraries(${target} PRIVATE ocib_warnings)
endfunction()
