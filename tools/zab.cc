#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/client.h"
#include "tools/shell/child.h"
#include "tools/shell/command_line.h"
#include "tools/shell/context_file.h"
#include "tools/shell/input.h"
#include "tools/shell/interactive.h"
#include "tools/shell/output.h"
#include "tools/shell/runner.h"
#include "tools/shell/script.h"
#include "tools/standard_output.h"
#include "tools/uncaught.h"

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

// Prints changes of the session's state, on the client's thread. The prompt shows the server.
class SessionPrinter {
 public:
  SessionPrinter(ServerLabel& label, bool is_quiet) : label_(label), is_quiet_(is_quiet) {}

  void operator()(const SessionEvent& event) {
    std::ostringstream line;
    describe(event, line);
    if (!is_quiet_) err_ << line.str() << std::flush;
  }

 private:
  void describe(const SessionEvent& event, std::ostream& out) {
    switch (event.kind) {
      case SessionEvent::Kind::connected:
        label_.set(std::to_string(event.server) + ' ' + std::string(wire::name(event.role)));
        if (lost_) {
          out << "connected to server " << event.server << ", a " << wire::name(event.role)
              << (event.resumed ? "; the session continues\n" : "; a new session\n");
        }
        lost_ = false;
        break;
      case SessionEvent::Kind::disconnected:
        label_.set("offline");
        out << "connection lost: " << event.reason << "; trying the next server\n";
        lost_ = true;
        break;
      case SessionEvent::Kind::expired:
        label_.set("offline");
        out << event.reason << "; its ephemeral nodes and watches have ended with it\n";
        lost_ = true;
        break;
      case SessionEvent::Kind::closed: break;
    }
  }

  ServerLabel& label_;
  const bool is_quiet_;
  shell::Output err_{STDERR_FILENO, shell::DescriptorBuffer::Failure::is_ignored};
  bool lost_ = false;
};

// A second interrupt before the first had an effect ends the program.
void on_interrupt(int) {
  if (shell::interrupted.exchange(true)) {
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
  }
}

// Without SA_RESTART, so that an interrupt also ends reading a line.
void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
}

// A longer time is as good as for ever, and would be too large for a clock of nanoseconds.
std::chrono::milliseconds timeout_of(const shell::CommandLine& line) {
  return std::min(std::chrono::milliseconds(line.timeout_ms),
                  std::chrono::milliseconds(std::chrono::hours(24 * 365)));
}

zabkeeper::Options options_for(const shell::CommandLine& line, ServerLabel& label) {
  zabkeeper::Options options;
  options.servers = zabkeeper::servers(line.servers);
  options.session.timeout_ms = line.timeout_ms;
  options.session.auth = line.auth;
  options.session.after_expiry = !line.command || shell::outlives_sessions(*line.command);
  options.offline_timeout = options.call_timeout = timeout_of(line);
  // Before the time of the command is over, so that the error says why there is no server.
  if (line.common.timeout) {
    options.offline_timeout = std::min(options.offline_timeout, *line.common.timeout * 9 / 10);
  }
  const bool is_quiet = line.common.quiet;
  if (!line.command || (shell::is_lasting(*line.command) && !is_quiet)) {
    options.on_session = [printer = std::make_shared<SessionPrinter>(label, is_quiet)](
                             const SessionEvent& event) { (*printer)(event); };
  }
  // Longer than the wait for a server, whose error has the reason.
  if (line.command) options.call_timeout += std::chrono::seconds(2);
  return options;
}

int run(const shell::CommandLine& line, shell::Streams streams) {
  ServerLabel label;
  const zabkeeper::Options options = options_for(line, label);
  const shell::Runner::Settings settings{
      options.servers, line.auth, line.command ? shell::Mode::one_shot : shell::Mode::interactive,
      catch_interrupts, [other = options](const std::string& servers) mutable {
        other.servers = zabkeeper::servers(servers);
        other.on_session = {};
        return std::make_unique<zabkeeper::Client>(other);
      }};

  std::unique_ptr<zabkeeper::Client> client;
  const auto the_client = [&]() -> zabkeeper::Client& {
    if (!client) client = std::make_unique<zabkeeper::Client>(options);
    return *client;
  };
  shell::Runner runner(settings, the_client, streams.out, streams.err);
  if (line.command) {
    if (shell::ends_when_interrupted(*line.command)) catch_interrupts();
    return runner.run(*line.command, line.common);
  }
  if (line.is_script || isatty(STDIN_FILENO) == 0)
    return shell::Script(runner, the_client, line.common, streams).run();

  catch_interrupts();
  (void)the_client().ask(
      wire::PingRequest{});  // connects, so that the first prompt shows the server
  streams.out << "`help` lists the commands\n" << std::flush;
  return shell::run_interactive(
      runner, the_client(), [&] { return label.text(); }, line.common, streams);
}

int run(std::vector<std::string> words, shell::Streams streams) {
  auto parsed =
      shell::parse_command_line(std::move(words), ZABKEEPER_VERSION, shell::context_settings);
  if (const auto* notice = std::get_if<shell::Notice>(&parsed)) {
    (notice->exit_code == shell::exit_ok ? streams.out : streams.err) << notice->text;
    return notice->exit_code;
  }
  return run(std::get<shell::CommandLine>(parsed), streams);
}

// The one place where every error ends that no command has handled.
int run_and_report(std::vector<std::string> words, shell::Streams streams) try {
  const int code = run(std::move(words), streams);
  streams.out.finish();
  return code;
} catch (const shell::OutputFailed& failed) {
  if (failed.is_closed_pipe()) return shell::exit_closed_pipe;
  streams.err << "zab: cannot write to standard output: " << failed.what()
              << "; the output is not complete, but what the command has changed stays changed\n";
  return shell::exit_output;
} catch (const shell::InputFailed& failed) {
  streams.err << "zab: cannot read standard input: " << failed.what() << '\n';
  return shell::exit_other;
} catch (const std::invalid_argument& error) {
  streams.err << error.what() << '\n';
  return shell::exit_usage;
} catch (...) {
  streams.err << "zab: " << tools::uncaught_words(std::current_exception()) << '\n';
  return shell::exit_other;
}

}  // namespace

int main(int argc, char** argv) {
  using Failure = shell::DescriptorBuffer::Failure;
  tools::end_with_words("zab", shell::exit_other);  // on the client's thread too
  tools::prepare_standard_output();
  shell::remember_inherited_descriptors();
  signal(SIGPIPE, SIG_IGN);  // so that the session is closed before the program ends
  shell::Output out(STDOUT_FILENO, Failure::throws);
  shell::Output err(STDERR_FILENO, Failure::is_ignored);
  err << std::unitbuf;
  return run_and_report({argv + 1, argv + argc}, {out, err});
}
