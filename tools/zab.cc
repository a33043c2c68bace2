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

// Where the session is; told by the client's thread, asked by the prompt.
class Place {
 public:
  void moved(std::string to) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(to);
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_ = "offline";
};

// Says what becomes of the session. Its beginning is said by the prompt.
class Narrator {
 public:
  explicit Narrator(Place& place) : place_(place) {}

  void operator()(const SessionEvent& event) {
    switch (event.kind) {
      case SessionEvent::Kind::connected:
        place_.moved(std::to_string(event.server) + ' ' + std::string(wire::name(event.role)));
        if (lost_) {
          std::cerr << "connected to server " << event.server << ", a " << wire::name(event.role)
                    << (event.resumed ? "; the session goes on\n" : "; a new session\n");
        }
        lost_ = false;
        break;
      case SessionEvent::Kind::disconnected:
        place_.moved("offline");
        std::cerr << "lost " << event.reason << "; trying the next server\n";
        lost_ = true;
        break;
      case SessionEvent::Kind::expired:
        place_.moved("offline");
        std::cerr << event.reason << "; its ephemeral nodes and watches are gone\n";
        lost_ = true;
        break;
      case SessionEvent::Kind::closed: break;
    }
  }

 private:
  Place& place_;
  bool lost_ = false;
};

// A second interrupt, which nobody took notice of, ends the program the usual way.
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
  options.give_up = options.call = std::chrono::milliseconds(line.timeout_ms);

  Place place;
  if (!line.command || std::holds_alternative<shell::Watch>(*line.command)) {
    options.on_session = [narrate = std::make_shared<Narrator>(place)](const SessionEvent& event) {
      (*narrate)(event);
    };
  } else {
    // Nobody waits longer for an answer than for a server, so that the reason is heard.
    options.call += std::chrono::seconds(2);
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

  // Without SA_RESTART, so that reading a line ends too.
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  (void)the_client().ask(wire::PingRequest{});  // so that the first prompt says where it is
  std::cout << "`help` names the commands\n";
  return shell::run_interactive(runner, the_client(), [&] { return place.text(); });
}

}  // namespace

int main(int argc, char** argv) try {
  auto parsed = shell::parse_command_line({argv + 1, argv + argc}, ZABKEEPER_VERSION);
  if (const auto* said = std::get_if<shell::Said>(&parsed)) {
    (said->exit_code == shell::exit_ok ? std::cout : std::cerr) << said->text;
    return said->exit_code;
  }
  return run(std::get<shell::CommandLine>(parsed));
} catch (const std::invalid_argument& error) {
  std::cerr << error.what() << '\n';
  return shell::exit_usage;
}
