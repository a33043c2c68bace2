#include "server/process/ending.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include <boost/system/system_error.hpp>

#include "server/logging/process_log.h"
#include "server/process/exit_codes.h"
#include "wire/ensure_report.h"

namespace server {
namespace {

// Memory for the final message of a process that has none left. Freed before the message is made.
constexpr std::size_t reserve_bytes = 256 * 1024;
char* reserve = nullptr;

std::string advice(int number) {
  switch (number) {
    case ENOMEM: return "; give this process more memory (ulimit -v, the limit of its cgroup)";
    case EMFILE: return "; raise its limit of open files (ulimit -n)";
    case ENFILE: return "; raise the limit of open files of this machine (fs.file-max)";
    default: return {};
  }
}

template <class Error>
Ending refused_by_system(const Error& error) {
  return {std::string("the system refused what the server needs: ") + error.what() +
          advice(error.code().value())};
}

[[noreturn]] void on_uncaught() {
  delete[] std::exchange(reserve, nullptr);
  const Ending ending = explain(std::current_exception());
  log_final_message(ending.words);
  if (ending.is_of_the_system) std::_Exit(exit_start);
  std::abort();
}

const char* words_of(int signal) {
  switch (signal) {
    case SIGBUS:
      return "zabkeeper: SIGBUS: a page of the checkpoint or of the program could not be read; "
             "check the disk\n";
    case SIGSEGV: return "zabkeeper: SIGSEGV: a broken invariant; report the bug\n";
    case SIGILL: return "zabkeeper: SIGILL: this processor cannot run this program\n";
    case SIGFPE: return "zabkeeper: SIGFPE: a broken invariant; report the bug\n";
    case SIGSYS: return "zabkeeper: SIGSYS: a filter of system calls does not allow one\n";
    default: return "";
  }
}

// Allocates nothing and takes no lock. Afterwards the signal does what it does without this.
void on_fault(int signal) {
  write_to_standard_error(words_of(signal));
  wait_for_process_log();
  ::raise(signal);
}

// A sanitizer has handlers of its own.
void handle_fault(int signal) {
  struct sigaction before {};
  if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) return;
  struct sigaction action {};
  action.sa_handler = on_fault;
  action.sa_flags = SA_RESETHAND | SA_NODEFER | SA_ONSTACK;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

Ending explain(const std::exception_ptr& error) {
  const std::string bug = "a broken invariant: ";
  const std::string what_to_do = ". Keep the data directory and report the bug";
  if (!error) return {bug + "the program called terminate" + what_to_do, false};
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return {"there is no memory left for this process" + advice(ENOMEM)};
  } catch (const std::system_error& system) {
    return refused_by_system(system);
  } catch (const boost::system::system_error& system) {
    return refused_by_system(system);
  } catch (const std::exception& other) {
    return {bug + "an exception that nobody expects, " + other.what() + what_to_do, false};
  } catch (...) {
    return {bug + "an exception that nobody expects" + what_to_do, false};
  }
}

// After a failed sync it is not known what is on the disk, and earlier promises are not certain. A
// second sync could succeed without writing anything, so none is tried.
void exit_on_log_failure(const wire::Error& error) {
  if (error.code == wire::ErrorCode::unimplemented) {
    log_final_message(error.message + ". The server stops");
    std::_Exit(exit_start);
  }
  log_final_message(
      "the log cannot be written: " + error.message +
      ". The server stops, because it can no longer promise that anything is durable; "
      "correct the reason, then start the server again");
  std::_Exit(exit_disk);
}

void say_why_it_ends() {
  reserve = new char[reserve_bytes]();
  std::set_terminate(on_uncaught);
  // Whoever reads standard error may hang, and then the process must end too.
  wire::report_broken_invariants_to(write_to_standard_error);
  // A stack that has overflowed has no room for a handler.
  static std::array<char, 64 * 1024> stack;
  stack_t other{};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  ::sigaltstack(&other, nullptr);
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT}) handle_fault(fault);
}

}  // namespace server
