#include "client-lib/recipes/double_barrier.h"

#include <utility>

#include "client-lib/recipes/outcome.h"
#include "client-lib/recipes/queue.h"
#include "wire/ensure.h"

// The entry of a participant.
namespace zabkeeper {

using wire::ErrorCode;

Participant::Participant(DoubleBarrierOptions options) : options_(std::move(options)) {
  ensure(1 <= options_.participants && options_.participants <= participants_max,
         "a double barrier has 1 to 900 participants");
  mark_ = lock_queue(options_.path, options_.id).mark;
}

// --- What the caller does ---

DoubleBarrierActions Participant::begin() {
  ensure(phase_ == Phase::idle, "a participant enters after it has left");
  Actions actions;
  create(actions);
  return actions;
}

DoubleBarrierActions Participant::leave() {
  Actions actions;
  if (phase_ != Phase::inside) return actions;
  is_to_leave_ = true;
  if (exit_ && exit_->is_known) remove(actions);
  return actions;
}

DoubleBarrierActions Participant::stop() {
  Actions actions;
  const bool has_entered =
      phase_ == Phase::inside || phase_ == Phase::removing || phase_ == Phase::leaving;
  leave_for_good({has_entered ? Ended::How::released : Ended::How::cancelled}, actions);
  return actions;
}

DoubleBarrierActions Participant::session_lost() {
  Actions actions;
  if (phase_ == Phase::idle || phase_ == Phase::ended) return actions;
  const wire::Error error{ErrorCode::session_expired, "the session has ended"};
  const bool was_inside =
      phase_ == Phase::inside || phase_ == Phase::removing || phase_ == Phase::leaving;
  if (!leaving_) {
    leaving_ = was_inside ? Ended{Ended::How::lost} : Ended{Ended::How::failed, error};
  }
  end(actions);
  return actions;
}

DoubleBarrierActions Participant::connection_lost() {
  Actions actions;
  if (phase_ == Phase::waiting) ask_turn(actions);
  if (step_ == Step::waiting) ask_exit(actions);
  return actions;
}

DoubleBarrierActions Participant::again() {
  Actions actions;
  if (outstanding_ == 0) repeat(actions);
  if (step_outstanding_ == 0) repeat_step(actions);
  return actions;
}

// --- Messages ---

DoubleBarrierActions Participant::replied(std::uint64_t number, const Result& result,
                                          wire::Zxid /*zxid*/) {
  Actions actions;
  if (number == 0 || (number != outstanding_ && number != step_outstanding_)) return actions;
  if (is_error(result, ErrorCode::session_expired)) return session_lost();
  if (number == outstanding_) {
    outstanding_ = 0;
    on_result(result, actions);
  } else {
    step_outstanding_ = 0;
    on_exit_result(result, actions);
  }
  return actions;
}

DoubleBarrierActions Participant::received(std::uint64_t number, const wire::WatchEvent& event) {
  Actions actions;
  if (number == 0 || (number != watch_ && number != exit_watch_)) return actions;
  const bool is_turn = event.kind == wire::EventKind::turn;
  const bool is_deleted = event.kind == wire::EventKind::deleted;
  if (number == watch_) {
    watch_ = 0;
    if (is_turn) {
      enter(actions);
      guess_exit(actions);
    } else if (is_deleted) {
      end_without_entry({ErrorCode::no_node, entry_ + " was deleted"}, actions);
    } else {
      ask_turn(actions);
    }
    return actions;
  }
  exit_watch_ = 0;
  if (is_turn) {
    on_exit_left(actions);
  } else if (is_deleted) {
    on_exit_gone(actions);
  } else {
    ask_exit(actions);
  }
  return actions;
}

void Participant::on_result(const Result& result, Actions& actions) {
  switch (phase_) {
    case Phase::creating: return on_created(result, actions);
    case Phase::setting_up: return on_set_up(result, actions);
    case Phase::finding: return on_found(result, actions);
    case Phase::asking: return on_turn(result, actions);
    case Phase::removing: return on_removed(result, actions);
    case Phase::idle:
    case Phase::waiting:
    case Phase::confirming:
    case Phase::inside:
    case Phase::leaving:
    case Phase::ended: return;
  }
}

void Participant::ask(wire::Request request, Actions& actions) {
  asked_ = outstanding_ = ++last_;
  actions.emplace_back(Ask{last_, std::move(request)});
}

// An outstanding create is not repeated before it is known that it was not carried out.
void Participant::repeat(Actions& actions) {
  switch (phase_) {
    case Phase::setting_up: return set_up(actions);
    case Phase::finding: return find(actions);
    case Phase::asking: return ask_turn(actions);
    case Phase::removing: return remove(actions);
    case Phase::idle:
    case Phase::creating:
    case Phase::waiting:
    case Phase::confirming:
    case Phase::inside:
    case Phase::leaving:
    case Phase::ended: return;
  }
}

bool Participant::is_to_repeat(const Result& result, Actions& actions) {
  if (!is_unknown(result)) return pause_if_temporary(result, actions);
  repeat(actions);
  return true;
}

// --- Before the pass ---

// Without missing parents: then there would be no gate.
void Participant::create(Actions& actions) {
  phase_ = Phase::creating;
  wire::CreateRequest entry = plain(below(options_.path, mark_) + std::string(entry_kind));
  entry.ephemeral = entry.sequential = true;
  entry.turn = wire::TurnOptions{1, {std::string(gate_kind)}};
  ask(std::move(entry), actions);
}

wire::CreateRequest Participant::plain(std::string path) const {
  wire::CreateRequest node;
  node.path = std::move(path);
  node.acl = options_.acl;
  return node;
}

void Participant::on_created(const Result& result, Actions& actions) {
  if (is_unknown(result)) return find(actions);
  const auto* created = reply_of<wire::CreateReply>(result);
  if (created == nullptr) {
    if (leaving_) return end(actions);
    if (is_error(result, ErrorCode::no_node)) return set_up(actions);
    return end_without_entry(error_of(result), actions);
  }
  entry_ = created->path;
  number_ = number_of(entry_);
  if (leaving_) return remove(actions);
  if (created->turn == false) return wait(asked_, actions);
  ask_turn(actions);
}

// All of this exists, or nothing.
void Participant::set_up(Actions& actions) {
  phase_ = Phase::setting_up;
  wire::MultiRequest multi;
  wire::CreateRequest path = plain(options_.path);
  path.parents = true;
  multi.ops.emplace_back(std::move(path));
  multi.ops.emplace_back(plain(gate_path(0)));
  multi.ops.emplace_back(plain(exit_path(1)));
  ask(std::move(multi), actions);
}

// If it was not done, the next create is refused again.
void Participant::on_set_up(const Result& result, Actions& actions) {
  if (leaving_) return end(actions);
  const auto* multi = reply_of<wire::MultiReply>(result);
  if (is_unknown(result) || (multi != nullptr && !multi->failed)) return create(actions);
  const wire::Error error = error_of_multi(result);
  if (error.code == ErrorCode::node_exists) return create(actions);
  if (!is_temporary(error.code)) return end_without_entry(error, actions);
  actions.emplace_back(Pause{});
}

// As Acquisition::find.
void Participant::find(Actions& actions) {
  phase_ = Phase::finding;
  ask(wire::EphemeralsRequest{below(options_.path, mark_)}, actions);
}

void Participant::on_found(const Result& result, Actions& actions) {
  const auto* found = reply_of<wire::EphemeralsReply>(result);
  if (found == nullptr) {
    if (!is_to_repeat(result, actions)) end_without_entry(error_of(result), actions);
    return;
  }
  if (found->paths.empty()) {
    if (leaving_) return end(actions);
    return create(actions);
  }
  entry_ = found->paths.front();
  number_ = number_of(entry_);
  if (leaving_) return remove(actions);
  ask_turn(actions);
}

void Participant::ask_turn(Actions& actions) {
  phase_ = Phase::asking;
  watch_ = 0;
  wire::WatchRequest request;
  request.path = entry_;
  request.scope = wire::WatchScope::turn;
  request.turn.among = {std::string(gate_kind)};
  ask(std::move(request), actions);
}

void Participant::on_turn(const Result& result, Actions& actions) {
  const auto* watch = reply_of<wire::WatchReply>(result);
  if (watch != nullptr && watch->turn) {
    if (!*watch->turn) return wait(asked_, actions);
    // There might be no gate at all.
    phase_ = Phase::confirming;
    return seek_exit(actions);
  }
  if (is_to_repeat(result, actions)) return;
  if (!is_error(result, ErrorCode::no_node)) return fail(error_of(result), actions);
  end_without_entry(error_of(result), actions);
}

// If N entries exist behind the gate for ever, and nobody opens it, the last one of them was
// created when the others existed. Its number shows that, and its participant opens the gate.
void Participant::wait(std::uint64_t watch, Actions& actions) {
  phase_ = Phase::waiting;
  watch_ = watch;
  actions.emplace_back(Waiting{});
  if (step_ != Step::none) return;
  if (!exit_) return seek_exit(actions);
  if (number_ < exit_->number + options_.participants) return;
  exit_->is_left ? list_entries(actions) : ask_exit(actions);
}

// --- After it ---

void Participant::enter(Actions& actions) {
  phase_ = Phase::inside;
  watch_ = 0;
  end_step();
  actions.emplace_back(Entered{});
}

// If no other node was created since the last exit, the number of this one is known.
void Participant::guess_exit(Actions& actions) {
  if (!exit_) return seek_exit(actions);
  constexpr std::uint32_t gate_and_exit = 2;
  const auto participants = static_cast<std::uint32_t>(options_.participants);
  exit_ = Exit{exit_->number + gate_and_exit + participants};
  ask_exit(actions);
}

void Participant::remove(Actions& actions) {
  phase_ = Phase::removing;
  watch_ = 0;
  ask(wire::DeleteRequest{entry_}, actions);
}

void Participant::on_removed(const Result& result, Actions& actions) {
  if (!result && !is_error(result, ErrorCode::no_node)) {
    if (is_to_repeat(result, actions)) return;
    return end_without_entry(error_of(result), actions);
  }
  if (leaving_) return end(actions);
  phase_ = Phase::leaving;
  if (exit_->is_left) finish(actions);
}

void Participant::finish(Actions& actions) {
  phase_ = Phase::idle;
  outstanding_ = 0;
  is_to_leave_ = false;
  end_step();
  actions.emplace_back(Left{exit_->czxid});
}

void Participant::fail(wire::Error error, Actions& actions) {
  leave_for_good({Ended::How::failed, std::move(error)}, actions);
}

void Participant::leave_for_good(Ended ended, Actions& actions) {
  if (leaving_ || phase_ == Phase::ended) return;
  leaving_ = std::move(ended);
  end_step();
  switch (phase_) {
    case Phase::idle:
    case Phase::leaving: return end(actions);
    case Phase::asking:
    case Phase::waiting:
    case Phase::confirming:
    case Phase::inside: return remove(actions);
    // The reply says what there is to delete.
    case Phase::creating:
    case Phase::setting_up:
    case Phase::finding:
    case Phase::removing:
    case Phase::ended: return;
  }
}

// There is none, or it stays until the session ends.
void Participant::end_without_entry(wire::Error error, Actions& actions) {
  leaving_ = Ended{Ended::How::failed, std::move(error)};
  end(actions);
}

void Participant::end(Actions& actions) {
  phase_ = Phase::ended;
  watch_ = outstanding_ = 0;
  end_step();
  actions.emplace_back(*leaving_);
}

}  // namespace zabkeeper
