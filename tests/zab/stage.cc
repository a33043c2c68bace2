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
  return words.substr(0, words.find_first_of(" ,"));
}

std::pair<std::uint32_t, std::uint32_t> unordered(std::uint32_t a, std::uint32_t b) {
  return {std::min(a, b), std::max(a, b)};
}

std::string indented(const std::string& lines) {
  if (lines.empty()) return "";
  std::istringstream in(lines);
  std::string text;
  for (std::string line; std::getline(in, line);) text += "  " + line + '\n';
  return text;
}

// Of what happened, that which is told even if nobody asks for more.
std::string what_matters(const std::string& told) {
  if (told.empty()) return "";
  std::istringstream in(told);
  std::string text;
  for (std::string line; std::getline(in, line);) {
    if (line.find("note:") != std::string::npos || line.find("crashed") != std::string::npos ||
        line.find("lost:") != std::string::npos) {
      text += line.substr(line.find_first_not_of(' ')) + '\n';
    }
  }
  return text;
}

// "1:2", or "1:2=b".
zab::Zxid zxid_of(const std::string& text) {
  std::istringstream in(text);
  zab::Zxid zxid;
  char colon = 0;
  in >> zxid.epoch.value >> colon >> zxid.counter;
  return zxid;
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
  if (verb == "settle") {
    const std::string what_matters = deliver_all(word());
    return what_matters + show_all();
  }
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
  if (verb == "hand") {
    word();
    const Id id = number();
    return step(id, zab::HandOver{word() == "to" ? ServerId{number()} : ServerId{}});
  }
  if (verb == "deliver") {
    const std::string type = word();
    word();
    const Id from = number();
    word();
    return deliver(type, from, number());
  }
  if (verb == "under") return under_way();
  if (verb == "read") {
    word();
    return read_for(number());
  }
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
    std::istringstream rest(what == "is" ? "foreign" : "fill" + command.substr(command.find(':')));
    return change_disk(id, rest);
  }
  if (verb == "wipe" || verb == "damage") {
    const Id id = number();
    std::string rest;
    std::getline(words, rest);
    std::istringstream change(verb + rest);
    return change_disk(id, change);
  }
  if (verb == "checkpoint") {
    word();
    return checkpoint(number());
  }
  if (verb == "purge") return purge(number());
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
  if (verb == "pass") return pass(number());
  if (verb == "show") {
    const Id id = number();
    return id == 0 ? show_all() : show(id);
  }
  return "no such command: " + command;
}

std::map<Stage::Id, Stage::View> Stage::servers() const {
  std::map<Id, View> views;
  for (const auto& [id, server] : servers_) {
    views[id] = {server.peer.has_value(),
                 server.peer ? server.peer->role_status() : zab::RoleStatus{}, server.delivered};
  }
  return views;
}

std::string Stage::create(std::istream& words) {
  const bool quiet = quiet_;
  *this = Stage();
  limits_.founding = 0;
  quiet_ = quiet;
  std::vector<zab::Member> members;
  bool observer = false;
  for (std::string word; words >> word;) {
    if (word == "observer") {
      observer = true;
    } else if (word == "history") {
      words >> limits_.history_bytes;
    } else if (word == "counter") {
      words >> limits_.counter_max;
    } else if (word == "outstanding") {
      words >> limits_.outstanding_max;
    } else if (word == "init") {
      words >> limits_.init_limit;
    } else if (word == "sync") {
      words >> limits_.sync_limit;
    } else if (word == "founding") {
      words >> limits_.founding;
    } else {
      members.push_back({.id = {static_cast<Id>(std::stoul(word))}, .observer = observer});
    }
  }
  ensemble_ = zab::Ensemble(members);
  for (const zab::Member& member : ensemble_.members()) restart(member.id.value);
  return show_all();
}

