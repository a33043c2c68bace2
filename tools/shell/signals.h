#pragma once

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <vector>

namespace shell {

// Ends a wait of another thread, or of the thread itself by a signal handler.
class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  void wake() const noexcept;
  // Waits for a wake that no wait has seen yet, or for the time.
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

  // A signal that was caught, once.
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

// Ends this program as the signal does that it has caught.
void end_by_signal(int number);

}  // namespace shell
