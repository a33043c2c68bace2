#include <algorithm>
#include <map>
#include <unordered_map>

#include "tools/history/checks.h"
#include "tools/history/linearizability.h"

namespace history {
namespace {

using nlohmann::json;

constexpr std::size_t steps_max = 20'000'000;  // for one group; after that it is inconclusive

// Translates the operations on a group of znodes into calls for the search.
class Group {
 public:
  explicit Group(const std::vector<std::string>& paths) : search_(paths.size()) {
    for (std::size_t i = 0; i < paths.size(); ++i) index_[paths[i]] = i;
  }

  void add(const Operation& operation) {
    operations_.push_back(&operation);
    Call call{.begin = operation.invoked, .end = operation.returned, .steps = {}, .refusal = {}};
    if (operation.op() == "multi") {
      add_multi(operation, call);
    } else {
      call.steps.push_back(step(operation.request, reply_of(operation)));
      if (operation.outcome == Outcome::refused) refuse(call, operation.reply);
    }
    const json& reply = operation.reply;
    if (operation.op() == "exists" && reply.contains("stat") && reply.at("stat").is_null()) {
      call.undone = true;
      call.refusal = Refusal::absent;
    }
    search_.add(std::move(call));
  }

  [[nodiscard]] std::size_t size() const { return search_.size(); }
  Search::Verdict run() { return search_.run(steps_max); }
  // After a failure: an operation that no order could include.
  [[nodiscard]] const Operation& stuck() const { return *operations_[search_.stuck()]; }

 private:
  static const json* reply_of(const Operation& operation) {
    return operation.outcome == Outcome::ok ? &operation.reply : nullptr;
  }

  void add_multi(const Operation& operation, Call& call) {
    const json& ops = operation.request.at("ops");
    const bool refused = operation.outcome == Outcome::refused;
    const std::size_t count =
        refused ? operation.reply.at("index").get<std::size_t>() + 1 : ops.size();
    for (std::size_t i = 0; i < count; ++i) {
      const json* reply = reply_of(operation);
      call.steps.push_back(step(ops[i], reply ? &reply->at("results").at(i) : nullptr));
    }
    if (refused) refuse(call, operation.reply);
  }

  static void refuse(Call& call, const json& reply) {
    const std::string error = reply.at("error");
    call.undone = true;
    call.refusal = error == "NoNode"       ? Refusal::absent
                   : error == "NodeExists" ? Refusal::present
                                           : Refusal::other_version;
  }

  ZnodeStep step(const json& request, const json* reply) {
    using Kind = ZnodeStep::Kind;
    static const std::map<std::string, Kind> kinds = {
        {"create", Kind::create}, {"set", Kind::set}, {"delete", Kind::remove},
        {"check", Kind::check},   {"get", Kind::get}, {"exists", Kind::exists}};
    ZnodeStep step{.kind = kinds.at(request.at("op")),
                   .znode = index_.at(request.at("path")),
                   .version = request.value("version", std::int64_t{-1}),
                   .creates = request.value("create", false),
                   .reply_version = {}};
    const bool reads = step.kind == Kind::get && reply != nullptr;
    step.data = texts_.number(data_of(reads ? *reply : request));
    if (reply != nullptr && reply->contains("stat") && reply->at("stat").is_object()) {
      step.reply_version = reply->at("stat").at("version").get<std::int64_t>();
    }
    return step;
  }

  std::unordered_map<std::string, std::size_t> index_;
  Texts texts_;
  Search search_;
  std::vector<const Operation*> operations_;
};

// Groups of znodes. A multi on several znodes joins their groups.
class Groups {
 public:
  void join(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) parents_.try_emplace(path, path);
    for (std::size_t i = 1; i < paths.size(); ++i) parents_[root(paths[i])] = root(paths[0]);
  }
  void exclude(const std::string& path) { excluded_.push_back(path); }

  std::string root(const std::string& path) {
    std::string at = path;
    while (parents_.at(at) != at) at = parents_.at(at);
    return at;
  }
  std::map<std::string, std::vector<std::string>> all() {
    std::map<std::string, std::vector<std::string>> groups;
    for (const auto& [path, parent] : parents_) groups[root(path)].push_back(path);
    for (const std::string& path : excluded_) {
      if (parents_.contains(path)) groups.erase(root(path));
    }
    return groups;
  }

 private:
  std::map<std::string, std::string> parents_;
  std::vector<std::string> excluded_;
};

bool is_linearizable_read(const Operation& operation) {
  const std::string_view op = operation.op();
  return (op == "get" || op == "exists") && operation.request.contains("consistency") &&
         operation.request.at("consistency") == "linearizable";
}

// Whether a refusal depends on the znode alone, and not on its parent or children.
bool is_register_refusal(const Operation& operation) {
  if (operation.outcome != Outcome::refused) return true;
  const std::string error = operation.reply.at("error");
  if (error == "NoNode") return operation.op() != "create" && operation.op() != "multi";
  return error == "NodeExists" || error == "BadVersion";
}

}  // namespace

void check_by_search(const History& history, Report& report) {
  // The search treats a znode as a register. That is wrong for a znode that can also change by an
  // operation on another path, or by itself: sequential, ephemeral, with parents, recursive, TTL.
  Groups groups;
  for (const Operation& operation : history.operations) {
    std::vector<std::string> paths;
    for (const Step& step : steps_of(operation)) {
      const json& request = *step.request;
      const bool no_register =
          request.value("sequential", false) || request.value("ephemeral", false) ||
          request.value("parents", false) || request.value("recursive", false) ||
          request.value("container", false) || request.contains("ttlMs");
      if (no_register) groups.exclude(step.path);
      paths.push_back(step.path);
    }
    if (operation.request.value("sequential", false) && operation.outcome == Outcome::ok) {
      groups.exclude(operation.reply.at("path"));
    }
    groups.join(paths);
    if (!is_register_refusal(operation))
      std::ranges::for_each(paths, [&](auto& p) { groups.exclude(p); });
  }
  std::map<std::string, std::string> group_of;
  std::map<std::string, Group> searches;
  for (const auto& [name, paths] : groups.all()) {
    searches.emplace(name, Group(paths));
    for (const std::string& path : paths) group_of[path] = name;
  }
  for (const auto& [path, group] : group_of) {
    if (const auto parent = group_of.find(parent_of(path)); parent != group_of.end()) {
      searches.erase(parent->second);
    }
  }
  for (const Operation& operation : history.operations) {
    const std::vector<Step> steps = steps_of(operation);
    if (steps.empty() && !is_linearizable_read(operation)) continue;
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
      report.add_violation("search", "no order explains the operations on " + name +
                                         "; no order includes " + describe(search.stuck()));
    } else if (verdict == Search::Verdict::inconclusive) {
      report.add_violation("inconclusive", "the search gave up on " + name + ", with " +
                                               std::to_string(search.size()) + " operations");
    }
  }
}

}  // namespace history
