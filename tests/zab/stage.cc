#include "tests/zab/stage.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "tests/zab/words.h"
#include "zab/print.h"

namespace {

using wire::to_string;
using zab::ServerId;
using zab::to_string;

std::string type_of(const zab::Message& message) {
  const std::string words = to_string(message);
  return words.substr(0, words.find(' '));
}

std::pair<std::uint32_t, std::uint32_t> unordered(std::uint32_t a, std::uint32_t b) {
  return {std::min(a, b), std::max(a, b)};
}

std::string indented(const std::string& lines) {
  std::istringstream in(lines);
  std::string text;
  for (std::string line; std::getline(in, line);) text += "  " + line + '\n';
  return text;
}

void apply(const zab::Persist& persist, zab::Durable& disk) {
  struct Apply {
    zab::Durable& to;
    void operator()(const zab::AcceptEpoch& p) const {
      to.accepted_epoch = p.epoch;
      to.accepted_leader = p.leader;
    }
    void operator()(const zab::AdoptHistory& p) const {
      to.history.truncate_after(p.truncate_to);
      for (const zab::Txn& txn : p.txns) to.history.append(txn.zxid, txn.payload);
      to.current_epoch = p.epoch;
    }
    void operator()(const zab::Append& p) const { to.history.append(p.txn.zxid, p.txn.payload); }
  };
  std::visit(Apply{disk}, persist);
}

}  // namespace

std::string Stage::run(const std::string& command) {
  std::istringstream words(command);
  const auto word = [&] {
    std::string next;
    words >> next;
    return next;
  };
  const auto number = [&] {
    Id next = 0;
    words >> next;
    return next;
  };
  const std::string verb = word();
  if (verb == "ensemble") return create(words);
  if (verb == "settle") return settle(word() != "between");
  if (verb == "submit") {
    const std::string payload = word();
    word();
    return step(number(), zab::Submit{std::make_shared<const wire::Bytes>(payload)});
  }
  if (verb == "confirm") {
    word();
    word();
    return step(number(), zab::ConfirmLeadership{1});
  }
  if (verb == "deliver") {
    const std::string type = word();
    word();
    const Id from = number();
    word();
    return deliver(type, from, number());
  }
  if (verb == "under") return under_way();
  if (verb == "crash") {
    const Id id = number();
    if (word() != "after") return crash(id);
    servers_.at(id).crashes_after = word();
    return "";
  }
  if (verb == "disk") {
    word();
    const Id id = number();
    const std::string what = word();
    if (what == "stops" || what == "goes") return stop_disk(id, what == "stops");
    return fill_disk(id, words);
  }
  if (verb == "restart") return restart(number());
  if (verb == "cut" || verb == "heal") {
    const Id a = number();
    const Id b = number();
    return verb == "cut" ? cut(a, b) : heal(a, b);
  }
  if (verb == "tick") {
    const std::string who = word();
    int times = 1;
    words >> times;
    return tick(who, words ? times : 1);
  }
  if (verb == "show") {
    const Id id = number();
    return id == 0 ? show_all() : show(id);
  }
  return "no such command: " + command;
}

std::string Stage::create(std::istream& words) {
  std::vector<zab::Member> members;
  bool observer = false;
  for (std::string word; words >> word;) {
    if (word == "observer") {
      observer = true;
    } else {
      members.push_back({.id = {static_cast<Id>(std::stoul(word))}, .observer = observer});
    }
  }
  *this = Stage();
  ensemble_ = zab::Ensemble(members);
  for (const zab::Member& member : ensemble_.members()) restart(member.id.value);
  return show_all();
}

// The links take turns, one message each.
std::string Stage::settle(bool to_itself) {
  std::string stories;
  for (bool quiet = false; !quiet;) {
    quiet = true;
    std::vector<Link> busy;
    for (const auto& [link, messages] : links_) {
      if (!messages.empty() && (to_itself || link.first != link.second)) busy.push_back(link);
    }
    for (const Link& link : busy) {
      if (!links_.contains(link) || links_.at(link).empty()) continue;
      quiet = false;
      std::istringstream happened(deliver_next(link));
      for (std::string line; std::getline(happened, line);) {
        if (line.find("note:") != std::string::npos || line.find("crashed") != std::string::npos ||
            line.find("lost:") != std::string::npos) {
          stories += line.substr(line.find_first_not_of(' ')) + '\n';
        }
      }
    }
  }
  return stories + show_all();
}

std::string Stage::deliver(const std::string& type, Id from, Id to) {
  const Link link{from, to};
  if (!links_.contains(link)) return "no such link";
  std::string text;
  while (links_.contains(link) && !links_.at(link).empty()) {
    const bool last = type_of(links_.at(link).front()) == type;
    text += deliver_next(link);
    if (last) return text;
  }
  return type == "all" ? text : text + "none is under way";
}

std::string Stage::deliver_next(Link link) {
  zab::Message message = std::move(links_.at(link).front());
  links_.at(link).pop_front();
  const std::string what =
      std::to_string(link.second) + " <- " + std::to_string(link.first) + ' ' + to_string(message);
  return what + '\n' + indented(step(link.second, zab::Received{{link.first}, std::move(message)}));
}

std::string Stage::tick(const std::string& who, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) {
    for (const auto& [id, server] : servers_) {
      if (!server.peer || (who != "all" && std::to_string(id) != who)) continue;
      const std::string happened = step(id, zab::Tick{});
      if (happened.find("note:") != std::string::npos || times == 1) {
        text += std::to_string(id) + '\n' + indented(happened);
      }
    }
  }
  return text;
}