// The links take turns, one message each; then those who read.
std::string Stage::deliver_all(const std::string& how, int at_most) {
  std::string stories;
  const auto keep = [&](const std::string& told) { stories += what_matters(told); };
  for (bool quiet = false; !quiet;) {
    quiet = true;
    std::vector<Link> busy;
    for (const auto& [link, messages] : links_) {
      if (!messages.empty() && (how != "between" || link.first != link.second)) {
        busy.push_back(link);
      }
    }
    for (const Link& link : busy) {
      if (!links_.contains(link) || links_.at(link).empty()) continue;
      if (--at_most < 0) return stories;
      quiet = false;
      keep(deliver_next(link));
    }
    if (how == "without") continue;
    std::vector<Link> reads;  // who reads, and for whom
    for (const auto& [id, server] : servers_) {
      if (server.disk_stopped) continue;
      for (const auto& [learner, read] : server.to_read) reads.emplace_back(id, learner);
    }
    for (const auto& [id, learner] : reads) {
      if (!servers_.at(id).to_read.contains(learner)) continue;
      if (--at_most < 0) return stories;
      quiet = false;
      keep(read(id, learner));
    }
  }
  return stories;
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
  if (quiet_) return step(link.second, zab::Received{{link.first}, std::move(message)});
  const std::string what =
      std::to_string(link.second) + " <- " + std::to_string(link.first) + ' ' + to_string(message);
  return what + '\n' + indented(step(link.second, zab::Received{{link.first}, std::move(message)}));
}

std::string Stage::read_for(Id learner) {
  for (const auto& [id, server] : servers_) {
    if (!server.to_read.contains(learner)) continue;
    if (server.disk_stopped) return "the disk of " + std::to_string(id) + " has stopped";
    return read(id, learner);
  }
  return "nobody reads for it";
}

std::string Stage::read(Id id, Id learner) {
  std::map<Id, zab::Read>& to_read = servers_.at(id).to_read;
  const zab::Read read = to_read.at(learner);
  to_read.erase(learner);
  if (const auto* log = std::get_if<zab::ReadHistory>(&read)) {
    zab::HistoryRead answered = answer(id, *log);
    const std::string what = answered.from ? " read " + std::to_string(answered.txns.size()) +
                                                 " txns after " + to_string(answered.from->zxid)
                                           : " has no log that goes back so far";
    return std::to_string(id) + what + '\n' + indented(step(id, std::move(answered)));
  }
  zab::SnapshotRead answered = answer(id, std::get<zab::ReadSnapshot>(read));
  const std::string what = " read " + std::string(answered.last ? "the end" : "half") +
                           " of a snapshot at " + to_string(answered.at.zxid);
  return std::to_string(id) + what + '\n' + indented(step(id, std::move(answered)));
}

zab::HistoryRead Stage::answer(Id id, const zab::ReadHistory& read) const {
  constexpr std::ptrdiff_t at_once = 2;
  zab::HistoryRead answer{read.learner, read.ticket, std::nullopt, {}};
  const zab::History& log = servers_.at(id).disk.durable.history;
  if (read.after.zxid <= log.base().zxid && read.after != log.base()) return answer;
  answer.from = log.common_candidate(read.after);
  const auto first = log.after(answer.from->zxid);
  answer.txns.assign(first, first + std::min(at_once, log.end() - first));
  return answer;
}

