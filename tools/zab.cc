#include <iostream>
#include <memory>
#include <mutex>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/client.h"
#include "tools/shell/command_line.h"
#include "tools/shell/interactive.h"
#include "tools/shell/runner.h"

namespace {

using zabkeeper::SessionEvent;

// The server that the session uses. Set by the client's thread, read by the prompt.
class ServerLabel {
 public:
  void set(std::string text) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_ = "offline";
};

// Prints changes of the session's state. The prompt shows the first server.
class SessionPrinter {
 public:
  explicit SessionPrinter(ServerLabel& label) : label_(label) {}

  void operator()(const SessionEvent& event) {
    switch (event.kind) {
      case SessionEvent::Kind::connected:
        label_.set(std::to_string(event.server) + ' ' + std::string(wire::name(event.role)));
        if (lost_) {
          std::cerr << "connected to server " << event.server << ", a " << wire::name(event.role)
                    << (event.resumed ? "; the session continues\n" : "; a new session\n");
        }
        lost_ = false;
        break;
      case SessionEvent::Kind::disconnected:
        label_.set("offline");
        std::cerr << "connection lost: " << event.reason << "; trying the next server\n";
        lost_ = true;
        break;
      case SessionEvent::Kind::expired:
        label_.set("offline");
        std::cerr << event.reason << "; its ephemeral nodes and watches have ended with it\n";
        lost_ = true;
        break;
      case SessionEvent::Kind::closed: break;
    }
  }

 private:
  ServerLabel& label_;
  bool lost_ = false;
};

// A second interrupt before the first had an effect ends the program.
void on_interrupt(int) {
  if (shell::interrupted.exchange(true)) {
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
  }
}

int run(const shell::CommandLine& line) {
  const bool tty = isatty(STDIN_FILENO) != 0;
  zabkeeper::Options options;
  options.servers = zabkeeper::servers(line.servers);
  options.session.timeout_ms = line.timeout_ms;
  options.session.auth = line.auth;
  options.session.after_expiry = !line.command;
  options.offline_timeout = options.call_timeout = std::chrono::milliseconds(line.timeout_ms);

  ServerLabel label;
  if (!line.command || std::holds_alternative<shell::Watch>(*line.command)) {
    options.on_session = [printer = std::make_shared<SessionPrinter>(label)](
                             const SessionEvent& event) { (*printer)(event); };
  } else {
    // Longer than the wait for a server, whose error has the reason.
    options.call_timeout += std::chrono::seconds(2);
  }
  const shell::Runner::Settings settings{
      options.servers, std::chrono::milliseconds(line.timeout_ms), line.auth,
      line.command ? shell::Mode::one_shot : shell::Mode::interactive};

  std::unique_ptr<zabkeeper::Client> client;
  const auto the_client = [&]() -> zabkeeper::Client& {
    if (!client) client = std::make_unique<zabkeeper::Client>(options);
    return *client;
  };
  shell::Runner runner(settings, the_client, std::cout, std::cerr);
  if (line.command) {
    const bool watching = std::holds_alternative<shell::Watch>(*line.command);
    if (watching) signal(SIGINT, on_interrupt);
    return runner.run(*line.command, line.json);
  }
  if (!tty) return shell::run_script(runner);

  // Without SA_RESTART, so that an interrupt also ends reading a line.
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  (void)the_client().ask(
      wire::PingRequest{});  // connects, so that the first prompt shows the server
  std::cout << "`help` lists the commands\n";
  return shell::run_interactive(runner, the_client(), [&] { return label.text(); });
}

}  // namespace

int main(int argc, char** argv) try {
  auto parsed = shell::parse_command_line({argv + 1, argv + argc}, ZABKEEPER_VERSION);
  if (const auto* notice = std::get_if<shell::Notice>(&parsed)) {
    (notice->exit_code == shell::exit_ok ? std::cout : std::cerr) << notice->text;
    return notice->exit_code;
  }
  return run(std::get<shell::CommandLine>(parsed));
} catch (const std::invalid_argument& error) {
  std::cerr << error.what() << '\n';
  return shell::exit_usage;
}
