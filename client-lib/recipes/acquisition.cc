#include "client-lib/recipes/acquisition.h"

#include <utility>
#include <variant>

#include "client-lib/recipes/outcome.h"
#include "wire/ensure.h"

namespace zabkeeper {

using wire::ErrorCode;

// --- What the caller does ---

RecipeActions Acquisition::want() {
  ensure(phase_ == Phase::idle, "an acquisition begins once");
  RecipeActions actions;
  if (grant_.path.empty()) {
    begin(actions);
  } else {
    ask_turn(actions);
  }
  return actions;
}

void Acquisition::begin(RecipeActions& actions) {
  if (options_.is_limit_in_parent) {
    read_limit(actions);
  } else {
    create(actions);
  }
}

RecipeActions Acquisition::release() {
  RecipeActions actions;
  leave({grant() ? Ended::How::released : Ended::How::cancelled}, actions);
  return actions;
}

RecipeActions Acquisition::downgrade() {
  RecipeActions actions;
  if (phase_ == Phase::holding && options_.kind == "write-") {
    move_to_reader(actions);
  } else {
    actions.emplace_back(Refused{{ErrorCode::bad_arguments, "no write lock is held"}});
  }
  return actions;
}

RecipeActions Acquisition::again() {
  RecipeActions actions;
  if (outstanding_ == 0 && watch_ == 0) repeat(actions);
  return actions;
}

RecipeActions Acquisition::deadline_passed() {
  RecipeActions actions;
  if (grant()) {
    lose("the session may have expired", actions);
    leave({Ended::How::lost}, actions);
  }
  return actions;
}

RecipeActions Acquisition::session_lost() {
  RecipeActions actions;
  if (phase_ == Phase::idle || phase_ == Phase::ended) return actions;
  if (leaving_) {
    end(*leaving_, actions);
  } else if (grant()) {
    lose("the session has ended", actions);
    end({Ended::How::lost}, actions);
  } else {
    end({Ended::How::failed, wire::Error{ErrorCode::session_expired, "the session has ended"}},
        actions);
  }
  return actions;
}

RecipeActions Acquisition::connection_lost() {
  RecipeActions actions;
  if (phase_ == Phase::waiting) ask_turn(actions);
  if (phase_ == Phase::holding && outstanding_ == 0) watch_node(actions);
  return actions;
}

std::optional<Grant> Acquisition::grant() const {
  const bool is_held = phase_ == Phase::holding || phase_ == Phase::downgrading ||
                       phase_ == Phase::checking_downgrade;
  if (!is_held || leaving_) return std::nullopt;
  return grant_;
}

// --- Messages ---

RecipeActions Acquisition::replied(std::uint64_t number, const Result& result) {
  RecipeActions actions;
  if (number != outstanding_ || number == 0) return actions;
  if (is_error(result, ErrorCode::session_expired)) return session_lost();
  outstanding_ = 0;
  on_result(result, actions);
  return actions;
}

void Acquisition::on_result(const Result& result, RecipeActions& actions) {
  switch (phase_) {
    case Phase::reading_limit: return on_limit(result, actions);
    case Phase::creating: return on_created(result, actions);
    case Phase::finding: return on_found(result, actions);
    case Phase::asking: return on_turn(result, actions);
    case Phase::holding: return on_watched(result, actions);
    case Phase::downgrading: return on_downgraded(result, actions);
    case Phase::checking_downgrade: return on_downgrade_checked(result, actions);
    case Phase::removing: return on_removed(result, actions);
    case Phase::idle:
    case Phase::waiting:
    case Phase::ended: return;
  }
}

// Ignores events of the node that a downgrade deletes. The reply to the downgrade says what was
// done.
RecipeActions Acquisition::received(std::uint64_t number, const wire::WatchEvent& event) {
  RecipeActions actions;
  if (number != watch_ || number == 0) return actions;
  watch_ = 0;
  const bool is_deleted = event.kind == wire::EventKind::deleted;
  if (phase_ == Phase::waiting) {
    if (event.kind == wire::EventKind::turn) {
      hold(actions);
    } else if (is_deleted) {
      end({Ended::How::failed, wire::Error{ErrorCode::no_node, grant_.path + " was deleted"}},
          actions);
    } else {
      ask_turn(actions);
    }
  } else if (phase_ == Phase::holding) {
    if (is_deleted) {
      lose("its node was deleted", actions);
      end({Ended::How::lost}, actions);
    } else {
      watch_node(actions);
    }
  }
  return actions;
}

void Acquisition::ask(wire::Request request, RecipeActions& actions,
                      std::vector<wire::Condition> conditions) {
  asked_ = outstanding_ = ++last_;
  actions.emplace_back(Ask{last_, std::move(request), std::move(conditions)});
}

// A create or a multi is sent again only once it is known that it was not carried out.
void Acquisition::repeat(RecipeActions& actions) {
  switch (phase_) {
    case Phase::reading_limit: return read_limit(actions);
    case Phase::finding: return find(actions);
    case Phase::asking: return ask_turn(actions);
    case Phase::holding: return watch_node(actions);
    case Phase::checking_downgrade: return check_downgrade(actions);
    case Phase::removing: return remove(actions);
    case Phase::idle:
    case Phase::creating:
    case Phase::waiting:
    case Phase::downgrading:
    case Phase::ended: return;
  }
}

bool Acquisition::is_to_repeat(const Result& result, RecipeActions& actions) {
  if (!is_unknown(result)) return pause_if_temporary(result, actions);
  repeat(actions);
  return true;
}

// --- The queue ---

void Acquisition::read_limit(RecipeActions& actions) {
  phase_ = Phase::reading_limit;
  wire::GetRequest request{options_.path, {}};
  if (is_limit_changing_) request.read.consistency = wire::Linearizable{};
  ask(std::move(request), actions);
}

void Acquisition::on_limit(const Result& result, RecipeActions& actions) {
  const auto* got = reply_of<wire::GetReply>(result);
  if (got == nullptr) {
    if (!is_to_repeat(result, actions)) end({Ended::How::failed, error_of(result)}, actions);
    return;
  }
  const auto limit = limit_of(got->data);
  if (!limit) {
    const std::string why = "the data of " + options_.path + " are not a valid semaphore limit";
    return end({Ended::How::failed, wire::Error{ErrorCode::bad_arguments, why}}, actions);
  }
  limit_ = *limit;
  limit_data_ = got->data;
  create(actions);
}

// A semaphore's node keeps the limit that was in force when the node was created.
void Acquisition::create(RecipeActions& actions) {
  phase_ = Phase::creating;
  wire::CreateRequest request;
  request.path = below(options_.path, options_.mark + options_.kind);
  request.data = options_.data;
  request.ephemeral = request.sequential = true;
  request.parents = !options_.is_limit_in_parent;
  request.acl = options_.acl;
  request.turn = wire::TurnOptions{limit_, options_.among};
  std::vector<wire::Condition> conditions;
  if (options_.is_limit_in_parent) {
    conditions.push_back({options_.path, {}, {}});
    conditions.back().tests.data = limit_data_;
  }
  ask(std::move(request), actions, std::move(conditions));
}

void Acquisition::on_created(const Result& result, RecipeActions& actions) {
  if (const auto* created = reply_of<wire::CreateReply>(result)) {
    grant_ = {created->path, created->stat.czxid, created->stat.czxid};
    if (leaving_) return remove(actions);
    // A create that was sent again may have no turn in its reply.
    if (!created->turn) return ask_turn(actions);
    return on_turn_told(*created->turn, asked_, actions);
  }
  if (is_unknown(result)) return find(actions);
  if (leaving_) return end(*leaving_, actions);
  if (is_error(result, ErrorCode::condition_failed)) {
    is_limit_changing_ = true;
    return read_limit(actions);
  }
  end({Ended::How::failed, error_of(result)}, actions);
}

// This reply comes after the reply to the create was lost, over the same connection or a later one.
// So if the create was carried out, this server has applied it.
void Acquisition::find(RecipeActions& actions) {
  phase_ = Phase::finding;
  ask(wire::EphemeralsRequest{below(options_.path, options_.mark)}, actions);
}

void Acquisition::on_found(const Result& result, RecipeActions& actions) {
  const auto* found = reply_of<wire::EphemeralsReply>(result);
  if (found == nullptr) {
    if (is_to_repeat(result, actions)) return;
    return end({Ended::How::failed, error_of(result)}, actions);
  }
  if (found->paths.empty()) {
    if (leaving_) return end(*leaving_, actions);
    return begin(actions);
  }
  grant_.path = found->paths.front();
  if (leaving_) return remove(actions);
  ask_turn(actions);
}

void Acquisition::ask_turn(RecipeActions& actions) {
  phase_ = Phase::asking;
  watch_ = 0;
  wire::WatchRequest request;
  request.path = grant_.path;
  request.scope = wire::WatchScope::turn;
  request.turn = {limit_, options_.among};
  ask(std::move(request), actions);
}

void Acquisition::on_turn(const Result& result, RecipeActions& actions) {
  const auto* watch = reply_of<wire::WatchReply>(result);
  if (watch != nullptr && watch->stat && watch->turn) {
    grant_.czxid = grant_.token = watch->stat->czxid;
    return on_turn_told(*watch->turn, asked_, actions);
  }
  if (is_to_repeat(result, actions)) return;
  if (is_error(result, ErrorCode::no_node)) {
    return end({Ended::How::failed, error_of(result)}, actions);
  }
  leave({Ended::How::failed, error_of(result)}, actions);
}

void Acquisition::on_turn_told(bool turn, std::uint64_t watch, RecipeActions& actions) {
  if (turn) return hold(actions);
  wait(watch, actions);
  if (options_.only_now) leave({Ended::How::not_acquired}, actions);
}

void Acquisition::wait(std::uint64_t watch, RecipeActions& actions) {
  phase_ = Phase::waiting;
  watch_ = watch;
  if (!options_.only_now) actions.emplace_back(Waiting{});
}

}  // namespace zabkeeper
