#include "client-lib/hold.h"

#include <boost/asio/system_executor.hpp>

#include "client-lib/acquisition_run.h"
#include "client-lib/block.h"
#include "wire/ensure.h"

namespace zabkeeper {

Hold& Hold::operator=(Hold&& other) noexcept {
  if (this == &other) return *this;
  reset();
  state_ = std::move(other.state_);
  return *this;
}

Hold::operator bool() const {
  return state_ && !state_->stop.stop_requested() && std::chrono::steady_clock::now() < deadline();
}

MultiGrant Hold::grants() const {
  ensure(state_ != nullptr, "nothing was acquired");
  return state_->grant();
}

std::chrono::steady_clock::time_point Hold::deadline() const {
  ensure(state_ != nullptr, "nothing was acquired");
  return state_->run->safe_until();
}

std::stop_token Hold::stop_token() const {
  ensure(state_ != nullptr, "nothing was acquired");
  return state_->stop.get_token();
}

Hold Hold::share() const {
  if (!state_) return {};
  ++state_->handles;
  return Hold(state_);
}

void Hold::reset() {
  if (state_) release(std::exchange(state_, nullptr), {});
}

Result<wire::EmptyReply> Hold::release() {
  if (!state_) return wire::EmptyReply{};
  if (state_->run->runs_here()) return would_wait_for_itself();
  return block<wire::EmptyReply>([this](auto handler) { async_release(std::move(handler)); });
}

Result<wire::EmptyReply> Hold::downgrade() {
  if (state_ && state_->run->runs_here()) return would_wait_for_itself();
  return block<wire::EmptyReply>([this](auto handler) { async_downgrade(std::move(handler)); });
}

boost::asio::any_io_executor Hold::executor_of(const State* state) {
  if (state == nullptr) return boost::asio::system_executor();
  return state->run->executor();
}

void Hold::release(std::shared_ptr<State> state, AnyCompletion completion) {
  if (!state || --state->handles > 0) {
    if (completion) complete(std::move(completion), {wire::EmptyReply{}, {}});
    return;
  }
  state->stop.request_stop();
  RecipeRunner::post_to(*state->run,
                        [completion = std::move(completion)](AcquisitionRun& run) mutable {
                          run.release(std::move(completion));
                        });
}

void Hold::downgrade(const std::shared_ptr<State>& state, AnyCompletion completion) {
  if (!state) {
    return complete(std::move(completion),
                    {wire::Error{ErrorCode::bad_arguments, "nothing is held"}, {}});
  }
  RecipeRunner::post_to(*state->run,
                        [completion = std::move(completion)](AcquisitionRun& run) mutable {
                          run.downgrade(std::move(completion));
                        });
}

}  // namespace zabkeeper
