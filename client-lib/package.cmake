# The installed library: one archive, its headers, and how CMake and pkg-config find it.
#
#   find_package(zabkeeper REQUIRED)
#   target_link_libraries(my_program PRIVATE zabkeeper::client)
#
# Programs that add this project with add_subdirectory link the same name.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(zabkeeper::client ALIAS client_lib)
target_compile_features(client_lib PUBLIC cxx_std_20)

set(parts client_lib recipes wire boost_url asio)
list(TRANSFORM parts REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
add_library(zabkeeper_archive STATIC ${objects})
set_target_properties(zabkeeper_archive PROPERTIES OUTPUT_NAME zabkeeper LINKER_LANGUAGE CXX)
install(TARGETS zabkeeper_archive COMPONENT client)

# Only <zabkeeper/...> is for users. The other headers are what these include.
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/zabkeeper
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT client)
foreach(room client-lib wire)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${room}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/zabkeeper/detail COMPONENT client
    FILES_MATCHING PATTERN "*.h" PATTERN include EXCLUDE)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/zabkeeper)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/zabkeeper-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/zabkeeper-config.cmake
  INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/zabkeeper-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/zabkeeper-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/zabkeeper-config-version.cmake
  DESTINATION ${package_dir} COMPONENT client)
# Relative, so that the installed tree can be moved.
file(RELATIVE_PATH prefix_from_pc /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${CMAKE_CURRENT_LIST_DIR}/zabkeeper.pc.in ${CMAKE_CURRENT_BINARY_DIR}/zabkeeper.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/zabkeeper.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT client)
