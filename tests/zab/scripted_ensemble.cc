#include "tests/zab/scripted_ensemble.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "tests/zab/command_words.h"
#include "tests/zab/effects_text.h"
#include "zab/print.h"

namespace {

using wire::to_string;
using zab::ServerId;
using zab::to_string;

std::string type_of(const zab::Message& message) {
  const std::string text = to_string(message);
  return text.substr(0, text.find_first_of(" ,"));
}

// The lines of a step's output that `settle` and `pass` show too: notes, crashes and losses.
std::string important_lines(const std::string& output) {
  if (output.empty()) return "";
  std::istringstream in(output);
  std::string text;
  for (std::string line; std::getline(in, line);) {
    if (line.find("note:") != std::string::npos || line.find("crashed") != std::string::npos ||
        line.find("lost:") != std::string::npos) {
      text += line.substr(line.find_first_not_of(' ')) + '\n';
    }
  }
  return text;
}

}  // namespace

std::string ScriptedEnsemble::run(const std::string& command) {
  if (const auto output = run_fault(command)) return *output;
  CommandWords words(command);
  const std::string verb = words.word();
  if (verb == "ensemble") return create(words.rest());
  if (verb == "settle") {
    const std::string output = deliver_all(words.word());
    return output + show_all();
  }
  if (verb == "submit") {
    const std::string payload = words.word();
    return step(words.number_after_word(),
                zab::Submit{std::make_shared<const wire::Bytes>(payload)});
  }
  if (verb == "confirm") {
    words.word();
    return step(words.number_after_word(), zab::ConfirmLeadership{1});
  }
  if (verb == "hand") {
    const Id id = words.number_after_word();
    return step(id, zab::HandOver{words.word() == "to" ? ServerId{words.number()} : ServerId{}});
  }
  if (verb == "deliver") {
    const std::string type = words.word();
    const Id from = words.number_after_word();
    return deliver(type, from, words.number_after_word());
  }
  if (verb == "in") return in_transit();
  if (verb == "read") return read_for(words.number_after_word());
  if (verb == "tick") {
    const std::string who = words.word();
    const Id times = words.number();
    return tick(who, times > 0 ? static_cast<int>(times) : 1);
  }
  if (verb == "pass") return pass(words.number());
  if (verb == "show") {
    const Id id = words.number();
    return id == 0 ? show_all() : show(id);
  }
  return "no such command: " + command;
}

std::map<ScriptedEnsemble::Id, ScriptedEnsemble::View> ScriptedEnsemble::servers() const {
  std::map<Id, View> views;
  for (const auto& [id, server] : servers_) {
    views[id] = {server.peer.has_value(),
                 server.peer ? server.peer->role_status() : zab::RoleStatus{}, server.delivered};
  }
  return views;
}

std::string ScriptedEnsemble::create(std::istream& words) {
  const bool quiet = quiet_;
  *this = ScriptedEnsemble();
  limits_.founding_ticks = 0;
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
      words >> limits_.founding_ticks;
    } else {
      members.push_back({.id = {static_cast<Id>(std::stoul(word))}, .observer = observer});
    }
  }
  ensemble_ = zab::Ensemble(members);
  for (const zab::Member& member : ensemble_.members()) restart(member.id.value);
  return show_all();
}

// Delivers one message of each link in turn, then answers one read of each learner, and so on.
std::string ScriptedEnsemble::deliver_all(const std::string& how, int at_most) {
  std::string output;
  const auto keep = [&](const std::string& lines) { output += important_lines(lines); };
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
      if (--at_most < 0) return output;
      quiet = false;
      keep(deliver_next(link));
    }
    if (how == "without") continue;
    std::vector<Link> reads;  // server and learner
    for (const auto& [id, server] : servers_) {
      if (server.disk_stopped) continue;
      for (const auto& [learner, read] : server.to_read) reads.emplace_back(id, learner);
    }
    for (const auto& [id, learner] : reads) {
      if (!servers_.at(id).to_read.contains(learner)) continue;
      if (--at_most < 0) return output;
      quiet = false;
      keep(read(id, learner));
    }
  }
  return output;
}

std::string ScriptedEnsemble::deliver(const std::string& type, Id from, Id to) {
  const Link link{from, to};
  if (!links_.contains(link)) return "no such link";
  std::string text;
  while (links_.contains(link) && !links_.at(link).empty()) {
    const bool last = type_of(links_.at(link).front()) == type;
    text += deliver_next(link);
    if (last) return text;
  }
  return type == "all" ? text : text + "none is in transit";
}

std::string ScriptedEnsemble::deliver_next(Link link) {
  zab::Message message = std::move(links_.at(link).front());
  links_.at(link).pop_front();
  if (quiet_) return step(link.second, zab::Received{{link.first}, std::move(message)});
  const std::string what =
      std::to_string(link.second) + " <- " + std::to_string(link.first) + ' ' + to_string(message);
  return what + '\n' + indented(step(link.second, zab::Received{{link.first}, std::move(message)}));
}

std::string ScriptedEnsemble::tick(const std::string& who, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) {
    for (const auto& [id, server] : servers_) {
      if (!server.peer || (who != "all" && std::to_string(id) != who)) continue;
      const std::string output = step(id, zab::Tick{});
      if (output.find("note:") != std::string::npos || times == 1) {
        text += std::to_string(id) + '\n' + indented(output);
      }
    }
  }
  return text;
}

std::string ScriptedEnsemble::pass(Id ticks) {
  std::string text;
  for (Id i = 0; i < ticks; ++i) {
    text += important_lines(tick("all", 1));
    text += deliver_all("");
  }
  return text + show_all();
}

std::string ScriptedEnsemble::show(Id id) const {
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

std::string ScriptedEnsemble::show_all() const {
  std::string text;
  for (const auto& [id, server] : servers_) text += show(id);
  return text;
}

std::string ScriptedEnsemble::in_transit() const {
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
