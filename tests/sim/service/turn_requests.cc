#include <cstdio>
#include <string>
#include <utility>
#include <variant>

#include "tests/sim/service/user.h"

// The random requests about turns. The nodes with numbers are children of /a and /b.
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

}  // namespace sim
