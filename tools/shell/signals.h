#pragma once

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <vector>

namespace shell {

// Ends a wait, from another thread or from a signal handler.
class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  void wake() const noexcept;
  // Waits until `time`, or until `wake` is called. Returns at once if `wake` was called after the
  // last wait.
  void wait_until(std::chrono::steady_clock::time_point time) const;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// While an object exists, SIGINT, SIGTERM, SIGHUP and SIGQUIT do not end the program: they are kept
// for `next`. A signal that the program was told to ignore, as by nohup, stays ignored. Each
// signal, and the end of a child, wakes `wakeup`. There may be only one object at a time.
class Signals {
 public:
  struct Caught {
    int number = 0;
    // By Ctrl-C or Ctrl-\ : all processes of the foreground group have got it.
    bool is_from_terminal = false;
  };

  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // A signal that was caught, which is then removed; nothing if there is none.
  std::optional<Caught> next();
  [[nodiscard]] const std::shared_ptr<Wakeup>& wakeup() const { return wakeup_; }

 private:
  struct Former {
    int number;
    struct sigaction action;
  };

  void install(int number, void (*handler)(int, siginfo_t*, void*));

  std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
  std::vector<Former> former_;
};

// Ends this program by a signal that it has caught, as if it had no handler.
void end_by_signal(int number);

}  // namespace shell
