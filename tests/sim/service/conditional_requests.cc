#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/sim/service/user.h"

// The random conditions of a user's writes. They are about what the user has seen, so some of them
// hold.
namespace sim {
namespace {

bool can_have_conditions(const wire::Request& request) {
  return session::command_body_of(request) && !std::holds_alternative<wire::CloseRequest>(request);
}

}  // namespace

wire::NodeTests User::some_tests(const std::string& path) {
  wire::NodeTests tests;
  const auto known = stats_.find(path);
  const bool is_known = known != stats_.end() && !condition_random_.one_in(6);
  switch (condition_random_.below(6)) {
    case 0: tests.exists = false; break;
    case 1: tests.exists = true; break;
    case 2: tests.czxid = is_known ? known->second.czxid : seen_; break;
    case 3: tests.mzxid = is_known ? known->second.mzxid : seen_; break;
    case 4:
      tests.ephemeral_owner = condition_random_.one_in(2) ? session_ : wire::SessionId{};
      break;
    default: {
      const auto data = data_.find(path);
      tests.data = data == data_.end() ? "" : data->second;
    }
  }
  return tests;
}

void User::add_other_branch(wire::MultiRequest& multi) {
  wire::SetRequest set;
  set.path = some_path();
  set.data = some_data();
  set.create = true;
  multi.otherwise.emplace();
  if (!condition_random_.one_in(4)) multi.otherwise->emplace_back(set);
  if (condition_random_.one_in(2)) multi.otherwise->emplace_back(wire::DeleteRequest{some_path()});
}

wire::ClientRequest User::with_conditions(wire::ClientRequest all) {
  const bool is_possible = world_.oracle().model().level() == wire::known_levels.greatest;
  if (!is_possible && !condition_random_.one_in(20)) return all;
  if (!can_have_conditions(all.request)) return all;
  auto* multi = std::get_if<wire::MultiRequest>(&all.request);
  if (multi != nullptr && condition_random_.one_in(3)) {
    wire::CheckRequest check{some_path()};
    check.tests = some_tests(check.path);
    multi->ops.insert(multi->ops.begin() + static_cast<std::ptrdiff_t>(
                                               condition_random_.below(multi->ops.size() + 1)),
                      wire::MultiOp(std::move(check)));
  }
  if (multi != nullptr && condition_random_.one_in(4)) {
    wire::ChildrenRequest children;
    children.path = some_path();
    children.reverse = true;
    children.before = "k2";
    multi->ops.emplace_back(std::move(children));
  }
  if (multi != nullptr && list_random_.one_in(2)) multi->ops.emplace_back(some_list());
  if (!condition_random_.one_in(3)) return all;
  for (std::uint64_t i = condition_random_.between(1, 3); i > 0; --i) {
    wire::Condition condition{some_path(), {}, {}};
    if (condition.path.back() == '/') continue;
    condition.tests = some_tests(condition.path);
    if (condition.tests.exists != false && condition_random_.one_in(3)) {
      condition.version = some_version(condition.path);
    }
    all.conditions.push_back(std::move(condition));
  }
  if (multi != nullptr && !all.conditions.empty() && condition_random_.one_in(2)) {
    add_other_branch(*multi);
  }
  world_.cluster().counts().count(Rare::write_has_conditions);
  return all;
}

}  // namespace sim
