#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "tools/shell/child.h"
#include "tools/shell/node_states.h"
#include "tools/shell/replacement.h"
#include "tools/shell/requests.h"
#include "tools/shell/signals.h"

namespace shell {
namespace {

using std::chrono::steady_clock;

// Keeps one file equal to a node's data. Signals are caught while its programs run.
class ConfigFile {
 public:
  ConfigFile(const ServeConfig& serve, std::string path, Signals& signals, std::ostream& err,
             std::function<void(const std::string&)> remark)
      : serve_(serve),
        path_(std::move(path)),
        signals_(signals),
        err_(err),
        remark_(std::move(remark)) {}

  // Writes the file if it differs, and runs the programs.
  void serve(const NodeState& node) {
    if (!node.data) {
      err_ << path_ << " does not exist: " << serve_.file << " stays as it is\n";
      return;
    }
    const std::string& data = node.data->get();
    if (content_of(serve_.file) == data) {
      remark_(serve_.file + " already has the data of " + wire::to_hex(node.zxid));
      return;
    }
    Replacement replacement(serve_.file, data);
    if (!serve_.check.empty() && !is_good(replacement.temporary(), node.zxid)) return;
    replacement.replace();
    remark_(serve_.file + " now has the data of " + wire::to_hex(node.zxid));
    if (serve_.program.empty()) return;
    if (const int code = run(serve_.program); code != exit_ok) {
      err_ << serve_.program.front() << ": exit code " << code << " after " << serve_.file
           << " was replaced\n";
    }
  }
  // Whether a signal asks this program to end.
  [[nodiscard]] std::optional<int> ended_by() {
    if (const auto caught = signals_.next(); caught && !ended_by_) ended_by_ = caught->number;
    return ended_by_;
  }

 private:
  bool is_good(const std::string& temporary, wire::Zxid zxid) {
    Words words = serve_.check;
    words.push_back(temporary);
    const int code = run(words);
    if (ended_by_) return false;
    if (code == exit_ok) return true;
    err_ << "the data of " << wire::to_hex(zxid) << " are refused: " << words.front()
         << ": exit code " << code << "; " << serve_.file << " stays as it is\n";
    return false;
  }
  // Runs a program, and returns its exit code. Returns the code of other shells if the program
  // cannot be run.
  int run(const Words& words) {
    try {
      Child child({words, {}, std::string(), Place::own_group});
      for (;;) {
        if (const auto code = child.exit_code()) return *code;
        while (const auto caught = signals_.next()) {
          if (!ended_by_) ended_by_ = caught->number;
          child.signal_even_if_stopped(caught->number);
        }
        signals_.wakeup()->wait_until(steady_clock::time_point::max());
      }
    } catch (const CannotRun& failed) {
      err_ << failed.what() << '\n';
      return failed.exit_code();
    }
  }

  const ServeConfig& serve_;
  const std::string path_;
  Signals& signals_;
  std::ostream& err_;
  const std::function<void(const std::string&)> remark_;
  std::optional<int> ended_by_;
};

}  // namespace

void Runner::on(const ServeConfig& serve) {
  const std::string path = absolute(serve.path);
  if (!serve.check.empty()) (void)find_program(serve.check.front());
  if (!serve.program.empty()) (void)find_program(serve.program.front());
  Signals signals;
  connect();
  NodeStates states(client_(), path, [wakeup = signals.wakeup()] { wakeup->wake(); });
  ConfigFile file(serve, path, signals, err_, [this](const std::string& words) { remark(words); });
  std::optional<int> ended_by;
  while (!(ended_by = file.ended_by())) {
    // Only the newest state matters.
    std::optional<NodeState> newest;
    while (auto state = states.take({})) {
      if (state->has_error()) throw Refused{state->error(), path};
      newest = std::move(**state);
    }
    if (newest) {
      try {
        file.serve(*newest);
      } catch (const std::system_error& error) {
        return fail(exit_other, error.what());
      }
    } else {
      signals.wakeup()->wait_until(steady_clock::time_point::max());
    }
  }
  exit_code_ = ended_by == SIGINT ? exit_ok : 128 + *ended_by;
  note_signal(*ended_by);
}

}  // namespace shell
