#include "tests/sim/service/guard.h"

#include <algorithm>

#include "tests/sim/violation.h"

namespace sim {
namespace {

std::string in_words(const Hold& hold) {
  return "user " + std::to_string(hold.user) + " with " + wire::to_string(hold.token) +
         " of session " + wire::to_hex(hold.session.value) + ", since " +
         wire::to_string(hold.since);
}

}  // namespace

// By what is committed, whoever knows of it.
bool Guard::is_open(wire::SessionId session, wire::Zxid at) const {
  const auto found = model_.sessions().find(session);
  if (found == model_.sessions().end() || found->second.opened > at) return false;
  return found->second.closed == wire::Zxid{} || found->second.closed > at;
}

void Guard::taken(const Hold& hold) {
  for (const Hold& other : held_) {
    const wire::Zxid both = std::max(hold.since, other.since);
    if (!is_open(other.session, both) || !is_open(hold.session, both)) continue;
    throw Violation("lock", "two hold it: " + in_words(other) + "; " + in_words(hold));
  }
  held_.push_back(hold);
}

void Guard::let_go(const Hold& hold) { std::erase(held_, hold); }

bool Guard::use(const Hold& hold) {
  if (hold.token >= greatest_) {
    greatest_ = hold.token;
    return true;
  }
  if (std::ranges::find(held_, hold) != held_.end() && is_open(hold.session, model_.last())) {
    throw Violation("fencing", "a greater token than that of its holder was used: " +
                                   in_words(hold) + "; " + wire::to_string(greatest_));
  }
  return false;
}

}  // namespace sim
