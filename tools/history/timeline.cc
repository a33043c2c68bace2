#include "tools/history/timeline.h"

#include <algorithm>

namespace history {
namespace {

using nlohmann::json;

bool is_audit(const Operation& operation) {
  const json& request = operation.request;
  return operation.op() == "watch" && request.value("scope", "node") == "subtree" &&
         request.value("withData", false) && !request.value("once", false);
}

// The first change that is later than a zxid.
template <class Changes>
auto after(Changes& changes, Zxid zxid) {
  return std::upper_bound(changes.begin(), changes.end(), zxid,
                          [](Zxid z, const Change& change) { return z < change.zxid; });
}

}  // namespace

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

State state_of(const json& stat, std::string data) {
  return {true,
          zxid_of(stat.at("czxid")),
          zxid_of(stat.at("mzxid")),
          stat.at("version"),
          stat.at("ephemeralOwner"),
          std::move(data)};
}

Timeline::Timeline(const History& history, Report& report) {
  follow_audits(history, report);
  for (auto& [path, changes] : changes_) {
    std::ranges::sort(changes, {}, &Change::zxid);
  }
  add_replies(history, report);
  for (const auto& [path, changes] : changes_) report.changes += changes.size();
}

void Timeline::follow_audits(const History& history, Report& report) {
  std::vector<std::pair<Zxid, Zxid>> cover;
  std::map<std::pair<std::string, Zxid>, Change> seen;
  for (const auto& [connection, messages] : history.messages) {
    // The reply to a watch with `from` comes after the events of the replay.
    std::map<json, std::size_t> audits;
    for (const Message& message : messages) {
      if (!message.operation) continue;
      const Operation& operation = history.operations[*message.operation];
      if (!is_audit(operation) || operation.outcome != Outcome::ok) continue;
      if (root_.empty()) root_ = operation.request.at("path");
      if (operation.request.at("path") == root_)
        audits[operation.request.at("id")] = *message.operation;
    }
    for (const auto& [id, index] : audits) {
      const Operation& audit = history.operations[index];
      bool from_past = audit.request.contains("from");
      Zxid begin = from_past ? zxid_of(audit.request.at("from")) : audit.zxid();
      Zxid end = begin;
      bool set = false;
      for (const Message& message : messages) {
        if (message.operation) {
          set = set || *message.operation == index;
          const Zxid zxid = history.operations[*message.operation].zxid();
          if (set) end = std::max(end, zxid);
          continue;
        }
        const Event& event = history.events[*message.event];
        if (event.event.at("watch") != id) continue;
        const Zxid zxid = zxid_of(event.event.at("zxid"));
        if (event.event.at("event") == "resync") {
          if (end > begin) cover.emplace_back(begin, end);
          begin = end = zxid;
          continue;
        }
        // The connection may have ended before all events of this transaction arrived.
        end = std::max(end, zxid - 1);
        Change change{zxid, {}, event.at, event.line, true, no_operation};
        if (event.event.at("event") != "deleted") {
          change.after = state_of(event.event.at("stat"), data_of(event.event));
        }
        const auto [known, added] = seen.try_emplace({event.event.at("path"), zxid}, change);
        if (added) continue;
        if (known->second.after != change.after) {
          report.add_violation("agreement", "lines " + std::to_string(known->second.line) +
                                                " and " + std::to_string(event.line) +
                                                " disagree about " + hex(zxid) + " at " +
                                                known->first.first);
        }
        known->second.seen = std::min(known->second.seen, event.at);
      }
      if (end > begin) cover.emplace_back(begin, end);
    }
  }
  for (auto& [key, change] : seen) changes_[key.first].push_back(std::move(change));
  merge_cover(std::move(cover));
}

void Timeline::merge_cover(std::vector<std::pair<Zxid, Zxid>> pieces) {
  std::ranges::sort(pieces);
  for (const auto& piece : pieces) {
    if (!covered_.empty() && piece.first <= covered_.back().second) {
      covered_.back().second = std::max(covered_.back().second, piece.second);
    } else {
      covered_.push_back(piece);
    }
  }
  if (!covered_.empty()) start_ = covered_.front().first;
}

void Timeline::add_replies(const History& history, Report& report) {
  for (std::size_t i = 0; i < history.operations.size(); ++i) {
    const Operation& operation = history.operations[i];
    if (operation.outcome != Outcome::ok) continue;
    if (operation.op() != "multi") {
      add_reply(operation, i, operation.request, operation.reply, report);
      continue;
    }
    const json& ops = operation.request.at("ops");
    const json& results = operation.reply.at("results");
    for (std::size_t step = 0; step < ops.size(); ++step) {
      add_reply(operation, i, ops[step], results.at(step), report);
    }
  }
}

// The reply to a create or a set has its transaction and the new state.
void Timeline::add_reply(const Operation& operation, std::size_t index, const json& request,
                         const json& reply, Report& report) {
  const std::string op = request.at("op");
  if (op != "create" && op != "set") return;
  const std::string path = reply.contains("path") ? reply.at("path") : request.at("path");
  if (!covers(path)) return;
  const State state = state_of(reply.at("stat"), data_of(request));
  std::vector<Change>& changes = changes_[path];
  const auto next = after(changes, state.mzxid);
  if (next != changes.begin() && std::prev(next)->zxid == state.mzxid) {
    Change& change = *std::prev(next);
    change.by = index;
    change.seen = std::min(change.seen, operation.returned);
    if (change.after != state) {
      report.add_violation(
          "result", describe(operation) + " got another data or stat in its reply than line " +
                        std::to_string(change.line) + " has for " + hex(state.mzxid));
    }
    return;
  }
  if (known(state.mzxid - 1, state.mzxid)) {
    report.add_violation("lost-write", describe(operation) + " was acknowledged with " +
                                           hex(state.mzxid) + ", which no audit received");
    return;
  }
  changes.insert(next, {state.mzxid, state, operation.returned, operation.line, false, index});
}

bool Timeline::covers(const std::string& path) const {
  return !root_.empty() && path.starts_with(root_) &&
         (path.size() == root_.size() || root_ == "/" || path[root_.size()] == '/');
}

bool Timeline::known(Zxid after, Zxid up_to) const {
  for (const auto& [begin, end] : covered_) {
    if (begin <= after && up_to <= end) return true;
  }
  return up_to <= after;
}

const Change* Timeline::last(const std::string& path, Zxid zxid) const {
  const auto found = changes_.find(path);
  if (found == changes_.end()) return nullptr;
  const auto next = after(found->second, zxid);
  return next == found->second.begin() ? nullptr : &*std::prev(next);
}

std::optional<State> Timeline::at(const std::string& path, Zxid zxid) const {
  if (!covers(path)) return std::nullopt;
  const Change* change = last(path, zxid);
  if (!known(change == nullptr ? start_ : change->zxid, zxid)) return std::nullopt;
  return change == nullptr ? State{} : change->after;
}

std::vector<std::string> Timeline::children_ever(const std::string& path) const {
  const std::string prefix = path == "/" ? "/" : path + "/";
  std::vector<std::string> names;
  for (auto i = changes_.lower_bound(prefix); i != changes_.end() && i->first.starts_with(prefix);
       ++i) {
    if (i->first.find('/', prefix.size()) == std::string::npos) names.push_back(i->first);
  }
  return names;
}

}  // namespace history
