#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

#include "tools/history/checks.h"

// Finds the operation that caused each change, and the changes that each operation caused.
namespace history {
namespace {

using nlohmann::json;

class Writes {
 public:
  Writes(const History& history, Timeline& timeline, const Frontier& frontier, Report& report)
      : history_(history), timeline_(timeline), frontier_(frontier), report_(report) {
    for (std::size_t i = 0; i < history.operations.size(); ++i) {
      for (const Step& step : steps_of(history.operations[i])) {
        const std::string data = data_of(*step.request);
        if ((step.op == "create" || step.op == "set") && !data.empty()) {
          by_data_[data].push_back({i, step});
        }
      }
    }
    for (auto& [path, changes] : timeline.changes()) {
      for (Change& change : changes) at_zxid_[change.zxid].emplace_back(path, &change);
    }
  }

  void check() {
    for (auto& [path, changes] : timeline_.changes()) {
      for (Change& change : changes) {
        if (change.after.exists) find_cause(path, change);
      }
    }
    match_deletes(Outcome::ok);
    match_deletes(Outcome::unknown);
    for (const auto& [path, changes] : timeline_.changes()) check_path(path, changes);
    for (std::size_t i = 0; i < history_.operations.size(); ++i) check_operation(i);
    check_sequences();
  }

 private:
  struct Writer {
    std::size_t operation;
    Step step;
  };

  void find_cause(const std::string& path, Change& change) {
    if (change.by != no_operation) return note(change);
    const auto candidates = by_data_.find(change.after.data);
    if (candidates == by_data_.end()) {
      if (change.after.data.empty() && is_created_parent(path, change)) return;
      return report_.add_violation("phantom", "line " + std::to_string(change.line) + ": " + path +
                                                  " is changed by " + hex(change.zxid) +
                                                  ", but no request wrote its data");
    }
    for (const Writer& writer : candidates->second) {
      const Operation& operation = history_.operations[writer.operation];
      if (!can_create(*writer.step.request, path)) continue;
      if (operation.outcome == Outcome::refused) {
        return report_.add_violation(
            "phantom",
            describe(operation) + " was refused, but carried out by " + hex(change.zxid));
      }
      if (operation.outcome == Outcome::ok) {
        return report_.add_violation(
            "twice", describe(operation) + " was carried out again by " + hex(change.zxid));
      }
      change.by = writer.operation;
      return note(change);
    }
    report_.add_violation("phantom", "line " + std::to_string(change.line) + ": " + path +
                                         " has, by " + hex(change.zxid) +
                                         ", the data of a write to another node");
  }

  // A create with `parents` creates missing parents in the same transaction, without data.
  [[nodiscard]] bool is_created_parent(const std::string& path, const Change& change) const {
    return std::ranges::any_of(at_zxid_.at(change.zxid), [&](const auto& other) {
      return other.second->after.exists && other.first.starts_with(path + "/");
    });
  }

  void note(const Change& change) { done_[change.by].insert(change.zxid); }

  // Whether a delete may have deleted a node in this state: some require a version.
  [[nodiscard]] static bool allows_version(const Step& step, const State* before) {
    const auto wanted = step.request->value("version", std::int64_t{-1});
    return wanted == -1 || before == nullptr || !before->exists || before->version == wanted;
  }

