#include <algorithm>
#include <sstream>

#include "tests/zab/command_words.h"
#include "tests/zab/effects_text.h"
#include "tests/zab/scripted_ensemble.h"
#include "zab/print.h"

// Crashes, lost links, and changes of disks.
namespace {

using wire::to_string;
using zab::ServerId;

// The zxid of "1:2", or of "1:2=b".
zab::Zxid zxid_of(const std::string& text) {
  std::istringstream in(text);
  zab::Zxid zxid;
  char colon = 0;
  in >> zxid.epoch.value >> colon >> zxid.counter;
  return zxid;
}

std::pair<std::uint32_t, std::uint32_t> unordered(std::uint32_t a, std::uint32_t b) {
  return {std::min(a, b), std::max(a, b)};
}

}  // namespace

std::optional<std::string> ScriptedEnsemble::run_fault(const std::string& command) {
  CommandWords words(command);
  const std::string verb = words.word();
  if (verb == "disk") return run_disk_command(command);
  if (verb == "crash") {
    const Id id = words.number();
    if (words.word() != "after") return crash(id);
    servers_.at(id).crashes_after = words.word();
    return "";
  }
  if (verb == "wipe" || verb == "damage") {
    const Id id = words.number();
    std::string rest;
    std::getline(words.rest(), rest);
    std::istringstream change(verb + rest);
    return change_disk(id, change);
  }
  if (verb == "checkpoint") return checkpoint(words.number_after_word());
  if (verb == "purge") return purge(words.number());
  if (verb == "restart") return restart(words.number());
  if (verb == "cut" || verb == "heal") {
    const Id a = words.number();
    const Id b = words.number();
    return verb == "cut" ? cut(a, b) : heal(a, b);
  }
  return std::nullopt;
}

// "disk of 1 stops", "disk of 1 resumes", "disk of 1 is of another cluster", "disk of 1: ...".
std::string ScriptedEnsemble::run_disk_command(const std::string& command) {
  CommandWords words(command);
  words.word();
  const Id id = words.number_after_word();
  const std::string what = words.word();
  if (what == "stops" || what == "resumes") return stop_disk(id, what == "stops");
  std::istringstream change(what == "is" ? "foreign" : "fill" + command.substr(command.find(':')));
  return change_disk(id, change);
}

std::string ScriptedEnsemble::crash(Id id) {
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

std::string ScriptedEnsemble::restart(Id id) {
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

std::string ScriptedEnsemble::cut(Id a, Id b) {
  cut_.insert(unordered(a, b));
  if (!disconnect(a, b)) return "";
  std::string text = std::to_string(a) + '\n' + indented(step(a, zab::LinkDown{{b}}));
  return text + std::to_string(b) + '\n' + indented(step(b, zab::LinkDown{{a}}));
}

// Messages that wait for a disk before they are sent over this link are lost with the link.
bool ScriptedEnsemble::disconnect(Id a, Id b) {
  if (links_.erase({a, b}) + links_.erase({b, a}) == 0) return false;
  for (const Link& link : {Link{a, b}, Link{b, a}}) {
    for (Batch& batch : servers_.at(link.first).unwritten) {
      std::erase_if(batch.confirm,
                    [&](const zab::Envelope& sent) { return sent.to.value == link.second; });
    }
  }
  return true;
}

std::string ScriptedEnsemble::heal(Id a, Id b) {
  cut_.erase(unordered(a, b));
  return connect(a, b);
}

std::string ScriptedEnsemble::connect(Id a, Id b) {
  if (cut_.contains(unordered(a, b)) || !servers_.at(a).peer || !servers_.at(b).peer) return "";
  links_[{a, b}];
  links_[{b, a}];
  std::string text = std::to_string(a) + '\n' + indented(step(a, zab::LinkUp{{b}}));
  return text + std::to_string(b) + '\n' + indented(step(b, zab::LinkUp{{a}}));
}

std::string ScriptedEnsemble::stop_disk(Id id, bool stop) {
  servers_.at(id).disk_stopped = stop;
  return stop ? "" : write(id);
}

// The checkpoint does not go beyond the log: a delivered transaction may not be on this server's
// own disk yet.
std::string ScriptedEnsemble::checkpoint(Id id) {
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

std::string ScriptedEnsemble::purge(Id id) {
  zab::Durable& durable = servers_.at(id).disk.durable;
  durable.history.trim(durable.applied, 0);
  return show(id);
}

std::string ScriptedEnsemble::change_disk(Id id, std::istream& words) {
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

// A server with a history belongs to the cluster of the other servers, if they have one.
std::string ScriptedEnsemble::fill_disk(Id id, std::istream& words) {
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
