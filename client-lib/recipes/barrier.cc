#include "client-lib/recipes/barrier.h"

#include "client-lib/recipes/outcome.h"
#include "wire/ensure.h"

namespace zabkeeper {

using wire::ErrorCode;

wire::CreateRequest set_barrier(std::string path, wire::Bytes data) {
  wire::CreateRequest request;
  request.path = std::move(path);
  request.data = std::move(data);
  request.parents = true;
  return request;
}

BarrierLift lift_barrier(std::string path, wire::Zxid generation) {
  return {wire::DeleteRequest{path}, {same_node(path, generation)}};
}

BarrierActions BarrierWait::begin() {
  ensure(phase_ == Phase::idle, "a wait for a barrier begins once");
  BarrierActions actions;
  read(actions);
  return actions;
}

BarrierActions BarrierWait::connection_lost() {
  BarrierActions actions;
  if (phase_ == Phase::waiting) read(actions);
  return actions;
}

BarrierActions BarrierWait::session_lost() {
  BarrierActions actions;
  if (phase_ == Phase::reading || phase_ == Phase::waiting) read(actions);
  return actions;
}

BarrierActions BarrierWait::again() {
  BarrierActions actions;
  if (phase_ == Phase::reading && outstanding_ == 0) read(actions);
  return actions;
}

// A refused read sets no watch. A server that lags might not know that the barrier is set.
void BarrierWait::read(BarrierActions& actions) {
  phase_ = Phase::reading;
  watch_ = 0;
  has_changed_ = false;
  outstanding_ = ++last_;
  wire::GetRequest request{path_, {wire::Linearizable{}, /*watch=*/true}};
  actions.emplace_back(Ask{last_, std::move(request)});
}

BarrierActions BarrierWait::replied(std::uint64_t number,
                                    const wire::Result<wire::ReplyBody>& result,
                                    wire::Zxid /*zxid*/) {
  BarrierActions actions;
  if (number != outstanding_ || number == 0) return actions;
  outstanding_ = 0;
  if (const auto* node = reply_of<wire::GetReply>(result)) {
    if (generation_ && *generation_ != node->stat.czxid) {
      end(BarrierPassed{generation_}, actions);
      return actions;
    }
    if (!generation_) actions.emplace_back(BarrierIsSet{node->stat.czxid});
    generation_ = node->stat.czxid;
    if (has_changed_) {
      read(actions);
      return actions;
    }
    phase_ = Phase::waiting;
    watch_ = number;
  } else if (is_error(result, ErrorCode::no_node)) {
    end(BarrierPassed{generation_}, actions);
  } else if (is_unknown(result)) {
    // The next session reads.
    if (!is_error(result, ErrorCode::session_expired)) read(actions);
  } else if (result.has_error() && is_temporary(result.error().code)) {
    actions.emplace_back(Pause{});
  } else {
    end(BarrierFailed{error_of(result)}, actions);
  }
  return actions;
}

// The watch ends with its event, which may come before the reply to the read.
BarrierActions BarrierWait::received(std::uint64_t number, const wire::WatchEvent& event) {
  BarrierActions actions;
  if (number == outstanding_) has_changed_ = true;
  if (number != watch_ || number == 0) return actions;
  if (event.kind == wire::EventKind::deleted) {
    end(BarrierPassed{generation_}, actions);
  } else {
    read(actions);
  }
  return actions;
}

void BarrierWait::end(BarrierAction last, BarrierActions& actions) {
  phase_ = Phase::ended;
  watch_ = outstanding_ = 0;
  actions.push_back(std::move(last));
}

}  // namespace zabkeeper
