#include <cstdio>
#include <iterator>
#include <string>
#include <utility>
#include <variant>

#include "tests/sim/service/user.h"

// The random requests about turns, and about lists of children by their numbers. The nodes with
// numbers are children of /a and /b.
namespace sim {

wire::TurnOptions User::some_turn() {
  wire::TurnOptions turn;
  turn.limit = static_cast<std::int32_t>(turn_random_.between(1, 3));
  switch (turn_random_.below(4)) {
    case 0: turn.among = {"n-"}; break;
    case 1: turn.among = {"m-", "none", "m-"}; break;
    default: break;
  }
  return turn;
}

std::string User::some_numbered_path() {
  if (!numbered_paths_.empty() && turn_random_.one_in(2)) {
    return numbered_paths_[turn_random_.below(numbered_paths_.size())];
  }
  char digits[16];
  std::snprintf(digits, sizeof digits, "%010d", static_cast<int>(turn_random_.below(24)));
  return (turn_random_.one_in(2) ? "/a/n-" : "/b/m-") + std::string(digits);
}

// Not those of the lock.
void User::note_numbered(const std::string& path) {
  if (!path.starts_with("/a/") && !path.starts_with("/b/")) return;
  numbered_paths_.push_back(path);
  if (numbered_paths_.size() > 6) numbered_paths_.pop_front();
}

// Some creates ask for a turn, and some reads become requests about nodes with numbers.
wire::ClientRequest User::with_turn(wire::ClientRequest request) {
  if (auto* create = std::get_if<wire::CreateRequest>(&request.request)) {
    if (!create->sequential) return request;
    if (turn_random_.one_in(3)) create->path[3] = 'm';
    if (turn_random_.one_in(2)) create->turn = some_turn();
    return request;
  }
  if (session::command_body_of(request.request) || !turn_random_.one_in(5)) return request;
  if (turn_random_.one_in(2)) {
    return {{}, {}, wire::DeleteRequest{some_numbered_path()}};
  }
  wire::WatchRequest watch;
  watch.path = some_numbered_path();
  watch.scope = wire::WatchScope::turn;
  watch.turn = some_turn();
  if (turn_random_.one_in(4)) watch.from = world_.oracle().acknowledged();
  return {{}, {}, std::move(watch)};
}

// Mostly where a counter begins, and sometimes where it wraps, or a third of the circle away.
std::string User::some_number() {
  constexpr const char* far[] = {"2147483646",  "2147483647", "-2147483648",
                                 "-0000000002", "1431655765", "-1431655765"};
  if (list_random_.one_in(4)) return far[list_random_.below(std::size(far))];
  char digits[16];
  std::snprintf(digits, sizeof digits, "%010d", static_cast<int>(list_random_.below(24)));
  return digits;
}

// Of a node that no sequential create makes: the check of linearizability does not know its number.
std::string User::some_plain_path() {
  return (list_random_.one_in(3) ? "/b/p-" : "/a/p-") + some_number();
}

wire::ChildrenRequest User::some_list() {
  wire::ChildrenRequest list;
  list.path = list_random_.one_in(3) ? "/b" : "/a";
  list.order = wire::ChildOrder::sequence;
  list.reverse = list_random_.one_in(2);
  list.with_stat = list_random_.one_in(4);
  constexpr const char* kinds[] = {"m-", "n-", "p-"};
  if (list_random_.one_in(3)) list.after = kinds[list_random_.below(3)] + some_number();
  if (list_random_.one_in(3)) list.before = kinds[list_random_.below(3)] + some_number();
  if (list_random_.one_in(40)) list.before = "k1";
  if (list_random_.one_in(2)) list.limit = static_cast<std::uint32_t>(list_random_.below(4));
  return list;
}

// Some writes become writes of a plain node with a number, some reads become lists.
wire::ClientRequest User::with_list(wire::ClientRequest request) {
  auto* create = std::get_if<wire::CreateRequest>(&request.request);
  auto* remove = std::get_if<wire::DeleteRequest>(&request.request);
  if (create != nullptr && !create->sequential && list_random_.one_in(5)) {
    create->path = some_plain_path();
  }
  if (remove != nullptr && list_random_.one_in(5)) remove->path = some_plain_path();
  if (session::command_body_of(request.request) || !list_random_.one_in(6)) return request;
  wire::ChildrenRequest list = some_list();
  switch (list_random_.below(4)) {
    case 0: list.read.consistency = wire::Linearizable{}; break;
    case 1: list.read.consistency = wire::AtLeast{world_.oracle().acknowledged()}; break;
    default: break;
  }
  list.read.watch = list_random_.one_in(4);
  world_.cluster().counts().count(Rare::list_by_number);
  return {{}, {}, std::move(list)};
}

}  // namespace sim
