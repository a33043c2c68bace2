#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "client-lib/callback.h"
#include "client-lib/lock.h"
#include "client-lib/recipes/observer.h"

// Elections of a leader among the processes of a user.
//
//   zabkeeper::LeaderElection election(client, "/services/report");
//   const zabkeeper::Hold leadership = election.candidate("http://10.0.0.7:80").acquire().value();
//   lead(leadership.stop_token());
namespace zabkeeper {

// LeaderChanged: there is another leader, or none, or the leader has another value. LeaderGap:
// leaders may be missing here. ObserverFailed: the leaders cannot be observed any more; this is the
// last event.
using LeaderEvent = std::variant<LeaderChanged, LeaderGap, ObserverFailed>;

class ObserverRun;

// Its destructor ends the observation. No callback begins after that, except on another thread.
class Observation {
 public:
  Observation() = default;
  ~Observation() { stop(); }
  Observation(Observation&&) noexcept = default;
  Observation& operator=(Observation&& other) noexcept;
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  void stop();

 private:
  friend class LeaderElection;

  explicit Observation(std::shared_ptr<ObserverRun> run) : run_(std::move(run)) {}

  std::shared_ptr<ObserverRun> run_;
};

// The client must outlive it, its candidates, and its observations. Any thread may use it.
class LeaderElection {
 public:
  LeaderElection(const AsyncCalls& client, std::string path, LockOptions options = {});

  // Campaigns with `acquire` (or async_acquire, ...) and leads while it holds. It resigns with
  // Hold::release. The value tells the observers how to reach this leader, for example.
  [[nodiscard]] Acquirable candidate(wire::Bytes value) const;
  // Gives the leader another value. ConditionFailed: it does not lead any more.
  Result<wire::SetReply> proclaim(const Hold& leadership, wire::Bytes value) const;
  // The completion signature is void(Error, wire::SetReply).
  template <typename Token>
  auto async_proclaim(const Hold& leadership, wire::Bytes value, Token&& token) const {
    return calls_.async_call_if({leadership.guard()},
                                wire::SetRequest{leadership.path(), std::move(value)},
                                std::forward<Token>(token));
  }
  // Reports the present leader, and then every leader and every value, in order. A LeaderGap stands
  // for those that are not known: see Observer. The callback runs on its associated executor,
  // without one on the client's.
  [[nodiscard]] Observation observe(Callback<LeaderEvent> on_event) const;

 private:
  AsyncCalls calls_;
  std::string path_;
  LockOptions options_;
};

}  // namespace zabkeeper
