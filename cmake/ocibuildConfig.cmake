include("${CMAKE_CURRENT_LIST_DIR}/ocibuildTargets.cmake")
