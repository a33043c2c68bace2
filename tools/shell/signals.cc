#include "tools/shell/signals.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace shell {
namespace {

constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// The variables that the handlers share with the object. A signal's bit is 1 << its number.
std::atomic<int> wakeup_descriptor{-1};
std::atomic<std::uint64_t> from_processes{0};
std::atomic<std::uint64_t> from_terminal{0};

// Safe in a signal handler.
void wake_descriptor(int descriptor) noexcept {
  const std::uint64_t one = 1;
  const int saved = errno;
  (void)!::write(descriptor, &one, sizeof one);
  errno = saved;
}

void on_ending_signal(int number, siginfo_t* info, void*) {
  auto& caught = info->si_code == SI_KERNEL ? from_terminal : from_processes;
  caught |= std::uint64_t{1} << number;
  wake_descriptor(wakeup_descriptor);
}

void on_child(int, siginfo_t*, void*) { wake_descriptor(wakeup_descriptor); }

}  // namespace

Wakeup::Wakeup() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Wakeup::~Wakeup() { ::close(descriptor_); }

void Wakeup::wake() const noexcept { wake_descriptor(descriptor_); }

void Wakeup::wait_until(std::chrono::steady_clock::time_point time) const {
  using std::chrono::milliseconds;
  constexpr milliseconds longest{60'000};
  const auto left = time - std::chrono::steady_clock::now();
  const auto wait = std::clamp(std::chrono::ceil<milliseconds>(left), milliseconds{0}, longest);
  pollfd ready{descriptor_, POLLIN, 0};
  (void)::poll(&ready, 1, static_cast<int>(wait.count()));
  std::uint64_t count = 0;
  (void)!::read(descriptor_, &count, sizeof count);
}

Signals::Signals() {
  from_processes = from_terminal = 0;
  wakeup_descriptor = wakeup_->descriptor();
  for (const int number : ending_signals) install(number, on_ending_signal);
  install(SIGCHLD, on_child);
}

Signals::~Signals() {
  for (const Former& former : former_) ::sigaction(former.number, &former.action, nullptr);
  wakeup_descriptor = -1;
}

void Signals::install(int number, void (*handler)(int, siginfo_t*, void*)) {
  Former former{number, {}};
  ::sigaction(number, nullptr, &former.action);
  const bool is_ignored =
      (former.action.sa_flags & SA_SIGINFO) == 0 && former.action.sa_handler == SIG_IGN;
  // If SIGCHLD stayed ignored, the end of a child could not be seen.
  if (is_ignored && number != SIGCHLD) return;
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigaction(number, &action, nullptr);
  former_.push_back(former);
}

std::optional<Signals::Caught> Signals::next() {
  for (auto* const caught : {&from_terminal, &from_processes}) {
    for (const int number : ending_signals) {
      const std::uint64_t bit = std::uint64_t{1} << number;
      if ((caught->fetch_and(~bit) & bit) != 0) return Caught{number, caught == &from_terminal};
    }
  }
  return std::nullopt;
}

void end_by_signal(int number) {
  ::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace shell