std::string Stage::crash(Id id) {
  Server& server = servers_.at(id);
  std::string text = std::to_string(id) + " crashed\n";
  for (const Batch& batch : server.unwritten) {
    for (const zab::Persist& persist : batch.persist)
      text += "lost: persist " + zab::to_string(persist) + '\n';
  }
  server.peer.reset();
  server.unwritten.clear();
  server.disk_stopped = false;
  server.delivered.clear();
  links_.erase({id, id});
  for (auto& [other, that] : servers_) {
    const bool was_up = links_.erase({id, other}) + links_.erase({other, id}) > 0;
    if (was_up && that.peer) {
      text += std::to_string(other) + '\n' + indented(step(other, zab::LinkDown{{id}}));
    }
  }
  return text;
}

std::string Stage::restart(Id id) {
  Server& server = servers_[id];
  server.peer.emplace(ServerId{id}, ensemble_, zab::Limits{}, server.disk);
  server.crashes_after.clear();
  links_[{id, id}];
  std::string text = carry_out(id, server.peer->start());
  for (const auto& [other, that] : servers_) {
    if (other != id && that.peer) text += connect(id, other);
  }
  return text;
}

std::string Stage::cut(Id a, Id b) {
  cut_.insert(unordered(a, b));
  if (links_.erase({a, b}) + links_.erase({b, a}) == 0) return "";
  std::string text = std::to_string(a) + '\n' + indented(step(a, zab::LinkDown{{b}}));
  return text + std::to_string(b) + '\n' + indented(step(b, zab::LinkDown{{a}}));
}

std::string Stage::heal(Id a, Id b) {
  cut_.erase(unordered(a, b));
  return connect(a, b);
}

std::string Stage::connect(Id a, Id b) {
  if (cut_.contains(unordered(a, b)) || !servers_.at(a).peer || !servers_.at(b).peer) return "";
  links_[{a, b}];
  links_[{b, a}];
  std::string text = std::to_string(a) + '\n' + indented(step(a, zab::LinkUp{{b}}));
  return text + std::to_string(b) + '\n' + indented(step(b, zab::LinkUp{{a}}));
}

std::string Stage::stop_disk(Id id, bool stop) {
  servers_.at(id).disk_stopped = stop;
  return stop ? "" : write(id);
}

std::string Stage::fill_disk(Id id, std::istream& words) {
  zab::Durable disk;
  std::string word;
  char sign = 0;
  words >> word >> disk.accepted_epoch.value >> word >> disk.accepted_leader.value >> sign >>
      word >> disk.current_epoch.value >> sign >> word;
  zab::Zxid zxid;
  while (words >> zxid.epoch.value >> sign >> zxid.counter >> sign >> word) {
    disk.history.append(zxid, std::make_shared<const wire::Bytes>(word));
  }
  servers_.at(id).disk = disk;
  return show(id);
}

std::string Stage::show(Id id) {
  const Server& server = servers_.at(id);
  const zab::Durable& disk = server.disk;
  std::string text = std::to_string(id) + ' ' +
                     (server.peer ? to_string(server.peer->standing()) : std::string("down")) +
                     "; accepted " + std::to_string(disk.accepted_epoch.value) + ", current " +
                     std::to_string(disk.current_epoch.value) + ", last " +
                     to_string(disk.history.last().zxid);
  if (!server.delivered.empty()) text += "; delivered" + server.delivered;
  return text + '\n';
}

std::string Stage::show_all() {
  std::string text;
  for (const auto& [id, server] : servers_) text += show(id);
  return text;
}

std::string Stage::under_way() const {
  std::string text;
  for (const auto& [link, messages] : links_) {
    for (const zab::Message& message : messages) {
      text += std::to_string(link.first) + " -> " + std::to_string(link.second) + ' ' +
              to_string(message) + '\n';
    }
  }
  return text;
}

std::string Stage::step(Id id, zab::Event event) {
  Server& server = servers_.at(id);
  if (!server.peer) return "";
  return carry_out(id, server.peer->step(std::move(event)));
}

std::string Stage::carry_out(Id id, zab::Effects effects) {
  Server& server = servers_.at(id);
  std::string text = in_words(effects);
  const std::string crashes = effects.empty() ? "" : std::exchange(server.crashes_after, "");
  for (const zab::Envelope& envelope : effects.send) post(id, envelope);
  if (crashes == "send") effects.persist.clear();
  if (!crashes.empty() && crashes != "confirm") {
    for (const zab::Envelope& envelope : effects.confirm) {
      text += "lost: confirm " + to_string(envelope.to) + ' ' + to_string(envelope.message) + '\n';
    }
    effects.confirm.clear();
  }
  if (!effects.persist.empty() || !effects.confirm.empty()) {
    server.unwritten.push_back({std::move(effects.persist), std::move(effects.confirm)});
  }
  if (!server.disk_stopped) text += write(id);
  if (!crashes.empty()) return text + crash(id);
  for (const zab::Txn& txn : effects.deliver) {
    server.delivered += ' ' + to_string(txn.zxid) + '=' + *txn.payload;
  }
  return text;
}

std::string Stage::write(Id id) {
  Server& server = servers_.at(id);
  for (const Batch& batch : std::exchange(server.unwritten, {})) {
    for (const zab::Persist& persist : batch.persist) apply(persist, server.disk);
    for (const zab::Envelope& envelope : batch.confirm) post(id, envelope);
  }
  return "";
}

void Stage::post(Id from, const zab::Envelope& envelope) {
  const auto link = links_.find({from, envelope.to.value});
  if (link != links_.end()) link->second.push_back(envelope.message);
}
