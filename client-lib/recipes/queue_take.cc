#include "client-lib/recipes/queue_take.h"

#include <cstddef>

#include "client-lib/recipes/outcome.h"
#include "client-lib/recipes/queue.h"

// The life of a take until it has claimed an item.
namespace zabkeeper {
namespace {

using wire::ErrorCode;

constexpr std::uint32_t page_items = 32;
// One is outstanding, and one has set the watch.
constexpr std::size_t line_asks_max = 4;

QueueOptions line_of(const WorkQueue& queue, const std::string& id) {
  QueueOptions options = lock_queue(queue.takers(), id);
  options.kind = "taker-";
  return options;
}

}  // namespace

QueueTake::QueueTake(WorkQueue queue, std::string id)
    : queue_(std::move(queue)), id_(std::move(id)), line_(line_of(queue_, id_)) {}

// --- What the caller does ---

TakeActions QueueTake::begin(std::int64_t now_ms) {
  TakeActions actions;
  now_ms_ = now_ms;
  pass(line_->want(), actions);
  return actions;
}

TakeActions QueueTake::time_is(std::int64_t now_ms) {
  TakeActions actions;
  now_ms_ = now_ms;
  if (phase_ == Phase::waiting && due_ms_ && *due_ms_ <= now_ms_) look(actions);
  return actions;
}

TakeActions QueueTake::connection_lost() {
  TakeActions actions;
  if (line_) pass(line_->connection_lost(), actions);
  const bool is_asked = watching_ != 0;
  if (!is_asked) watch_ = 0;
  if (phase_ == Phase::waiting && !is_asked && outstanding_ == 0) look(actions);
  if (phase_ == Phase::holding && !is_asked) watch_claim(actions);
  return actions;
}

TakeActions QueueTake::session_lost() {
  TakeActions actions;
  if (phase_ == Phase::ended) return actions;
  if (leaving_) {
    end(*leaving_, actions);
  } else if (claim()) {
    lose("the session has ended", actions);
    end({How::lost}, actions);
  } else {
    end({How::failed, wire::Error{ErrorCode::session_expired, "the session has ended"}}, actions);
  }
  return actions;
}

TakeActions QueueTake::again() {
  TakeActions actions;
  if (line_) pass(line_->again(), actions);
  if (outstanding_ == 0 && watching_ == 0) repeat(actions);
  return actions;
}

// --- Messages ---

TakeActions QueueTake::replied(std::uint64_t number, const Result& result, wire::Zxid zxid) {
  TakeActions actions;
  if (number == 0 || phase_ == Phase::ended) return actions;
  if (const auto in_line = number_in_line(number)) {
    pass(line_->replied(*in_line, result), actions);
    return actions;
  }
  if (number != outstanding_ && number != watching_) return actions;
  if (is_error(result, ErrorCode::session_expired)) return session_lost();
  if (number == watching_) {
    watching_ = 0;
    on_watching(result, actions);
  } else {
    outstanding_ = 0;
    on_result(result, zxid, actions);
  }
  return actions;
}

void QueueTake::on_result(const Result& result, wire::Zxid zxid, TakeActions& actions) {
  switch (phase_) {
    case Phase::looking: return on_listed(result, zxid, actions);
    case Phase::claiming: return on_claimed(result, actions);
    case Phase::checking_claim: return on_claim_checked(result, actions);
    case Phase::reading: return on_item_read(result, actions);
    case Phase::finishing: return on_finished(result, actions);
    case Phase::checking_done: return on_done_checked(result, actions);
    case Phase::checking_item: return on_item_checked(result, actions);
    case Phase::returning: return on_returned(result, actions);
    case Phase::in_line:
    case Phase::waiting:
    case Phase::holding:
    case Phase::ended: return;
  }
}

TakeActions QueueTake::received(std::uint64_t number, const wire::WatchEvent& event) {
  TakeActions actions;
  if (number == 0 || phase_ == Phase::ended) return actions;
  if (const auto in_line = number_in_line(number)) {
    pass(line_->received(*in_line, event), actions);
    return actions;
  }
  if (number != watch_) return actions;
  watch_ = 0;
  if (phase_ == Phase::waiting) {
    look(actions);
  } else if (phase_ == Phase::holding) {
    if (event.kind != wire::EventKind::deleted) {
      watch_claim(actions);
    } else {
      lose("its claim was deleted", actions);
      end({How::lost}, actions);
    }
  }
  return actions;
}

void QueueTake::ask(Phase phase, wire::Request request, TakeActions& actions,
                    std::vector<wire::Condition> conditions) {
  phase_ = phase;
  outstanding_ = ++last_;
  actions.emplace_back(Ask{last_, std::move(request), std::move(conditions)});
}

// A multi is not repeated before it is known that it was not carried out. The deletion of a claim
// may be repeated.
void QueueTake::repeat(TakeActions& actions) {
  switch (phase_) {
    case Phase::looking: return list(listed_to_, actions);
    case Phase::waiting:
    case Phase::claiming: return look(actions);
    case Phase::checking_claim: return check_claim(actions);
    case Phase::reading: return read_item(actions);
    case Phase::holding:
      if (watch_ == 0) watch_claim(actions);
      return;
    case Phase::finishing: return finish(actions);
    case Phase::checking_done: return check_done(actions);
    case Phase::checking_item: return check_item(actions);
    case Phase::returning: return return_item(actions);
    case Phase::in_line:
    case Phase::ended: return;
  }
}

bool QueueTake::is_to_repeat(const Result& result, TakeActions& actions) {
  if (!is_unknown(result)) return pause_if_temporary(result, actions);
  repeat(actions);
  return true;
}

// --- The line ---

std::optional<std::uint64_t> QueueTake::number_in_line(std::uint64_t number) const {
  if (!line_) return std::nullopt;
  for (const auto& [here, there] : line_asks_) {
    if (here == number) return there;
  }
  return std::nullopt;
}

void QueueTake::pass(const RecipeActions& of_line, TakeActions& actions) {
  for (const RecipeAction& action : of_line) {
    if (const auto* ask = std::get_if<Ask>(&action)) {
      line_asks_.emplace_back(++last_, ask->number);
      if (line_asks_.size() > line_asks_max) line_asks_.pop_front();
      actions.emplace_back(Ask{last_, ask->request, ask->conditions});
    }
    if (std::holds_alternative<Pause>(action)) actions.emplace_back(Pause{});
    if (std::holds_alternative<Waiting>(action)) actions.emplace_back(Waiting{});
    if (std::holds_alternative<Held>(action)) look(actions);
    if (const auto* lost = std::get_if<Lost>(&action)) on_line_lost(lost->reason, actions);
    const auto* ended = std::get_if<Ended>(&action);
    if (ended == nullptr || is_line_lost_) continue;
    const bool has_failed = ended->how == Ended::How::failed;
    end(leaving_ && !has_failed ? *leaving_ : TakeEnded{How::failed, ended->error}, actions);
  }
}

// The taker's own claim deletes its node in the line too, and the reply to it may come later.
void QueueTake::on_line_lost(std::string reason, TakeActions& actions) {
  is_line_lost_ = true;
  if (phase_ == Phase::claiming || phase_ == Phase::checking_claim) return;
  if (leaving_) return end(*leaving_, actions);
  end({How::failed, wire::Error{ErrorCode::no_node, std::move(reason)}}, actions);
}

void QueueTake::leave_line(TakeEnded ended, TakeActions& actions) {
  leaving_ = std::move(ended);
  phase_ = Phase::in_line;
  outstanding_ = watch_ = watching_ = 0;
  if (is_line_lost_) return end(*leaving_, actions);
  pass(line_->release(), actions);
}

// --- Looking for an item ---

void QueueTake::look(TakeActions& actions) {
  if (!is_line_lost_) return list({}, actions);
  end({How::failed, wire::Error{ErrorCode::no_node, "its place in the line was deleted"}}, actions);
}

void QueueTake::list(std::optional<std::string> after, TakeActions& actions) {
  listed_to_ = after;
  wire::ChildrenRequest request;
  request.path = queue_.items();
  request.with_stat = true;
  request.after = std::move(after);
  request.limit = page_items;
  if (queue_.order == ItemOrder::put) request.order = wire::ChildOrder::sequence;
  ask(Phase::looking, std::move(request), actions);
}

// An item with a child is held. Items after one that is not due are not due either.
void QueueTake::on_listed(const Result& result, wire::Zxid zxid, TakeActions& actions) {
  const auto* page = reply_of<wire::ChildrenReply>(result);
  if (page == nullptr && !is_error(result, ErrorCode::no_node)) {
    if (!is_to_repeat(result, actions)) leave_line({How::failed, error_of(result)}, actions);
    return;
  }
  if (!listed_to_) looked_at_ = zxid;
  if (page == nullptr) return wait({}, actions);
  for (const wire::Child& child : page->children) {
    if (!child.stat || child.stat->num_children > 0) continue;
    if (queue_.order == ItemOrder::due) {
      const auto due_ms = due_time_of(child.name);
      if (!due_ms) continue;
      if (*due_ms > now_ms_) return wait(due_ms, actions);
    }
    return claim_item(child.name, actions);
  }
  if (page->more && !page->children.empty()) return list(page->children.back().name, actions);
  wait({}, actions);
}

// The watch also tells what happened since the first page was read.
void QueueTake::wait(std::optional<std::int64_t> due_ms, TakeActions& actions) {
  phase_ = Phase::waiting;
  due_ms_ = due_ms;
  actions.emplace_back(Waiting{});
  if (due_ms) actions.emplace_back(WakeAt{*due_ms});
  if (watch_ != 0) return;
  wire::WatchRequest request;
  request.path = queue_.items();
  request.scope = wire::WatchScope::subtree;
  request.once = true;
  request.from = looked_at_;
  watch_ = watching_ = ++last_;
  actions.emplace_back(Ask{last_, std::move(request)});
}

void QueueTake::on_watching(const Result& result, TakeActions& actions) {
  if (phase_ == Phase::holding) return on_claim_watched(result, actions);
  if (reply_of<wire::WatchReply>(result) != nullptr) return;
  watch_ = 0;
  if (phase_ != Phase::waiting) return;
  if (!is_to_repeat(result, actions)) leave_line({How::failed, error_of(result)}, actions);
}

// --- The claim ---

std::string QueueTake::claim_path() const { return below(item_, "claim"); }

void QueueTake::claim_item(const std::string& name, TakeActions& actions) {
  item_ = below(queue_.items(), name);
  const Grant place = line_->grant().value_or(Grant{});
  wire::CreateRequest claim;
  claim.path = claim_path();
  claim.data = id_;
  claim.ephemeral = true;
  wire::MultiRequest multi;
  multi.ops.emplace_back(std::move(claim));
  multi.ops.emplace_back(wire::GetRequest{item_, {}});
  multi.ops.emplace_back(wire::DeleteRequest{place.path});
  ask(Phase::claiming, std::move(multi), actions, {place.guard()});
}

void QueueTake::on_claimed(const Result& result, TakeActions& actions) {
  if (is_unknown(result)) return check_claim(actions);
  const auto* multi = reply_of<wire::MultiReply>(result);
  if (multi != nullptr && !multi->failed && multi->results.size() == 3) {
    const auto* created = std::get_if<wire::CreateReply>(&*multi->results[0]);
    const auto* item = std::get_if<wire::GetReply>(&*multi->results[1]);
    if (created == nullptr || item == nullptr) return check_claim(actions);
    claim_ = {created->path, created->stat.czxid, created->stat.czxid};
    return hold(item->data, actions);
  }
  const wire::Error error =
      multi != nullptr && multi->failed ? multi->results[*multi->failed].error() : error_of(result);
  if (error.code == ErrorCode::condition_failed) {
    is_line_lost_ = true;
    return leave_line(leaving_.value_or(TakeEnded{How::failed, error}), actions);
  }
  if (leaving_) return leave_line(*leaving_, actions);
  if (error.code == ErrorCode::node_exists || error.code == ErrorCode::no_node) {
    return look(actions);  // the item is gone, or another client has claimed it
  }
  if (!is_to_repeat(error, actions)) leave_line({How::failed, error}, actions);
}

// The data of a claim are the id of its take.
void QueueTake::check_claim(TakeActions& actions) {
  ask(Phase::checking_claim, wire::GetRequest{claim_path(), {}}, actions);
}

void QueueTake::on_claim_checked(const Result& result, TakeActions& actions) {
  const auto* claim = reply_of<wire::GetReply>(result);
  if (claim != nullptr && claim->data == id_) {
    claim_ = {claim_path(), claim->stat.czxid, claim->stat.czxid};
    return read_item(actions);
  }
  if (claim == nullptr && !is_error(result, ErrorCode::no_node)) {
    if (!is_to_repeat(result, actions)) leave_line({How::failed, error_of(result)}, actions);
    return;
  }
  if (leaving_) return leave_line(*leaving_, actions);
  look(actions);
}

}  // namespace zabkeeper
