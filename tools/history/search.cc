#include <algorithm>
#include <map>
#include <unordered_map>

#include "tools/history/checks.h"
#include "tools/history/linearizability.h"

namespace history {
namespace {

using nlohmann::json;

constexpr std::size_t steps_max = 20'000'000;  // of one group; beyond them it is inconclusive

// The operations on a group of znodes, as the search wants them.
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
      call.steps.push_back(step(operation.request, answer_to(operation)));
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
  // On failure an operation that no order got behind.
  [[nodiscard]] const Operation& stuck() const { return *operations_[search_.stuck()]; }

 private:
  static const json* answer_to(const Operation& operation) {
    return operation.outcome == Outcome::ok ? &operation.reply : nullptr;
  }

  void add_multi(const Operation& operation, Call& call) {
    const json& ops = operation.request.at("ops");
    const bool refused = operation.outcome == Outcome::refused;
    const std::size_t count =
        refused ? operation.reply.at("index").get<std::size_t>() + 1 : ops.size();
    for (std::size_t i = 0; i < count; ++i) {
      const json* reply = answer_to(operation);
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
                   .told = {}};
    const bool reads = step.kind == Kind::get && reply != nullptr;
    step.data = texts_.number(data_of(reads ? *reply : request));
    if (reply != nullptr && reply->contains("stat") && reply->at("stat").is_object()) {
      step.told = reply->at("stat").at("version").get<std::int64_t>();
    }
    return step;
  }

  std::unordered_map<std::string, std::size_t> index_;
  Texts texts_;
  Search search_;
  std::vector<const Operation*> operations_;
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
