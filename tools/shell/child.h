#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/types.h>
#include <termios.h>
#include <vector>

// Programs that the shell runs. No other shell is involved: the words are the program's arguments.
namespace shell {

// As shells report a program that was not found, or that may not be executed.
inline constexpr int exit_not_executable = 126;
inline constexpr int exit_not_found = 127;

// A program could not be started.
class CannotRun : public std::runtime_error {
 public:
  CannotRun(const std::string& program, int error_number);
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// To be called first in the program: children get the descriptors that are open now, and no others.
void remember_inherited_descriptors();

// The file that a name without a slash has in PATH; else the name itself. Throws CannotRun if it is
// missing or may not be executed.
[[nodiscard]] std::string find_program(const std::string& name);

// The signals of a child go to it alone, or to its process group.
enum class Place : std::uint8_t {
  same_group,  // as this process
  own_group,   // a signal reaches also what the program has started
  foreground,  // as own_group, and the group has the terminal: it can read, and gets Ctrl-C
};
// The place in which a program can read what this process could read, with an own group if that is
// possible. It is not where the input is the terminal, but the output is not: then other programs
// of a pipeline may need the terminal too.
[[nodiscard]] Place place_for_own_group();

enum class Orphan : std::uint8_t { goes_on, is_killed };

struct Launch {
  std::vector<std::string> words;             // the program and its arguments
  std::vector<std::string> environment = {};  // NAME=VALUE, in addition to this process's
  std::optional<std::string> input = {};      // standard input; none: that of this process
  Place place = Place::same_group;
  // When this process is killed. A kill reaches only the program, not what it has started.
  Orphan orphan = Orphan::goes_on;
};

// One child process. Its destructor kills it if it runs.
class Child {
 public:
  // Throws CannotRun if the program could not be started.
  explicit Child(const Launch& launch);
  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;

  // Also after its end, for what it has left in its own group.
  void signal(int number) const;
  // The same for a program that may be stopped, and would not see the signal.
  void signal_even_if_stopped(int number) const;
  // Its exit status, or 128 and the number of the signal that has ended it; nothing while it runs.
  [[nodiscard]] std::optional<int> exit_code();
  // The signal that has stopped it, once.
  [[nodiscard]] std::optional<int> stopped_by() const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Place place() const { return place_; }

 private:
  void take_terminal_back();

  pid_t pid_ = -1;
  Place place_;
  std::optional<int> exit_code_;
  // With Place::foreground, as they were before.
  std::optional<termios> terminal_;
  struct sigaction former_ {};  // of SIGTTOU
};

}  // namespace shell
