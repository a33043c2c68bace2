# With ZABKEEPER_MUTANT=M24, or C1+M15, rooms are built from changed copies of the files that these
# mutants change; see mutate.py. Each combination has its own directory, so that no copy of another
# one is used by mistake.
set(mutated_files "")
set(mutant_dir ${PROJECT_BINARY_DIR}/mutant/${ZABKEEPER_MUTANT})
if(ZABKEEPER_MUTANT)
  find_program(ZABKEEPER_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
  execute_process(
    COMMAND ${ZABKEEPER_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/mutate.py ${ZABKEEPER_MUTANT} ${mutant_dir}
    OUTPUT_VARIABLE mutated_files ERROR_VARIABLE mutant_error RESULT_VARIABLE mutant_result)
  if(mutant_result)
    message(FATAL_ERROR "${mutant_error}")
  endif()
  string(REGEX MATCHALL "[^\n]+" mutated_files "${mutated_files}")
  # The directory of the copies is searched first for headers.
  if(mutated_files MATCHES "\\.h(;|$)")
    include_directories(BEFORE ${mutant_dir})
  endif()
endif()

# mutate(<variable>): replaces the sources of the current folder in this list by their copies.
function(mutate variable)
  set(sources "")
  foreach(source IN LISTS ${variable})
    cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE path)
    cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
    if(path IN_LIST mutated_files)
      set(source ${mutant_dir}/${path})
    endif()
    list(APPEND sources ${source})
  endforeach()
  set(${variable} "${sources}" PARENT_SCOPE)
endfunction()
