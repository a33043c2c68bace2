#include "tools/shell/child.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "tools/shell/signals.h"

namespace shell {
namespace {

int code_of(Child& child, Signals& signals) {
  for (;;) {
    if (const auto code = child.exit_code()) return *code;
    signals.wakeup()->wait_until(std::chrono::steady_clock::time_point::max());
  }
}

int code_of(const Launch& launch) {
  Signals signals;
  Child child(launch);
  return code_of(child, signals);
}

int exit_code_or_failure(const std::vector<std::string>& words) {
  try {
    return code_of(Launch{words});
  } catch (const CannotRun& failed) {
    return failed.exit_code();
  }
}

TEST_CASE("the exit code of a program is its own, or says which signal has ended it") {
  CHECK(code_of({{"true"}}) == 0);
  CHECK(code_of({{"sh", "-c", "exit 77"}}) == 77);
  CHECK(code_of({{"sh", "-c", "kill -TERM $$"}}) == 128 + SIGTERM);
  CHECK(code_of({{"test", "a b", "=", "a b"}}) == 0);
}

TEST_CASE("a program that is not there, or not executable, has the exit code of shells") {
  CHECK(exit_code_or_failure({"no-such-program"}) == exit_not_found);
  CHECK(exit_code_or_failure({"/no/such"}) == exit_not_found);
  CHECK(exit_code_or_failure({""}) == exit_not_found);
  CHECK(exit_code_or_failure({"/etc/passwd"}) == exit_not_executable);
  CHECK(exit_code_or_failure({"/"}) == exit_not_executable);
  CHECK(find_program("/bin/sh") == "/bin/sh");
  CHECK(find_program("sh").ends_with("/sh"));
}

TEST_CASE("a program gets its input, also a large one, and additional variables") {
  const std::string large(3'000'000, 'x');
  CHECK(code_of({{"sh", "-c", "test $(wc -c) = 3000000"}, {}, large}) == 0);
  CHECK(code_of({{"sh", "-c", "test $(wc -c) = 0"}, {}, ""}) == 0);
  ::setenv("ZABKEEPER_TEST", "former", 1);
  CHECK(code_of({{"sh", "-c", "test \"$ZABKEEPER_TEST\" = 'a=b c'"}, {"ZABKEEPER_TEST=a=b c"}}) ==
        0);
  CHECK(code_of({{"sh", "-c", "test $ZABKEEPER_TEST = former"}, {"ZABKEEPER_TES=x"}}) == 0);
  ::unsetenv("ZABKEEPER_TEST");
}

TEST_CASE("a program does not get the descriptors of the shell, nor what it ignores") {
  const int kept = ::open("/dev/null", O_RDONLY);
  const std::string number = std::to_string(kept);
  CHECK(code_of({{"test", "!", "-e", "/proc/self/fd/" + number}}) == 0);
  remember_inherited_descriptors();
  CHECK(code_of({{"test", "-e", "/proc/self/fd/" + number}}) == 0);
  ::close(kept);
  ::signal(SIGPIPE, SIG_IGN);
  CHECK(code_of({{"sh", "-c", "kill -PIPE $$"}}) == 128 + SIGPIPE);
  ::signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("signals reach the whole group of a program, also after its end") {
  Signals signals;
  Launch launch{{"sh", "-c", "sleep 1000 & exit 3"}};
  launch.place = Place::own_group;
  Child child(launch);
  CHECK(code_of(child, signals) == 3);
  CHECK(::kill(-child.pid(), 0) == 0);
  child.signal(SIGKILL);
  Child waiting({{"sh", "-c", "kill -STOP $$"}});
  while (waiting.stopped_by() != SIGSTOP) {
    signals.wakeup()->wait_until(std::chrono::steady_clock::time_point::max());
  }
  CHECK(!waiting.exit_code());
  waiting.signal(SIGCONT);
  CHECK(code_of(waiting, signals) == 0);
}

TEST_CASE("a signal is caught once, and does not end the process") {
  Signals signals;
  ::raise(SIGTERM);
  ::raise(SIGINT);
  const auto first = signals.next();
  const auto second = signals.next();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->number == SIGINT);
  CHECK(second->number == SIGTERM);
  CHECK(!first->is_from_terminal);
  CHECK(!signals.next());
}

}  // namespace
}  // namespace shell
