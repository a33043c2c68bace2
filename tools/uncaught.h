#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <system_error>

#include "wire/terminal_text.h"

// What a tool says when an exception reaches the end of it.
namespace tools {

// In words for the user of a tool, safe in a terminal: they may have parts of a file or of a reply.
inline std::string uncaught_words(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
    return "a broken invariant; report the bug";
  } catch (const std::bad_alloc&) {
    return "there is no memory left for this process (ulimit -v, the limit of its cgroup)";
  } catch (const std::system_error& system) {
    const bool no_thread = system.code() == std::errc::resource_unavailable_try_again;
    return "the system refused what this program needs: " + wire::terminal_text(system.what()) +
           (no_thread ? "; raise the limit of threads (ulimit -u)" : "");
  } catch (const std::exception& other) {
    return wire::terminal_text(other.what());
  } catch (...) {
    return "an exception that nobody expects; report the bug";
  }
}

// From now on an exception that no thread catches ends the process with `exit_code` and words.
inline void end_with_words(const char* program, int exit_code) {
  static const char* name = nullptr;
  static int code = 0;
  name = program;
  code = exit_code;
  std::set_terminate([] {
    std::fprintf(stderr, "%s: %s\n", name, uncaught_words(std::current_exception()).c_str());
    std::fflush(nullptr);
    std::_Exit(code);
  });
}

}  // namespace tools
