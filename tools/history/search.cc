#include <algorithm>
#include <functional>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "tools/history/checks.h"

// Wing and Gong's search with Lowe's memory of configurations seen (PODC'91, "Testing and Verifying
// Concurrent Objects"; CCPE 2017, "Testing for linearizability"), for each group of znodes by
// itself.
namespace history {
namespace {

using nlohmann::json;

constexpr std::size_t steps_max = 20'000'000;  // of one group; beyond them it is inconclusive

struct Znode {
  bool exists = false;
  std::int64_t version = 0;
  std::string data;

  bool operator==(const Znode&) const = default;
};
using Znodes = std::vector<Znode>;

struct Call {
  const Operation* operation;
  Time begin, end;
};

class Search {
 public:
  explicit Search(std::vector<std::string> paths) : initial_(paths.size()) {
    for (std::size_t i = 0; i < paths.size(); ++i) index_[paths[i]] = i;
  }

  void add(const Operation& operation) {
    calls_.push_back({&operation, operation.invoked, operation.returned});
  }
  [[nodiscard]] std::size_t size() const { return calls_.size(); }

  enum class Verdict : std::uint8_t { linearizable, not_linearizable, inconclusive };

  // On failure `stuck()` is an operation that no order got behind.
  Verdict run() {
    std::ranges::sort(calls_, {}, &Call::begin);
    done_.assign(calls_.size(), false);
    state_ = initial_;
    remaining_ = static_cast<std::size_t>(
        std::ranges::count_if(calls_, [](const Call& call) { return call.end != never; }));
    struct Frame {
      std::size_t call;
      Znodes before;
    };
    std::vector<Frame> stack;
    std::size_t from = 0, steps = 0;
    for (;;) {
      if (remaining_ == 0) return Verdict::linearizable;
      if (++steps > steps_max) return Verdict::inconclusive;
      const std::size_t next = candidate(from);
      if (next < calls_.size()) {
        Znodes before = state_;
        if (apply(*calls_[next].operation)) {
          mark(next, true);
          if (seen_.insert(fingerprint()).second) {
            stack.push_back({next, std::move(before)});
            from = first_;
            continue;
          }
          mark(next, false);
        }
        state_ = std::move(before);
        from = next + 1;
        continue;
      }
      if (stack.empty()) return Verdict::not_linearizable;
      state_ = std::move(stack.back().before);
      mark(stack.back().call, false);
      from = stack.back().call + 1;
      stack.pop_back();
    }
  }

  [[nodiscard]] const Operation& stuck() const { return *calls_[furthest_].operation; }

 private:
  // The next one, from an index on, that began before every one that is left has ended.
  std::size_t candidate(std::size_t from) {
    Time limit = never;
    for (std::size_t i = first_; i < calls_.size() && calls_[i].begin < limit; ++i) {
      if (!done_[i]) limit = std::min(limit, calls_[i].end);
    }
    for (std::size_t i = std::max(from, first_); i < calls_.size(); ++i) {
      if (calls_[i].begin > limit) break;
      if (!done_[i]) return i;
    }
    return calls_.size();
  }

  void mark(std::size_t call, bool done) {
    done_[call] = done;
    if (calls_[call].end != never) done ? --remaining_ : ++remaining_;
    if (done) {
      while (first_ < calls_.size() && done_[first_]) ++first_;
      furthest_ = std::max(furthest_, std::min(first_, calls_.size() - 1));
    } else {
      first_ = std::min(first_, call);
    }
  }

  // Whether the operation, done now, is answered as it was; then the state is what it makes of it.
  bool apply(const Operation& operation) {
    if (operation.op() != "multi") return apply(operation, operation.request, operation.reply);
    const json& ops = operation.request.at("ops");
    if (operation.outcome == Outcome::refused) {
      const std::size_t failed = operation.reply.at("index");
      const Znodes before = state_;
      bool right = true;
      for (std::size_t i = 0; i < failed && right; ++i) right = change(ops[i]).empty();
      right = right && change(ops[failed]) == operation.reply.at("error");
      state_ = before;
      return right;
    }
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (!change(ops[i]).empty()) return false;
      if (operation.outcome == Outcome::unknown) continue;
      if (!answers(ops[i], operation.reply.at("results").at(i))) return false;
    }
    return true;
  }

  bool apply(const Operation& operation, const json& request, const json& reply) {
    if (operation.op() == "get" || operation.op() == "exists") {
      const Znode& znode = state_[index_.at(request.at("path"))];
      if (operation.outcome == Outcome::refused) return !znode.exists;
      if (reply.at("stat").is_null()) return !znode.exists;
      return znode.exists && reply.at("stat").at("version") == znode.version &&
             (operation.op() == "exists" || data_of(reply) == znode.data);
    }
    const Znodes before = state_;
    const std::string error = change(request);
    if (operation.outcome == Outcome::refused) {
      state_ = before;
      return reply.at("error") == error;
    }
    return error.empty() && (operation.outcome == Outcome::unknown || answers(request, reply));
  }

  bool answers(const json& request, const json& reply) {
    if (!reply.contains("stat")) return true;
    return reply.at("stat").at("version") == state_[index_.at(request.at("path"))].version;
  }

  // Carries out one write; says why it cannot be.
  std::string change(const json& request) {
    Znode& znode = state_[index_.at(request.at("path"))];
    const std::string op = request.at("op");
    if (op == "create") {
      if (znode.exists) return "NodeExists";
      znode = {true, 0, data_of(request)};
      return {};
    }
    const std::int64_t version = request.value("version", std::int64_t{-1});
    if (!znode.exists) {
      if (op != "set" || !request.value("create", false)) return "NoNode";
      znode = {true, 0, data_of(request)};
      return {};
    }
    if (version >= 0 && version != znode.version) return "BadVersion";
    if (op == "delete") znode = {};
    if (op == "set") znode = {true, znode.version + 1, data_of(request)};
    return {};
  }

