#pragma once

#include <string>

#include "tools/shell/command_line.h"

namespace shell {

// $XDG_STATE_HOME/zabkeeper/history, or the same below ~/.local/state. Empty if there is no home.
[[nodiscard]] std::string history_path();

// Whether the line may be kept. Lines with secrets may not.
[[nodiscard]] bool may_be_kept(const std::string& line);

// The lines of the editor, kept between runs in a file that only its owner may read.
class LineHistory {
 public:
  LineHistory();
  ~LineHistory();
  LineHistory(const LineHistory&) = delete;
  LineHistory& operator=(const LineHistory&) = delete;

  void add(const std::string& line);

 private:
  std::string path_;
};

}  // namespace shell
