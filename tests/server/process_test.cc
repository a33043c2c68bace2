#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <new>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "server/logging/process_log.h"
#include "server/process/ending.h"
#include "server/process/exit_codes.h"
#include "server/process/reload.h"
#include "server/process/signals.h"
#include "wire/ensure.h"

namespace server {
namespace {

TEST_CASE(
    "each signal stops a server, reloads its configuration, logs its state, or does nothing") {
  struct Row {
    int signal;
    const char* name;
    SignalMeaning meaning;
  };
  for (const Row& row : {
           Row{SIGTERM, "SIGTERM", SignalMeaning::stop},
           Row{SIGINT, "SIGINT", SignalMeaning::stop},
           Row{SIGPWR, "SIGPWR", SignalMeaning::stop},
           Row{SIGXCPU, "SIGXCPU", SignalMeaning::stop},
           Row{SIGHUP, "SIGHUP", SignalMeaning::reload},
           Row{SIGUSR1, "SIGUSR1", SignalMeaning::report},
           Row{SIGQUIT, "SIGQUIT", SignalMeaning::report},
           Row{SIGUSR2, "SIGUSR2", SignalMeaning::none},
           Row{SIGALRM, "SIGALRM", SignalMeaning::none},
       }) {
    CHECK(signal_name(row.signal) == row.name);
    CHECK(meaning_of(row.signal) == row.meaning);
  }
  CHECK(meaning_of(SIGRTMIN + 3) == SignalMeaning::none);
  CHECK(signal_name(SIGRTMIN + 3) == "signal " + std::to_string(SIGRTMIN + 3));
}

TEST_CASE("a log message is one line that is safe in a terminal") {
  CHECK(as_line("two\nlines, a\ttab") == "two lines, a\ttab");
  CHECK(as_line("\x1b[31m\r\x7f") == R"(\x1b[31m\r\x7f)");
  CHECK(as_line("a C1 control \xc2\x9b") == R"(a C1 control \u{009b})");
  CHECK(as_line("to the left \xe2\x80\xae") == R"(to the left \u{202e})");
  CHECK(as_line("no UTF-8 \xe9") == R"(no UTF-8 \xe9)");
  CHECK(as_line("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
}

Configured with(Settings settings, const std::string& level = "info", std::uint32_t id = 1) {
  Configured configured;
  configured.config.log_level = level;
  configured.config.id = id;
  configured.settings = std::move(settings);
  return configured;
}

TEST_CASE(
    "a configuration that is read again changes some keys, and names those that need a restart") {
  const Settings before{{"tickTime", {"1000", "a:1"}}, {"logLevel", {"info", "a:2"}}};
  const auto compare = [&](const Configured& read) { return changes(with(before), read); };

  CHECK(compare(with(before)).for_restart.empty());
  CHECK_FALSE(compare(with(before)).log_level);
  // Another line of the file, the same value.
  CHECK(compare(with({{"tickTime", {"1000", "a:9"}}, {"logLevel", {"info", "a:2"}}}))
            .for_restart.empty());

  const ConfigChanges level = compare(with({{"tickTime", {"1000", "a:1"}}}, "debug"));
  CHECK(level.log_level);
  CHECK(level.for_restart.empty());

  const ConfigChanges other = compare(with({{"maxWatches", {"7", "a:1"}}}, "info", 2));
  CHECK(other.for_restart == std::vector<std::string>{"maxWatches", "tickTime", "myid"});
}

template <class Error>
Ending ending_by(const Error& error) {
  return explain(std::make_exception_ptr(error));
}

TEST_CASE("an uncaught exception is explained") {
  const auto says = [](const Ending& ending, const char* words) {
    CAPTURE(ending.words);
    CHECK(ending.words.find(words) != std::string::npos);
  };
  const std::error_code no_files = std::make_error_code(std::errc::too_many_files_open);
  says(ending_by(std::bad_alloc()), "no memory left");
  says(ending_by(std::system_error(no_files, "eventfd")), "eventfd");
  says(ending_by(std::system_error(no_files, "eventfd")), "ulimit -n");
  const boost::system::error_code none_left(EMFILE, boost::system::system_category());
  says(ending_by(boost::system::system_error(none_left, "epoll")), "ulimit -n");
  CHECK(ending_by(std::bad_alloc()).is_of_the_system);
  CHECK(ending_by(boost::system::system_error(none_left)).is_of_the_system);

  says(ending_by(std::logic_error("a hole")), "a broken invariant");
  says(ending_by(std::logic_error("a hole")), "a hole");
  says(ending_by(7), "a broken invariant");
  CHECK_FALSE(ending_by(std::logic_error("a hole")).is_of_the_system);
  CHECK_FALSE(explain(nullptr).is_of_the_system);
}

// What a process that fails with a full pipe as standard error ends with.
int status_with_full_pipe(void (*fail)()) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_NONBLOCK) == 0);
  while (::write(pipe[1], "x", 1) == 1) {
  }
  ::fcntl(pipe[1], F_SETFL, 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], STDERR_FILENO);
    // So that no core is kept.
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (const int signal : {SIGABRT, SIGSEGV}) std::signal(signal, SIG_DFL);
    say_why_it_ends();
    fail();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  ::close(pipe[0]);
  ::close(pipe[1]);
  return status;
}

TEST_CASE("a process ends although nobody reads its last message") {
  const int invariant = status_with_full_pipe([] { ensure(1 > 2, "a test of the end"); });
  CHECK(WIFSIGNALED(invariant));
  CHECK(WTERMSIG(invariant) == SIGABRT);
  const int fault = status_with_full_pipe([] { ::raise(SIGSEGV); });
  CHECK(WIFSIGNALED(fault));
  CHECK(WTERMSIG(fault) == SIGSEGV);
  const int memory = status_with_full_pipe(
      []() noexcept { std::rethrow_exception(std::make_exception_ptr(std::bad_alloc())); });
  CHECK(WIFEXITED(memory));
  CHECK(WEXITSTATUS(memory) == exit_start);
}

}  // namespace
}  // namespace server
