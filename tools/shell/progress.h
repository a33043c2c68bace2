#pragma once

#include <chrono>
#include <string>

namespace shell {

// Shows progress in the last line of a terminal. Each text replaces the one before. Shows nothing
// if the descriptor is not a terminal.
class Progress {
 public:
  // `is_quiet`: shows nothing.
  explicit Progress(int descriptor, bool is_quiet = false);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows `text`, but not too often.
  void show(const std::string& text);
  void clear();

 private:
  int descriptor_;
  bool is_terminal_;
  bool is_shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace shell