  // Assigns each requested delete to a deletion of its path between the frontier at the request and
  // the reply. Deletes with the earliest replies come first, and take the earliest deletion.
  void match_deletes(Outcome outcome) {
    struct Wanted {
      Zxid up_to, after;
      std::size_t operation;
      Step step;
    };
    std::vector<Wanted> wanted;
    for (std::size_t i = 0; i < history_.operations.size(); ++i) {
      const Operation& operation = history_.operations[i];
      if (operation.outcome != outcome) continue;
      const auto known = done_.find(i);
      for (const Step& step : steps_of(operation)) {
        if (step.op != "delete" || !timeline_.covers(step.path)) continue;
        Wanted delete_{outcome == Outcome::ok ? operation.zxid() : ~Zxid{0},
                       frontier_.before(operation.invoked), i, step};
        if (known != done_.end()) {
          delete_.up_to = *known->second.begin();
          delete_.after = delete_.up_to - 1;
        }
        wanted.push_back(delete_);
      }
    }
    std::ranges::stable_sort(wanted, {}, &Wanted::up_to);
    for (const Wanted& delete_ : wanted) {
      Change* found = nullptr;
      const State* before = nullptr;  // what was deleted, if it is known
      for (Change& change : timeline_.changes()[delete_.step.path]) {
        if (found == nullptr && !change.after.exists && change.by == no_operation &&
            change.zxid > delete_.after && change.zxid <= delete_.up_to &&
            (outcome == Outcome::ok || allows_version(delete_.step, before))) {
          found = &change;
        }
        before = &change.after;
      }
      const Operation& operation = history_.operations[delete_.operation];
      if (found == nullptr) {
        if (outcome == Outcome::ok && timeline_.known(delete_.after, delete_.up_to)) {
          report_.add_violation("lost-write", describe(operation) + " was acknowledged at " +
                                                  hex(delete_.up_to) +
                                                  ", but the node was not deleted before");
        }
        continue;
      }
      found->by = delete_.operation;
      note(*found);
      if (!delete_.step.request->value("recursive", false)) continue;
      for (auto& [path, change] : at_zxid_[found->zxid]) {
        const bool below = path.starts_with(delete_.step.path + "/");
        if (below && !change->after.exists) change->by = delete_.operation;
      }
    }
  }

  void check_path(const std::string& path, const std::vector<Change>& changes) {
    Change before{timeline_.start(), {}, never, 0, false, no_operation};
    for (const Change& change : changes) {
      const bool certain = timeline_.known(before.zxid, change.zxid - 1);
      const State& was = before.after;
      const State& is = change.after;
      std::string wrong;
      if (!is.exists) {
        if (certain && !was.exists) wrong = "is deleted, but did not exist";
        const bool persistent = was.exists && was.owner == "0000000000000000";
        if (certain && persistent && change.by == no_operation) {
          report_.add_violation("phantom", "line " + std::to_string(change.line) + ": " + path +
                                               " is deleted by " + hex(change.zxid) +
                                               ", but no request deleted it");
        }
      } else if (is.czxid == change.zxid) {
        if (certain && was.exists) wrong = "is created, but existed";
        if (is.version != 0) wrong = "is created with a version that is not 0";
        const std::optional<State> parent = timeline_.at(parent_of(path), change.zxid);
        if (parent && !parent->exists) wrong = "is created without a parent";
        if (parent && parent->exists && parent->owner != "0000000000000000") {
          wrong = "is created below an ephemeral node";
        }
      } else if (certain && (!was.exists || was.czxid != is.czxid)) {
        wrong = "is changed, but did not exist";
      } else if (certain && is.version != was.version + times(change, path)) {
        wrong =
            "has version " + std::to_string(is.version) + " after " + std::to_string(was.version);
      }
      if (is.exists && is.mzxid != change.zxid) wrong = "has a mzxid of another transaction";
      if (!wrong.empty()) {
        report_.add_violation("replay", "line " + std::to_string(change.line) + ": by " +
                                            hex(change.zxid) + " " + path + " " + wrong);
      }
      if (change.by != no_operation) check_expectation(path, before, change, certain);
      before = change;
    }
  }

  // How often the transaction sets the path: a multi may do so several times.
  [[nodiscard]] std::int64_t times(const Change& change, const std::string& path) const {
    if (change.by == no_operation) return 1;
    return std::ranges::count_if(steps_of(history_.operations[change.by]), [&](const Step& step) {
      return step.op == "set" && step.path == path;
    });
  }

