#include "tests/sim/service/lock_recipe.h"

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

void LockRecipe::want() {
  if (step_ != Step::idle) return;
  is_wanted_ = true;
  step_ = Step::create;
}

void LockRecipe::release() {
  if (step_ != Step::hold) return;
  is_wanted_ = false;
  step_ = Step::remove;
}

std::optional<wire::Request> LockRecipe::next() const {
  if (outstanding_) return std::nullopt;
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
    case Step::watch:
      return wire::ExistsRequest{previous_node_, {.consistency = {}, .watch = true}};
    case Step::remove: return wire::DeleteRequest{own_node_};
    default: return std::nullopt;
  }
}

void LockRecipe::receive(const wire::Reply& reply, wire::SessionId session) {
  if (outstanding_ != reply.id) return;
  outstanding_.reset();
  const bool fired = std::exchange(has_fired_, false);
  switch (step_) {
    // For any reply, the list of children shows whether the node exists.
    case Step::create: step_ = Step::list; return;
    case Step::list:
      if (is_no_node(reply)) return evaluate({}, session);
      if (reply.body) evaluate(std::get<wire::ChildrenReply>(*reply.body), session);
      return;
    case Step::watch: {
      const bool exists = reply.body && std::get<wire::ExistsReply>(*reply.body).stat;
      step_ = exists && !fired ? Step::wait : Step::list;
      return;
    }
    case Step::remove: step_ = reply.body || is_no_node(reply) ? Step::idle : Step::list; return;
    default: return;
  }
}

// A session-consistent read is enough: after the creation of a node no node comes before it, and
// the user has seen the creation.
void LockRecipe::evaluate(const wire::ChildrenReply& reply, wire::SessionId session) {
  const auto mine = std::ranges::find_if(
      reply.children, [&](const auto& child) { return child.stat->ephemeral_owner == session; });
  if (mine == reply.children.end()) {
    step_ = is_wanted_ ? Step::create : Step::idle;
    return;
  }
  own_node_ = lock + '/' + mine->name;
  token_ = mine->stat->czxid;
  if (!is_wanted_) {
    step_ = Step::remove;
  } else if (mine == reply.children.begin()) {
    step_ = Step::hold;
  } else {
    previous_node_ = lock + '/' + std::prev(mine)->name;
    step_ = Step::watch;
    has_waited_ = true;
  }
}

void LockRecipe::receive(const wire::WatchEvent& event) {
  if (event.watch != watch_) return;
  if (step_ == Step::wait) step_ = Step::list;
  if (step_ == Step::watch) has_fired_ = true;
}

void LockRecipe::lost_connection() {
  has_fired_ = false;
  if (step_ == Step::wait) step_ = Step::list;
}

void LockRecipe::lost_reply() {
  outstanding_.reset();
  if (step_ != Step::idle && step_ != Step::hold) step_ = Step::list;
}

}  // namespace sim
