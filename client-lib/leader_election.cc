#include "client-lib/leader_election.h"

#include <atomic>
#include <cstdint>

#include "client-lib/block.h"
#include "client-lib/recipe_runner.h"
#include "client-lib/recipes/election.h"

namespace zabkeeper {

// Runs an Observer on a client. After the end of a session it begins anew in the next one, if the
// client opens one.
class ObserverRun final : public RecipeRunner {
 public:
  ObserverRun(std::shared_ptr<Core> core, std::string path, Callback<LeaderEvent> on_event)
      : RecipeRunner(std::move(core)), observer_(std::move(path)), on_event_(std::move(on_event)) {}

  void start() {
    post_to(*this, [](ObserverRun& run) {
      run.listen();
      run.carry_out(run.observer_.begin());
    });
  }
  // Any thread may call it.
  void stop() {
    is_stopped_ = true;
    post_to(*this, [](ObserverRun& run) { run.end(); });
  }

 private:
  void session_ended() override {
    if (!is_stopped_) tell(ObserverFailed{{ErrorCode::session_expired, "the session has ended"}});
    end();
  }
  void replied(std::uint64_t number, AnyReply&& reply) override {
    carry_out(observer_.replied(number, reply.result, reply.zxid));
  }
  void received(std::uint64_t number, const wire::WatchEvent& event) override {
    carry_out(observer_.received(number, event));
  }
  void lost_watch() override { carry_out(observer_.connection_lost()); }
  void resumed() override { carry_out(observer_.again()); }

  void carry_out(ObserverActions actions) {
    for (ObserverAction& action : actions) {
      if (is_stopped_) return;
      if (auto* question = std::get_if<Ask>(&action)) {
        ask(std::move(*question));
      } else if (std::holds_alternative<Pause>(action)) {
        pause();
      } else if (auto* changed = std::get_if<LeaderChanged>(&action)) {
        tell(std::move(*changed));
      } else if (std::holds_alternative<LeaderGap>(action)) {
        tell(LeaderGap{});
      } else if (auto* failed = std::get_if<ObserverFailed>(&action)) {
        tell(std::move(*failed));
        end();
      }
    }
  }
  void tell(LeaderEvent event) {
    on_event_.post(core()->executor(), std::move(event),
                   [self = shared_from_this(), this] { return !is_stopped_; });
  }
  void end() {
    unwatch();
    finish();
  }

  Observer observer_;
  Callback<LeaderEvent> on_event_;
  std::atomic<bool> is_stopped_ = false;
};

Observation& Observation::operator=(Observation&& other) noexcept {
  if (this == &other) return *this;
  stop();
  run_ = std::move(other.run_);
  return *this;
}

void Observation::stop() {
  if (run_) std::exchange(run_, nullptr)->stop();
}

LeaderElection::LeaderElection(const AsyncCalls& client, std::string path, LockOptions options)
    : calls_(client), path_(std::move(path)), options_(std::move(options)) {}

Acquirable LeaderElection::candidate(wire::Bytes value) const {
  return {calls_,
          [path = path_, value = std::move(value), acl = options_.acl](std::string_view id) {
            QueueOptions queue = election_queue(path, id, value);
            queue.acl = acl;
            return queue;
          }};
}

Result<wire::SetReply> LeaderElection::proclaim(const Hold& leadership, wire::Bytes value) const {
  if (calls_.core()->runs_here()) return would_wait_for_itself();
  return block<wire::SetReply>(
      [&](auto handler) { async_proclaim(leadership, std::move(value), std::move(handler)); });
}

Observation LeaderElection::observe(Callback<LeaderEvent> on_event) const {
  const auto run = std::make_shared<ObserverRun>(calls_.core(), path_, std::move(on_event));
  run->start();
  return Observation(run);
}

}  // namespace zabkeeper
