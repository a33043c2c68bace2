#include "client-lib/leader_election.h"

#include "client-lib/block.h"
#include "client-lib/recipes/election.h"
#include "client-lib/stream_run.h"

namespace zabkeeper {

// Runs an Observer on a client. It ends with the session.
class ObserverRun final : public StreamRun<ObserverRun, LeaderEvent, ObserverFailed> {
 public:
  ObserverRun(std::shared_ptr<Core> core, std::string path, Callback<LeaderEvent> on_event)
      : StreamRun(std::move(core), std::move(on_event)), observer_(std::move(path)) {}

 private:
  friend StreamRun;

  void session_ended() override {
    if (!is_stopped()) tell(ObserverFailed{{ErrorCode::session_expired, "the session has ended"}});
    end();
  }
  template <typename Step>
  void step(const Step& make_step) {
    carry_out(make_step(observer_));
  }

  Observer observer_;
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
  return block_elsewhere<wire::SetReply>(*calls_.core(), [&](auto handler) {
    async_proclaim(leadership, std::move(value), std::move(handler));
  });
}

Observation LeaderElection::observe(Callback<LeaderEvent> on_event) const {
  const auto run = std::make_shared<ObserverRun>(calls_.core(), path_, std::move(on_event));
  run->start();
  return Observation(run);
}

}  // namespace zabkeeper
