#include "client-lib/recipes/outcome.h"
#include "client-lib/recipes/queue_take.h"

// The life of a take that has claimed an item.
namespace zabkeeper {

using wire::ErrorCode;

std::optional<Grant> QueueTake::claim() const {
  const bool is_held = Phase::holding <= phase_ && phase_ <= Phase::checking_item;
  if (!is_held || leaving_) return std::nullopt;
  return claim_;
}

// --- What the caller does ---

TakeActions QueueTake::done() {
  TakeActions actions;
  if (phase_ == Phase::holding && !leaving_) {
    finish(actions);
  } else {
    actions.emplace_back(DoneRefused{{ErrorCode::bad_arguments, "no item is held"}});
  }
  return actions;
}

TakeActions QueueTake::give_back() {
  TakeActions actions;
  if (leaving_) return actions;
  switch (phase_) {
    case Phase::in_line:
    case Phase::looking:
    case Phase::waiting: leave_line({How::cancelled}, actions); break;
    case Phase::claiming:
    case Phase::checking_claim:
    case Phase::reading: leaving_ = TakeEnded{How::cancelled}; break;
    case Phase::holding: give_back_as({How::given_back}, actions); break;
    case Phase::finishing:
    case Phase::checking_done:
    case Phase::checking_item:
    case Phase::returning:
    case Phase::ended: break;
  }
  return actions;
}

TakeActions QueueTake::deadline_passed() {
  TakeActions actions;
  if (phase_ == Phase::holding && !leaving_) {
    lose("the session may have expired", actions);
    give_back_as({How::lost}, actions);
  }
  return actions;
}

// --- Holding ---

// The reply to the claim did not come, so the data did not either.
void QueueTake::read_item(TakeActions& actions) {
  ask(Phase::reading, wire::GetRequest{item_, {}}, actions);
}

void QueueTake::on_item_read(const Result& result, TakeActions& actions) {
  if (const auto* item = reply_of<wire::GetReply>(result)) return hold(item->data, actions);
  if (is_to_repeat(result, actions)) return;
  give_back_as(leaving_.value_or(TakeEnded{How::failed, error_of(result)}), actions);
}

void QueueTake::hold(wire::Bytes data, TakeActions& actions) {
  line_.reset();
  phase_ = Phase::holding;
  watch_ = watching_ = 0;
  if (leaving_) return return_item(actions);
  actions.emplace_back(Taken{item_, std::move(data), claim_});
  watch_claim(actions);
}

// The watch ends with its event. So none is left when the claim is deleted.
void QueueTake::watch_claim(TakeActions& actions) {
  wire::WatchRequest request;
  request.path = claim_.path;
  request.once = true;
  watch_ = watching_ = ++last_;
  actions.emplace_back(Ask{last_, std::move(request)});
}

void QueueTake::on_claim_watched(const Result& result, TakeActions& actions) {
  const auto* watch = reply_of<wire::WatchReply>(result);
  if (watch == nullptr) {
    watch_ = 0;
    // A client that may not read its claim is not told that it is deleted.
    static_cast<void>(is_to_repeat(result, actions));
    return;
  }
  if (watch->stat && watch->stat->czxid == claim_.czxid) return;
  lose("its claim was deleted", actions);
  end({How::lost}, actions);
}

void QueueTake::lose(const std::string& reason, TakeActions& actions) {
  actions.emplace_back(Lost{reason});
}

// --- The work is done ---

void QueueTake::finish(TakeActions& actions) {
  wire::MultiRequest multi;
  multi.ops.emplace_back(wire::DeleteRequest{claim_.path});
  multi.ops.emplace_back(wire::DeleteRequest{item_});
  ask(Phase::finishing, std::move(multi), actions, {claim_.guard()});
}

void QueueTake::on_finished(const Result& result, TakeActions& actions) {
  if (is_unknown(result)) return check_done(actions);
  const auto* multi = reply_of<wire::MultiReply>(result);
  if (multi != nullptr && !multi->failed) return end({How::done}, actions);
  const wire::Error error =
      multi != nullptr ? multi->results[*multi->failed].error() : error_of(result);
  if (error.code == ErrorCode::condition_failed) {
    lose("its claim was deleted", actions);
    return end({How::lost}, actions);
  }
  if (!is_to_repeat(error, actions)) refuse_done(error, actions);
}

// As long as the claim exists, the multi was not carried out.
void QueueTake::check_done(TakeActions& actions) {
  ask(Phase::checking_done, wire::ExistsRequest{claim_.path, {}}, actions);
}

void QueueTake::on_done_checked(const Result& result, TakeActions& actions) {
  const auto* claim = reply_of<wire::ExistsReply>(result);
  if (claim == nullptr) {
    if (!is_to_repeat(result, actions)) refuse_done(error_of(result), actions);
  } else if (claim->stat && claim->stat->czxid == claim_.czxid) {
    finish(actions);
  } else {
    check_item(actions);
  }
}

// The multi deletes both. If only the claim is gone, another client has deleted it.
void QueueTake::check_item(TakeActions& actions) {
  ask(Phase::checking_item, wire::ExistsRequest{item_, {}}, actions);
}

void QueueTake::on_item_checked(const Result& result, TakeActions& actions) {
  const auto* item = reply_of<wire::ExistsReply>(result);
  if (item == nullptr) {
    if (is_to_repeat(result, actions)) return;
  } else if (!item->stat) {
    return end({How::done}, actions);
  }
  lose("its claim was deleted", actions);
  end({How::lost}, actions);
}

void QueueTake::refuse_done(wire::Error error, TakeActions& actions) {
  phase_ = Phase::holding;
  actions.emplace_back(DoneRefused{std::move(error)});
  if (watch_ == 0) watch_claim(actions);
}

// --- The item is given back ---

void QueueTake::give_back_as(TakeEnded ended, TakeActions& actions) {
  leaving_ = std::move(ended);
  return_item(actions);
}

// By now another session may have a claim at this path, so the deletion has a condition.
void QueueTake::return_item(TakeActions& actions) {
  watch_ = watching_ = 0;
  line_.reset();
  ask(Phase::returning, wire::DeleteRequest{claim_.path}, actions, {claim_.guard()});
}

void QueueTake::on_returned(const Result& result, TakeActions& actions) {
  if (result || is_error(result, ErrorCode::condition_failed) ||
      is_error(result, ErrorCode::no_node)) {
    return end(*leaving_, actions);
  }
  if (!is_to_repeat(result, actions)) end({How::failed, error_of(result)}, actions);
}

void QueueTake::end(TakeEnded ended, TakeActions& actions) {
  phase_ = Phase::ended;
  outstanding_ = watch_ = watching_ = 0;
  line_.reset();
  actions.emplace_back(std::move(ended));
}

}  // namespace zabkeeper
