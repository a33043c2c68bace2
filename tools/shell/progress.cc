#include "tools/shell/progress.h"

#include <unistd.h>

namespace shell {
namespace {

constexpr std::chrono::milliseconds interval{100};
constexpr const char* begin_line = "\r\x1b[K";  // moves to the beginning of the line, and erases it

// An error is ignored: progress is not important.
void write_to(int descriptor, const std::string& text) {
  if (::write(descriptor, text.data(), text.size()) < 0) return;
}

}  // namespace

Progress::Progress(int descriptor, bool is_quiet)
    : descriptor_(descriptor), is_terminal_(!is_quiet && ::isatty(descriptor) != 0) {}

void Progress::show(const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal_ || now < next_) return;
  next_ = now + interval;
  is_shown_ = true;
  write_to(descriptor_, begin_line + text);
}

void Progress::clear() {
  if (is_shown_) write_to(descriptor_, begin_line);
  is_shown_ = false;
}

}  // namespace shell
