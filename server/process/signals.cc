#include "server/process/signals.h"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

namespace server {
namespace {

// All others of these have no meaning.
std::vector<int> handled_signals() {
  std::vector<int> signals{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1,   SIGUSR2,  SIGALRM,
                           SIGPWR, SIGIO,  SIGPROF, SIGXCPU, SIGVTALRM, SIGSTKFLT};
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) signals.push_back(signal);
  return signals;
}

}  // namespace

void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest number that is free is this one. Without /dev/null, anything that takes no bytes.
    if (::open("/dev/null", stream == STDIN_FILENO ? O_RDONLY : O_WRONLY) < 0) {
      static_cast<void>(::epoll_create1(0));
    }
  }
}

void allow_own_files() { ::umask(::umask(0) & 0077U); }

void begin_with_usual_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
  std::signal(SIGCHLD, SIG_DFL);
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGTTOU}) std::signal(signal, SIG_IGN);
  // Until `Signals` handles them. The system ends the first process of a container only by a
  // handler.
  const auto end = ::getpid() == 1 ? [](int number) { ::_exit(128 + number); } : SIG_DFL;
  for (const int signal : handled_signals()) {
    std::signal(signal, meaning_of(signal) == SignalMeaning::stop ? end : SIG_IGN);
  }
}

SignalMeaning meaning_of(int signal) {
  switch (signal) {
    case SIGTERM:
    case SIGINT:
    case SIGPWR:   // of some containers: their init is to shut down
    case SIGXCPU:  // a limit of processor time: SIGKILL comes next
      return SignalMeaning::stop;
    case SIGHUP: return SignalMeaning::reload;
    case SIGUSR1:
    case SIGQUIT:  // shows the threads of a server in Java, and does not end it
      return SignalMeaning::report;
    default: return SignalMeaning::none;
  }
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : "SIG" + std::string(name);
}

Signals::Signals(boost::asio::io_context& io) : signals_(io) {
  for (const int signal : handled_signals()) {
    // Refused where another program, such as valgrind, keeps the signal for itself.
    boost::system::error_code refused;
    if (meaning_of(signal) != SignalMeaning::stop) signals_.add(signal, refused);
  }
}

void Signals::start(Actions actions) {
  actions_ = std::move(actions);
  for (const int signal : handled_signals()) {
    if (meaning_of(signal) == SignalMeaning::stop) signals_.add(signal);
  }
  wait();
}

void Signals::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    carry_out(signal);
    wait();
  });
}

void Signals::carry_out(int signal) {
  const std::string name = signal_name(signal);
  switch (meaning_of(signal)) {
    case SignalMeaning::stop:
      spdlog::info("{}: shutting down{}", name, stopping_ ? " already" : "");
      if (!std::exchange(stopping_, true)) actions_.stop();
      break;
    case SignalMeaning::reload: actions_.reload(); break;
    case SignalMeaning::report: actions_.report(); break;
    case SignalMeaning::none: spdlog::info("{} has no meaning here", name); break;
  }
}

}  // namespace server