  // 128 bits of what was done and what came of it.
  struct Fingerprint {
    std::uint64_t a, b;
    bool operator==(const Fingerprint&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Fingerprint& f) const { return f.a; }
  };
  [[nodiscard]] Fingerprint fingerprint() const {
    Fingerprint f{14695981039346656037U, 0x9e3779b97f4a7c15U};
    const auto mix = [&f](std::uint64_t word) {
      f.a = (f.a ^ word) * 1099511628211U;
      f.b = (f.b + word) * 0xbf58476d1ce4e5b9U;
      f.b ^= f.b >> 29U;
    };
    mix(first_);
    // What is done lies close together: only what is beyond the first gap matters.
    for (std::size_t i = first_; i < calls_.size() && i < first_ + 4096; ++i) {
      if (done_[i]) mix(i);
    }
    for (const Znode& znode : state_) {
      mix(znode.exists ? 1 : 0);
      mix(static_cast<std::uint64_t>(znode.version));
      mix(std::hash<std::string>{}(znode.data));
    }
    return f;
  }

  Znodes initial_, state_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Call> calls_;
  std::vector<bool> done_;
  std::size_t first_ = 0;      // all before it are done
  std::size_t remaining_ = 0;  // that have an end and are not done
  std::size_t furthest_ = 0;
  std::unordered_set<Fingerprint, Hash> seen_;
};

// Znodes, joined where a multi touches several of them.
class Groups {
 public:
  void join(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) parents_.try_emplace(path, path);
    for (std::size_t i = 1; i < paths.size(); ++i) parents_[root(paths[i])] = root(paths[0]);
  }
  void spoil(const std::string& path) { spoilt_.push_back(path); }

  std::string root(const std::string& path) {
    std::string at = path;
    while (parents_.at(at) != at) at = parents_.at(at);
    return at;
  }
  std::map<std::string, std::vector<std::string>> all() {
    std::map<std::string, std::vector<std::string>> groups;
    for (const auto& [path, parent] : parents_) groups[root(path)].push_back(path);
    for (const std::string& path : spoilt_) {
      if (parents_.contains(path)) groups.erase(root(path));
    }
    return groups;
  }

 private:
  std::map<std::string, std::string> parents_;
  std::vector<std::string> spoilt_;
};

bool reads_now(const Operation& operation) {
  const std::string_view op = operation.op();
  return (op == "get" || op == "exists") && operation.request.contains("consistency") &&
         operation.request.at("consistency") == "linearizable";
}

// Refusals that a register knows; others are about parents and children.
bool about_registers(const Operation& operation) {
  if (operation.outcome != Outcome::refused) return true;
  const std::string error = operation.reply.at("error");
  if (error == "NoNode") return operation.op() != "create" && operation.op() != "multi";
  return error == "NodeExists" || error == "BadVersion";
}

}  // namespace

void check_by_search(const History& history, Report& report) {
  // Znodes that are made by number, by parents, or go by themselves, or with children, are not
  // registers: what happens to them is not all in the operations on them.
  Groups groups;
  for (const Operation& operation : history.operations) {
    std::vector<std::string> paths;
    for (const Step& step : steps_of(operation)) {
      const json& request = *step.request;
      const bool special = request.value("sequential", false) ||
                           request.value("ephemeral", false) || request.value("parents", false) ||
                           request.value("recursive", false) || request.value("container", false) ||
                           request.contains("ttlMs");
      if (special) groups.spoil(step.path);
      paths.push_back(step.path);
    }
    if (operation.request.value("sequential", false) && operation.outcome == Outcome::ok) {
      groups.spoil(operation.reply.at("path"));
    }
    groups.join(paths);
    if (!about_registers(operation))
      std::ranges::for_each(paths, [&](auto& p) { groups.spoil(p); });
  }
  std::map<std::string, std::string> group_of;
  std::map<std::string, Search> searches;
  for (const auto& [name, paths] : groups.all()) {
    searches.emplace(name, Search(paths));
    for (const std::string& path : paths) group_of[path] = name;
  }
  for (const auto& [path, group] : group_of) {
    if (const auto parent = group_of.find(parent_of(path)); parent != group_of.end()) {
      searches.erase(parent->second);
    }
  }
  for (const Operation& operation : history.operations) {
    const std::vector<Step> steps = steps_of(operation);
    if (steps.empty() && !reads_now(operation)) continue;
    if (operation.outcome == Outcome::unknown && steps.empty()) continue;
    const std::string path = steps.empty() ? operation.request.at("path") : json(steps[0].path);
    const auto group = group_of.find(path);
    if (group == group_of.end()) continue;
    const auto search = searches.find(group->second);
    if (search != searches.end()) search->second.add(operation);
  }
  for (auto& [name, search] : searches) {
    report.search_groups += 1;
    report.searched += search.size();
    const Search::Verdict verdict = search.run();
    if (verdict == Search::Verdict::not_linearizable) {
      report.complain("search", "no order explains the operations on " + name +
                                    "; none gets behind " + describe(search.stuck()));
    } else if (verdict == Search::Verdict::inconclusive) {
      report.complain("inconclusive", "the search gave up on " + name + ", with " +
                                          std::to_string(search.size()) + " operations");
    }
  }
}

}  // namespace history