  void check_expectation(const std::string& path, const Change& before, const Change& change,
                         bool certain) {
    const Operation& operation = history_.operations[change.by];
    if (change.zxid <= frontier_.before(operation.invoked)) {
      report_.add_violation("real-time", describe(operation) + " was carried out by " +
                                             hex(change.zxid) +
                                             ", but was sent after a client had seen " +
                                             hex(frontier_.before(operation.invoked)));
    }
    if (operation.outcome == Outcome::ok && change.zxid > operation.zxid()) {
      report_.add_violation("result", describe(operation) + " got its reply at " +
                                          hex(operation.zxid()) +
                                          ", before it was carried out by " + hex(change.zxid));
    }
    bool first = true;
    for (const Step& step : steps_of(operation)) {
      if (step.op == "create" ? !can_create(*step.request, path) : step.path != path) continue;
      if (step.op == "create" && change.after.exists) {
        const std::string owner =
            step.request->value("ephemeral", false) ? operation.session : std::string(16, '0');
        if (change.after.owner != owner) {
          report_.add_violation("ephemeral", describe(operation) + " created a node of session " +
                                                 change.after.owner + " instead of " + owner);
        }
        if (step.request->value("sequential", false)) {
          sequences_[parent_of(path)].emplace_back(change.zxid, path, change.by);
        }
      }
      const std::int64_t version = step.request->value("version", std::int64_t{-1});
      if (first && certain && version >= 0 && before.after.version != version) {
        report_.add_violation("result", describe(operation) + " was carried out on version " +
                                            std::to_string(before.after.version) + " by " +
                                            hex(change.zxid));
      }
      first = false;
    }
  }

  // A multi is carried out as a whole, by one transaction, or not at all.
  void check_operation(std::size_t index) {
    const Operation& operation = history_.operations[index];
    const auto done = done_.find(index);
    if (done == done_.end()) return;
    if (operation.outcome == Outcome::unknown) report_.unknown_happened += 1;
    if (done->second.size() > 1) {
      report_.add_violation("multi-atomic",
                            describe(operation) + " was carried out by several transactions, " +
                                hex(*done->second.begin()) + " and " + hex(*done->second.rbegin()));
    }
    if (operation.op() != "multi") return;
    const Zxid zxid = *done->second.begin();
    if (!timeline_.known(zxid - 1, zxid)) return;
    const auto& effects = at_zxid_[zxid];
    for (const Step& step : steps_of(operation)) {
      if (!timeline_.covers(step.path)) continue;
      if (step.op == "check") {
        const std::optional<State> state = timeline_.at(step.path, zxid - 1);
        const std::int64_t version = step.request->value("version", std::int64_t{-1});
        if (state && (!state->exists || (version >= 0 && state->version != version))) {
          report_.add_violation("result", describe(operation) +
                                              " was carried out, but its check of " + step.path +
                                              " did not hold at " + hex(zxid));
        }
        continue;
      }
      const bool found = std::ranges::any_of(effects, [&](const auto& effect) {
        return step.op == "create" ? can_create(*step.request, effect.first)
                                   : effect.first == step.path;
      });
      if (!found) {
        report_.add_violation("multi-atomic", describe(operation) + " was carried out by " +
                                                  hex(zxid) + " without its op on " + step.path);
      }
    }
  }

  void check_sequences() {
    for (auto& [parent, made] : sequences_) {
      std::ranges::sort(made);
      for (std::size_t i = 1; i < made.size(); ++i) {
        const auto& [zxid, path, by] = made[i];
        const std::string& before = std::get<1>(made[i - 1]);
        if (path.substr(path.size() - 10) > before.substr(before.size() - 10)) continue;
        report_.add_violation("sequential", describe(history_.operations[by]) + " created " + path +
                                                " after " + before);
      }
    }
  }

  const History& history_;
  Timeline& timeline_;
  const Frontier& frontier_;
  Report& report_;
  std::unordered_map<std::string, std::vector<Writer>> by_data_;
  std::map<Zxid, std::vector<std::pair<std::string, Change*>>> at_zxid_;
  std::map<std::size_t, std::set<Zxid>> done_;  // by operation
  std::map<std::string, std::vector<std::tuple<Zxid, std::string, std::size_t>>> sequences_;
};

}  // namespace

void check_writes(const History& history, Timeline& timeline, const Frontier& frontier,
                  Report& report) {
  Writes(history, timeline, frontier, report).check();
}

}  // namespace history
