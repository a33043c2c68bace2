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

// The exit codes of other shells for a program that may not be executed, or that was not found.
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

// Call it first in the program. Children get the descriptors that are open now, and no others.
void remember_inherited_descriptors();

// Finds a name without a slash in PATH, and returns its file. Returns any other name as it is.
// Throws CannotRun if the file is missing or may not be executed.
[[nodiscard]] std::string find_program(const std::string& name);

// The process group of a child. It decides whether a signal reaches only the child.
enum class Place : std::uint8_t {
  same_group,  // as this process
  own_group,   // a signal reaches also what the program has started
  foreground,  // as own_group, and the group has the terminal: it can read, and gets Ctrl-C
};
// The place for a program that reads this process's input, in its own group if possible. If the
// input is the terminal and the output is not, the place is `same_group`: other programs of the
// pipeline may need the terminal too.
[[nodiscard]] Place place_for_own_group();

enum class Orphan : std::uint8_t { goes_on, is_killed };

struct Launch {
  std::vector<std::string> words;             // the program and its arguments
  std::vector<std::string> environment = {};  // NAME=VALUE, in addition to this process's
  std::optional<std::string> input = {};      // standard input; none: that of this process
  Place place = Place::same_group;
  // What happens to the program when this process is killed. Only the program is killed, not the
  // processes that it has started.
  Orphan orphan = Orphan::goes_on;
};

// One child process. The destructor kills it if it still runs.
class Child {
 public:
  // Throws CannotRun if the program could not be started.
  explicit Child(const Launch& launch);
  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;

  // Sends a signal. After the end of the child, the signal reaches the other processes of its own
  // group.
  void signal(int number) const;
  // The same, and continues a child that is stopped, so that it gets the signal.
  void signal_even_if_stopped(int number) const;
  // Its exit status, or 128 and the number of the signal that has ended it; nothing while it runs.
  [[nodiscard]] std::optional<int> exit_code();
  // The signal that has stopped it. Returns each stop only once.
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
