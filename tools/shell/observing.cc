#include <memory>
#include <variant>

#include <nlohmann/json.hpp>

#include "client-lib/leader_election.h"
#include "tools/shell/inbox.h"
#include "tools/shell/print.h"
#include "tools/shell/requests.h"
#include "wire/base64.h"
#include "wire/utf8.h"

namespace shell {
namespace {

using zabkeeper::LeaderChanged;
using zabkeeper::LeaderEvent;
using zabkeeper::LeaderGap;
using zabkeeper::ObserverFailed;

std::string leader_text(const LeaderChanged& changed) {
  if (!changed.leader) return "no leader\n";
  std::string text = wire::to_hex(changed.leader->token);
  if (!changed.leader->value.empty()) text += ' ' + data_in_a_line(changed.leader->value);
  return text + '\n';
}

std::string leader_json(const LeaderChanged& changed) {
  nlohmann::json object{{"zxid", wire::to_hex(changed.zxid)}, {"leader", nullptr}};
  if (changed.leader) {
    const auto& [path, token, value] = *changed.leader;
    object["leader"] = {{"path", path}, {"token", wire::to_hex(token)}};
    // The same fields as for data in the protocol.
    if (wire::is_utf8(value)) {
      object["leader"]["value"] = std::string(value);
    } else {
      object["leader"]["value64"] = "";
      wire::append_base64(value, object["leader"]["value64"].get_ref<std::string&>());
    }
  }
  return json_line(object);
}

// Whether the observation ended with the session, or because no server was found in time.
bool is_end_of_session(wire::ErrorCode code) {
  return code == wire::ErrorCode::session_expired || code == wire::ErrorCode::not_ready ||
         code == wire::ErrorCode::connection_loss;
}

}  // namespace

void Runner::observe_leaders(const std::string& path) {
  connect();
  const zabkeeper::LeaderElection election(client_(), path);
  const auto inbox = std::make_shared<Inbox<LeaderEvent>>();
  const auto observe = [&] {
    return election.observe([inbox](const LeaderEvent& event) { inbox->put(event); });
  };
  const std::string gap = json_ ? json_line({{"gap", true}}) : "gap: leaders may be missing here\n";
  auto observation = observe();
  remark("observing " + path);
  while (!interrupted) {
    const auto event = inbox->take();
    if (!event) continue;
    if (const auto* failed = std::get_if<ObserverFailed>(&*event)) {
      if (!is_end_of_session(failed->error.code)) throw Refused{failed->error, path};
      out_ << gap;
      observation = observe();
    } else if (const auto* changed = std::get_if<LeaderChanged>(&*event)) {
      out_ << (json_ ? leader_json(*changed) : leader_text(*changed));
    } else {
      out_ << gap;
    }
    out_.flush();
  }
}

}  // namespace shell
