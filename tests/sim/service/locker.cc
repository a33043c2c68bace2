#include "tests/sim/service/locker.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace sim {
namespace {

const std::string lock = "/lock";

bool is_no_node(const wire::Reply& reply) {
  return !reply.body && reply.body.error().code == wire::ErrorCode::no_node;
}

}  // namespace

void Locker::want() {
  if (step_ != Step::rest) return;
  wants_ = true;
  step_ = Step::create;
}

void Locker::let_go() {
  if (step_ != Step::hold) return;
  wants_ = false;
  step_ = Step::remove;
}

std::optional<wire::Request> Locker::next() const {
  if (asked_) return std::nullopt;
  switch (step_) {
    case Step::create: {
      wire::CreateRequest create;
      create.path = lock + "/n-";
      create.ephemeral = create.sequential = create.parents = true;
      return create;
    }
    case Step::list: {
      wire::ChildrenRequest children;
      children.path = lock;
      children.with_stat = true;
      return children;
    }
    case Step::watch: return wire::ExistsRequest{before_mine_, {.consistency = {}, .watch = true}};
    case Step::remove: return wire::DeleteRequest{mine_};
    default: return std::nullopt;
  }
}

void Locker::hear(const wire::Reply& reply, wire::SessionId session) {
  if (asked_ != reply.id) return;
  asked_.reset();
  const bool fired = std::exchange(fired_, false);
  switch (step_) {
    // Whatever came of it, it is among the children or not.
    case Step::create: step_ = Step::list; return;
    case Step::list:
      if (is_no_node(reply)) return judge({}, session);
      if (reply.body) judge(std::get<wire::ChildrenReply>(*reply.body), session);
      return;
    case Step::watch: {
      const bool is_there = reply.body && std::get<wire::ExistsReply>(*reply.body).stat;
      step_ = is_there && !fired ? Step::wait : Step::list;
      return;
    }
    case Step::remove: step_ = reply.body || is_no_node(reply) ? Step::rest : Step::list; return;
    default: return;
  }
}

// A plain read is good enough: what is before a node is never more than it was when it was created,
// and its user has seen that much.
void Locker::judge(const wire::ChildrenReply& reply, wire::SessionId session) {
  const auto mine = std::ranges::find_if(
      reply.children, [&](const auto& child) { return child.stat->ephemeral_owner == session; });
  if (mine == reply.children.end()) {
    step_ = wants_ ? Step::create : Step::rest;
    return;
  }
  mine_ = lock + '/' + mine->name;
  token_ = mine->stat->czxid;
  if (!wants_) {
    step_ = Step::remove;
  } else if (mine == reply.children.begin()) {
    step_ = Step::hold;
  } else {
    before_mine_ = lock + '/' + std::prev(mine)->name;
    step_ = Step::watch;
    has_waited_ = true;
  }
}

void Locker::hear(const wire::WatchEvent& event) {
  if (event.watch != watch_) return;
  if (step_ == Step::wait) step_ = Step::list;
  if (step_ == Step::watch) fired_ = true;
}

void Locker::lost_connection() {
  fired_ = false;
  if (step_ == Step::wait) step_ = Step::list;
}

void Locker::lost_answer() {
  asked_.reset();
  if (step_ != Step::rest && step_ != Step::hold) step_ = Step::list;
}

}  // namespace sim
