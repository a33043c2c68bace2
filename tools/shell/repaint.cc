#include "tools/shell/repaint.h"

#include <algorithm>
#include <poll.h>
#include <unistd.h>

namespace shell {
namespace {

// Moves to the upper left corner, and erases everything after it.
constexpr char clear_screen[] = "\x1b[H\x1b[J";

// Waits in slices, because a signal may come just before a wait begins.
void wait_for_repaint(std::chrono::steady_clock::time_point end,
                      const std::function<bool()>& is_over) {
  constexpr std::chrono::milliseconds slice{100};
  while (!is_over()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    (void)::poll(nullptr, 0, static_cast<int>(std::min(left, slice).count()));
  }
}

}  // namespace

void repaint(Output& out, std::chrono::milliseconds interval,
             const std::function<std::string()>& make, const std::function<bool()>& is_over) {
  while (!is_over()) {
    const auto next = std::chrono::steady_clock::now() + interval;
    const std::string text = make();
    // `out` would escape these control characters, so they are written directly.
    const bool is_cleared =
        out.is_terminal() && ::write(STDOUT_FILENO, clear_screen, sizeof clear_screen - 1) > 0;
    out << text << (out.is_terminal() && !is_cleared ? "\n" : "") << std::flush;
    wait_for_repaint(next, is_over);
  }
}

}  // namespace shell
