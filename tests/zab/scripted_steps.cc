#include <algorithm>
#include <utility>

#include "tests/zab/effects_text.h"
#include "tests/zab/scripted_ensemble.h"
#include "zab/print.h"

// Steps of peers: their effects are carried out as a server does it, with crashes in between.
namespace {

using wire::to_string;
using zab::ServerId;
using zab::to_string;

}  // namespace

std::string ScriptedEnsemble::step(Id id, zab::Event event) {
  Server& server = servers_.at(id);
  if (!server.peer) return "";
  if (const auto* down = std::get_if<zab::LinkDown>(&event))
    server.to_read.erase(down->server.value);
  return carry_out(id, server.peer->step(std::move(event)));
}

void ScriptedEnsemble::receive(const zab::Persist& persist, Snapshot& snapshot) {
  const auto* chunk = std::get_if<zab::StoreSnapshot>(&persist);
  if (chunk == nullptr) return;
  if (chunk->first) snapshot = {chunk->at, ""};
  snapshot.bytes += *chunk->bytes;
}

std::string ScriptedEnsemble::carry_out(Id id, zab::Effects effects) {
  Server& server = servers_.at(id);
  std::string text = quiet_ ? "" : text_of(effects);
  const std::string crashes = effects.empty() ? "" : std::exchange(server.crashes_after, "");
  for (const zab::Envelope& envelope : effects.send) post(id, envelope);
  if (crashes == "send") effects.persist.clear();
  if (!crashes.empty() && crashes != "confirm") {
    for (const zab::Envelope& envelope : effects.confirm) {
      text += "lost: confirm " + to_string(envelope.to) + ' ' + to_string(envelope.message) + '\n';
    }
    effects.confirm.clear();
  }
  for (const zab::Persist& persist : effects.persist) receive(persist, server.received);
  if (!effects.persist.empty() || !effects.confirm.empty()) {
    server.unwritten.push_back({std::move(effects.persist), std::move(effects.confirm)});
  }
  if (!server.disk_stopped) text += write(id);
  if (!crashes.empty()) return text + crash(id);
  for (const zab::Read& read : effects.read) {
    const ServerId learner = std::visit([](const auto& asked) { return asked.learner; }, read);
    server.to_read.insert_or_assign(learner.value, read);
  }
  if (server.peer->role_status().role != zab::Role::leading) server.to_read.clear();
  if (effects.restore) server.delivered = server.received.bytes;
  for (const zab::Txn& txn : effects.deliver) {
    if (effects.restore && txn.zxid <= effects.restore->zxid) continue;
    server.delivered += ' ' + to_string(txn.zxid) + '=' + *txn.payload;
  }
  return text;
}

std::string ScriptedEnsemble::write(Id id) {
  Server& server = servers_.at(id);
  for (const Batch& batch : std::exchange(server.unwritten, {})) {
    for (const zab::Persist& persist : batch.persist) {
      receive(persist, server.disk.received);
      const auto* adopted = std::get_if<zab::AdoptHistory>(&persist);
      if (adopted != nullptr && adopted->snapshot) {
        server.disk.checkpoint = server.disk.received.bytes;
      }
      zab::store(persist, server.disk.durable);
    }
    for (const zab::Envelope& envelope : batch.confirm) post(id, envelope);
  }
  return "";
}

void ScriptedEnsemble::post(Id from, const zab::Envelope& envelope) {
  const auto link = links_.find({from, envelope.to.value});
  if (link != links_.end()) link->second.push_back(envelope.message);
}

std::string ScriptedEnsemble::read_for(Id learner) {
  for (const auto& [id, server] : servers_) {
    if (!server.to_read.contains(learner)) continue;
    if (server.disk_stopped) return "the disk of " + std::to_string(id) + " has stopped";
    return read(id, learner);
  }
  return "no server reads for it";
}

std::string ScriptedEnsemble::read(Id id, Id learner) {
  std::map<Id, zab::Read>& to_read = servers_.at(id).to_read;
  const zab::Read read = to_read.at(learner);
  to_read.erase(learner);
  if (const auto* log = std::get_if<zab::ReadHistory>(&read)) {
    zab::HistoryRead answered = answer(id, *log);
    const std::string what = answered.from ? " read " + std::to_string(answered.txns.size()) +
                                                 " txns after " + to_string(answered.from->zxid)
                                           : " has no log that begins so early";
    return std::to_string(id) + what + '\n' + indented(step(id, std::move(answered)));
  }
  zab::SnapshotRead answered = answer(id, std::get<zab::ReadSnapshot>(read));
  const std::string what = " read " + std::string(answered.last ? "the end" : "half") +
                           " of a snapshot at " + to_string(answered.at.zxid);
  return std::to_string(id) + what + '\n' + indented(step(id, std::move(answered)));
}

zab::HistoryRead ScriptedEnsemble::answer(Id id, const zab::ReadHistory& read) const {
  constexpr std::ptrdiff_t at_once = 2;
  zab::HistoryRead answer{read.learner, read.ticket, std::nullopt, {}};
  const zab::History& log = servers_.at(id).disk.durable.history;
  if (read.after.zxid <= log.base().zxid && read.after != log.base()) return answer;
  answer.from = log.common_candidate(read.after);
  const auto first = log.after(answer.from->zxid);
  answer.txns.assign(first, first + std::min(at_once, log.end() - first));
  return answer;
}

zab::SnapshotRead ScriptedEnsemble::answer(Id id, const zab::ReadSnapshot& read) {
  Server& server = servers_.at(id);
  Snapshot& rest = server.snapshots[read.learner.value];
  std::size_t size = rest.bytes.size();
  if (read.first) {
    const zab::State& state = server.peer->state();
    rest = {state.durable.history.last_at_or_before(state.last_delivered), server.delivered};
    size = rest.bytes.size() / 2;
  }
  const std::string bytes = rest.bytes.substr(0, size);
  rest.bytes.erase(0, size);
  return {read.learner, read.ticket, rest.at, std::make_shared<const wire::Bytes>(bytes),
          !read.first};
}
