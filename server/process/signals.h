#pragma once

#include <functional>
#include <string>

#include <boost/asio/signal_set.hpp>

namespace server {

// Opens what of standard input, output and error is closed: otherwise the next file that is opened,
// such as the write-ahead log, would get what the process prints.
void open_standard_streams();

// Lets this process open the files that it creates, whatever its umask.
void allow_own_files();

// Undoes what the process that started this one has set: blocked signals, and an ignored SIGCHLD.
// Lets failed writes be errors of those writes: SIGPIPE, SIGXFSZ and SIGTTOU have no effect. Only
// signals that stop a server end the process.
void begin_with_usual_signals();

// What a signal means for a server. docs/operations.md has the table.
enum class SignalMeaning : std::uint8_t { stop, reload, report, none };

// The meaning of each signal that `Signals` handles. Those that are left out report a fault of the
// program, cannot be handled, or have no effect by themselves.
[[nodiscard]] SignalMeaning meaning_of(int signal);

// "SIGHUP"
[[nodiscard]] std::string signal_name(int signal);

// Carries out on the event loop what signals mean.
class Signals {
 public:
  struct Actions {
    std::function<void()> stop;    // called once
    std::function<void()> reload;  // read the configuration again
    std::function<void()> report;  // log the state
  };

  // From now on only signals that stop a server end the process: at once, before `start` is called.
  explicit Signals(boost::asio::io_context& io);
  // Also handles what came since this was constructed.
  void start(Actions actions);
  // Stops waiting for signals. They have no effect any more.
  void stop() { signals_.cancel(); }

 private:
  void wait();
  void carry_out(int signal);

  boost::asio::signal_set signals_;
  Actions actions_;
  bool stopping_ = false;
};

}  // namespace server
