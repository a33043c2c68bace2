#include <chrono>
#include <optional>
#include <string>

#include "tools/shell/node_states.h"
#include "tools/shell/print.h"
#include "tools/shell/requests.h"

namespace shell {
namespace {

using std::chrono::steady_clock;

std::string words_of(Await::State state) {
  switch (state) {
    case Await::State::exists: return "does not exist";
    case Await::State::gone: return "still exists";
    case Await::State::changed: return "did not change";
    case Await::State::equals: break;
  }
  return "does not have this value";
}

}  // namespace

void Runner::on(const Await& await) {
  const auto began = steady_clock::now();
  const std::string path = absolute(await.path);
  const std::string value = await.state == Await::State::equals ? read_data(await.value) : "";
  connect(await.timeout.value_or(std::chrono::milliseconds(0)));
  NodeStates states(client_(), path);
  bool is_first = true;
  const auto holds = [&](const NodeState& node) {
    switch (await.state) {
      case Await::State::exists: return node.data.has_value();
      case Await::State::gone: return !node.data;
      case Await::State::changed: return !is_first;
      case Await::State::equals: break;
    }
    return node.data && node.data->get() == value;
  };
  while (!interrupted) {
    const auto node = states.take(std::chrono::milliseconds(100));
    if (node && node->has_error()) throw Refused{node->error(), path};
    if (node && holds(**node)) return;
    if (node && std::exchange(is_first, false)) {
      remark("waiting for " + path);
    }
    // A timeout of 0 is long enough for one look.
    if (await.timeout && !is_first && steady_clock::now() - began >= *await.timeout) {
      return fail(exit_timeout, path + ' ' + words_of(await.state) + ", " +
                                    seconds_text(*await.timeout) + " seconds have passed");
    }
  }
  exit_code_ = exit_interrupted;
}

}  // namespace shell
