#include <algorithm>
#include <array>
#include <unordered_map>

#include "tools/history/checks.h"

namespace history {
namespace {

using nlohmann::json;

class Reads {
 public:
  Reads(const History& history, const Timeline& timeline, const Frontier& frontier, Report& report)
      : history_(history), timeline_(timeline), frontier_(frontier), report_(report) {
    for (const auto& [path, changes] : timeline.changes()) {
      if (path == "/") continue;
      Family& family = families_[parent_of(path)];
      family.children.push_back(path);
      for (std::size_t i = 0; i < changes.size(); ++i) {
        const bool was = i > 0 && changes[i - 1].after.exists;
        if (was != changes[i].after.exists)
          family.changed.push_back({changes[i].zxid, was ? -1 : 1});
      }
    }
    for (auto& [path, family] : families_) std::ranges::sort(family.changed);
  }

  void check() {
    for (const auto& [path, changes] : timeline_.changes()) {
      for (const Change& change : changes) check_orphans(path, change);
    }
    for (const Operation& operation : history_.operations) {
      if (operation.outcome == Outcome::ok) check_read(operation);
      if (operation.outcome == Outcome::refused) check_refusal(operation);
    }
  }

 private:
  struct Family {
    std::vector<std::string> children;          // all that ever existed
    std::vector<std::pair<Zxid, int>> changed;  // when one was created (1) or deleted (-1)
  };

  void check_orphans(const std::string& path, const Change& change) {
    if (change.after.exists || !timeline_.known(timeline_.start(), change.zxid)) return;
    if (count(path, change.zxid) != 0) {
      report_.add_violation("replay", "line " + std::to_string(change.line) + ": " + path +
                                          " is deleted by " + hex(change.zxid) +
                                          ", but it still has children");
    }
  }

  [[nodiscard]] std::int64_t count(const std::string& path, Zxid zxid) const {
    std::int64_t children = 0;
    const auto family = families_.find(path);
    if (family == families_.end()) return 0;
    for (const auto& [at, change] : family->second.changed) {
      if (at > zxid) break;
      children += change;
    }
    return children;
  }

  void wrong(const Operation& operation, const std::string& what) {
    report_.add_violation(
        "read", describe(operation) + " at " + hex(operation.zxid()) + " got a reply " + what);
  }

  void check_read(const Operation& operation) {
    const std::string_view op = operation.op();
    if (op != "get" && op != "exists" && op != "children" && op != "count" && op != "watch") return;
    const std::string path = operation.request.at("path");
    if (!timeline_.covers(path)) return;
    const Zxid zxid = operation.zxid();
    const std::optional<State> state = timeline_.at(path, zxid);
    const json& stat = operation.reply.value("stat", json{});
    if (!state) {
      report_.reads_uncertain += 1;
      const Change* last = timeline_.last(path, zxid);
      if (last != nullptr && stat.is_object() && zxid_of(stat.at("mzxid")) < last->zxid) {
        report_.add_violation("lost-write", describe(operation) + " at " + hex(zxid) +
                                                " shows a state before " + hex(last->zxid));
      }
      return;
    }
    report_.reads_replayed += 1;
    if (op == "count") return check_count(operation, path, *state);
    if (stat.is_null()) {
      if (state->exists)
        wrong(operation, "without a node, which exists since " + hex(state->czxid));
      return;
    }
    if (!state->exists) return wrong(operation, "with a node that did not exist");
    const State received = state_of(stat, op == "get" ? data_of(operation.reply) : state->data);
    if (received != *state) {
      return wrong(operation, "with the state after " + hex(received.mzxid) + ", version " +
                                  std::to_string(received.version) + "; the state was that after " +
                                  hex(state->mzxid) + ", version " +
                                  std::to_string(state->version));
    }
    if (stat.at("dataLength") != state->data.size() && !state->data.starts_with("64:")) {
      wrong(operation, "with a wrong dataLength");
    }
    check_family(operation, path, stat, *state);
    if (op == "children") check_names(operation, path);
  }

  void check_family(const Operation& operation, const std::string& path, const json& stat,
                    const State& state) {
    const Zxid zxid = operation.zxid();
    if (!timeline_.known(timeline_.start(), zxid)) return;
    std::int64_t children = 0, changes = 0;
    Zxid newest = state.czxid;
    if (const auto family = families_.find(path); family != families_.end()) {
      for (const auto& [at, change] : family->second.changed) {
        if (at > zxid) break;
        children += change;
        if (at < state.czxid) continue;
        changes += 1;
        newest = std::max(newest, at);
      }
    }
    if (stat.at("numChildren") != children) {
      wrong(operation,
            "with " + stat.at("numChildren").dump() + " children of " + std::to_string(children));
    }
    if (stat.at("cversion") != changes) {
      wrong(operation, "with cversion " + stat.at("cversion").dump() + " instead of " +
                           std::to_string(changes));
    }
    if (zxid_of(stat.at("pzxid")) != newest) {
      wrong(operation, "with pzxid " + stat.at("pzxid").dump() + " instead of " + hex(newest));
    }
  }