zab::SnapshotRead Stage::answer(Id id, const zab::ReadSnapshot& read) {
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

std::string Stage::pass(Id ticks) {
  std::string text;
  for (Id i = 0; i < ticks; ++i) {
    text += what_matters(tick("all", 1));
    text += deliver_all("");
  }
  return text + show_all();
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
  server.to_read.clear();
  links_.erase({id, id});
  for (const auto& [other, that] : servers_) {
    if (disconnect(id, other) && that.peer) {
      text += std::to_string(other) + '\n' + indented(step(other, zab::LinkDown{{id}}));
    }
  }
  return text;
}

std::string Stage::restart(Id id) {
  Server& server = servers_[id];
  if (server.peer) return std::to_string(id) + " is up";
  server.peer.emplace(ServerId{id}, ensemble_, limits_, server.disk.durable,
                      zab::ClusterId{0xc1, id});
  server.delivered = server.disk.checkpoint;
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
  if (!disconnect(a, b)) return "";
  std::string text = std::to_string(a) + '\n' + indented(step(a, zab::LinkDown{{b}}));
  return text + std::to_string(b) + '\n' + indented(step(b, zab::LinkDown{{a}}));
}

// What waits for a disk to be sent over this link is lost with it.
bool Stage::disconnect(Id a, Id b) {
  if (links_.erase({a, b}) + links_.erase({b, a}) == 0) return false;
  for (const Link& link : {Link{a, b}, Link{b, a}}) {
    for (Batch& batch : servers_.at(link.first).unwritten) {
      std::erase_if(batch.confirm,
                    [&](const zab::Envelope& sent) { return sent.to.value == link.second; });
    }
  }
  return true;
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

// What was delivered may not be on this server's own disk yet.
std::string Stage::checkpoint(Id id) {
  Server& server = servers_.at(id);
  if (!server.peer) return std::to_string(id) + " is down";
  zab::Durable& durable = server.disk.durable;
  durable.applied = std::min(server.peer->state().last_delivered, durable.history.last().zxid);
  server.disk.checkpoint.clear();
  std::istringstream delivered(server.delivered);
  for (std::string txn; delivered >> txn;) {
    if (zxid_of(txn) <= durable.applied) server.disk.checkpoint += ' ' + txn;
  }
  return show(id);
}

std::string Stage::purge(Id id) {
  zab::Durable& durable = servers_.at(id).disk.durable;
  durable.history.trim(durable.applied, 0);
  return show(id);
}

std::string Stage::change_disk(Id id, std::istream& words) {
  Server& server = servers_.at(id);
  if (server.peer) return std::to_string(id) + " is up";
  zab::Durable& durable = server.disk.durable;
  std::string what;
  words >> what;
  if (what == "fill:") return fill_disk(id, words);
  if (what == "wipe") server.disk = {};
  if (what == "foreign") {
    durable.cluster = {0xf0, id};
    durable.founded = true;
  }
  if (what == "damage") {
    std::string to;
    words >> to >> to;
    durable.damaged = zab::Claim{durable.current_epoch, durable.history.last().zxid};
    durable.history.truncate_after(std::max(zxid_of(to), durable.applied));
  }
  return show(id);
}

// Who has a history belongs to the cluster of the others, if there is one yet.
std::string Stage::fill_disk(Id id, std::istream& words) {
  Disk disk;
  zab::Durable& durable = disk.durable;
  std::string word;
  char sign = 0;
  words >> word >> durable.accepted_epoch.value >> word >> durable.accepted_leader.value >> sign >>
      word >> durable.current_epoch.value >> sign >> word;
  while (words >> word) {
    durable.history.append(zxid_of(word),
                           std::make_shared<const wire::Bytes>(word.substr(word.find('=') + 1)));
  }
  if (durable.current_epoch.value > 0) {
    durable.cluster = {0xc1, id};
    for (const auto& [other, that] : servers_) {
      if (other == id || !that.disk.durable.founded) continue;
      durable.cluster = that.disk.durable.cluster;
      durable.founded = true;
    }
  }
  servers_.at(id).disk = disk;
  return show(id);
}

std::string Stage::show(Id id) const {
  const Server& server = servers_.at(id);
  const zab::Durable& durable = server.disk.durable;
  std::string text = std::to_string(id) + ' ' +
                     (server.peer ? to_string(server.peer->role_status()) : std::string("down")) +
                     "; accepted " + std::to_string(durable.accepted_epoch.value) + ", current " +
                     std::to_string(durable.current_epoch.value) + ", last " +
                     to_string(durable.history.last().zxid);
  if (durable.history.base() != zab::Point{}) {
    text += ", log after " + to_string(durable.history.base().zxid);
  }
  if (durable.applied != zab::Zxid{}) text += ", checkpoint " + to_string(durable.applied);
  if (durable.damaged) text += ", damaged, had " + to_string(durable.damaged->last_zxid);
  if (!server.delivered.empty()) text += "; delivered" + server.delivered;
  return text + '\n';
}

std::string Stage::show_all() const {
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
  for (const auto& [id, server] : servers_) {
    for (const auto& [learner, read] : server.to_read) {
      text += std::to_string(id) + " reads for " + std::to_string(learner) + '\n';
    }
  }
  return text;
}

std::string Stage::step(Id id, zab::Event event) {
  Server& server = servers_.at(id);
  if (!server.peer) return "";
  if (const auto* down = std::get_if<zab::LinkDown>(&event))
    server.to_read.erase(down->server.value);
  return carry_out(id, server.peer->step(std::move(event)));
}

void Stage::receive(const zab::Persist& persist, Snapshot& snapshot) {
  const auto* chunk = std::get_if<zab::StoreSnapshot>(&persist);
  if (chunk == nullptr) return;
  if (chunk->first) snapshot = {chunk->at, ""};
  snapshot.bytes += *chunk->bytes;
}

std::string Stage::carry_out(Id id, zab::Effects effects) {
  Server& server = servers_.at(id);
  std::string text = quiet_ ? "" : in_words(effects);
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

std::string Stage::write(Id id) {
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

void Stage::post(Id from, const zab::Envelope& envelope) {
  const auto link = links_.find({from, envelope.to.value});
  if (link != links_.end()) link->second.push_back(envelope.message);
}