  void check_names(const Operation& operation, const std::string& path) {
    if (operation.request.contains("limit") || operation.request.contains("after")) return;
    std::vector<std::string> expected, received;
    if (const auto family = families_.find(path); family != families_.end()) {
      for (const std::string& child : family->second.children) {
        const std::optional<State> state = timeline_.at(child, operation.zxid());
        if (!state) return;
        if (state->exists) expected.push_back(child.substr(child.rfind('/') + 1));
      }
    }
    for (const json& child : operation.reply.at("children")) {
      received.push_back(child.is_string() ? child : child.at("name"));
    }
    std::ranges::sort(expected);
    if (expected == received) return;
    std::vector<std::string> missing, extra;
    std::ranges::set_difference(expected, received, std::back_inserter(missing));
    std::ranges::set_difference(received, expected, std::back_inserter(extra));
    wrong(operation, "that lacks " + (missing.empty() ? "no child" : missing.front()) +
                         " and has " + (extra.empty() ? "no child" : extra.front()) + " too many");
  }

  void check_count(const Operation& operation, const std::string& path, const State& state) {
    if (!state.exists) return wrong(operation, "with a count of a node that did not exist");
    const std::string prefix = path + "/";
    std::int64_t below = 0;
    const auto& all = timeline_.changes();
    for (auto i = all.lower_bound(prefix); i != all.end() && i->first.starts_with(prefix); ++i) {
      const std::optional<State> at = timeline_.at(i->first, operation.zxid());
      if (!at) return;
      below += at->exists ? 1 : 0;
    }
    if (operation.reply.at("count") != below) {
      wrong(operation,
            "with " + operation.reply.at("count").dump() + " instead of " + std::to_string(below));
    }
  }

  // A refusal must be right at one of the zxids between the request and the reply.
  void check_refusal(const Operation& operation) {
    const json* request = &operation.request;
    std::string error = operation.reply.at("error");
    if (operation.op() == "multi") {
      if (!operation.reply.contains("index")) return;
      request = &operation.request.at("ops").at(operation.reply.at("index").get<std::size_t>());
    }
    if (!request->contains("path")) return;
    const std::string path = request->at("path");
    const std::string op = request->at("op");
    const Zxid up_to = operation.zxid();
    // A read is refused at the zxid of its reply; a write may be refused at an earlier one.
    const bool write = operation.op() == "multi" || !steps_of(operation).empty();
    const Zxid from = write ? std::min(frontier_.before(operation.invoked), up_to) : up_to;
    if (!timeline_.covers(path) || !timeline_.known(timeline_.start(), up_to)) return;
    if (from < timeline_.start()) return;
    std::vector<Zxid> moments = {from};
    const auto add = [&](const std::string& of) {
      const auto found = timeline_.changes().find(of);
      if (found == timeline_.changes().end()) return;
      for (const Change& change : found->second) {
        if (change.zxid > from && change.zxid <= up_to) moments.push_back(change.zxid);
      }
    };
    add(path);
    add(parent_of(path));
    if (const auto family = families_.find(path); family != families_.end()) {
      for (const auto& [at, change] : family->second.changed) {
        if (at > from && at <= up_to) moments.push_back(at);
      }
    }
    report_.reads_replayed += 1;
    const bool right = std::ranges::any_of(
        moments, [&](Zxid at) { return justified(error, op, *request, path, at); });
    if (!right) {
      report_.add_violation("refusal", describe(operation) + " was refused as " + error + " at " +
                                           hex(up_to) + ", which was not right at any zxid since " +
                                           hex(from));
    }
  }

  [[nodiscard]] bool justified(const std::string& error, const std::string& op, const json& request,
                               const std::string& path, Zxid at) const {
    const State state = timeline_.at(path, at).value_or(State{});
    const std::string above = parent_of(path);
    const State parent = timeline_.at(above, at).value_or(State{true, 0, 0, 0, {}, {}});
    if (error == "NoNode") return op == "create" ? !parent.exists : !state.exists;
    if (error == "NodeExists") return state.exists;
    if (error == "BadVersion") return state.exists && request.value("version", -1) != state.version;
    if (error == "NotEmpty") return count(path, at) > 0;
    if (error == "NoChildrenForEphemerals")
      return parent.exists && parent.owner.find_first_not_of('0') != std::string::npos;
    return true;
  }

  const History& history_;
  const Timeline& timeline_;
  const Frontier& frontier_;
  Report& report_;
  std::unordered_map<std::string, Family> families_;
};

}  // namespace

void check_reads(const History& history, const Timeline& timeline, const Frontier& frontier,
                 Report& report) {
  Reads(history, timeline, frontier, report).check();
}

}  // namespace history
