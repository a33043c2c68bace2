#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "server/metrics/counters.h"
#include "server/pipeline/client.h"
#include "session/service.h"
#include "zab/messages.h"

namespace server {

// Why this server applies nothing any more. Most likely a newer program wrote this transaction.
struct Halt {
  wire::Zxid zxid;
  std::string why;   // a part of a sentence
  std::string help;  // what an operator can do, a sentence
};

// Owns this server's copy of the replicated state.
class Replica {
 public:
  Replica(const session::Service::Options& options, wire::LevelRange levels)
      : service_(options, levels) {}

  // Continues from the state that a checkpoint or a snapshot holds, as session::Service::become.
  void become(session::Service&& restored) {
    service_.become(std::move(restored));
    halt_.reset();
  }

  // A committed transaction, in zxid order. None if this program cannot apply it, or could not
  // apply one before it: see `halt`.
  std::optional<session::Applied> apply(const zab::Txn& txn, session::BuildReply build,
                                        const session::EventSink& sink);
  // Set from the first transaction on that could not be applied.
  [[nodiscard]] const std::optional<Halt>& halt() const { return halt_; }

  // Performs a read of this session. Fails as session::Service::read does.
  [[nodiscard]] wire::Result<session::Answer> read(wire::SessionId session, const QueuedRead& read);

  // What the read waits for: see session::Service::awaited_index.
  [[nodiscard]] std::shared_ptr<const bool> awaited_index(wire::SessionId session,
                                                          const QueuedRead& read) {
    const auto* list = std::get_if<wire::ChildrenRequest>(&read.request.request);
    if (list == nullptr || list->order != wire::ChildOrder::sequence || halt_) return nullptr;
    return service_.awaited_index({session, read.identities}, read.request.request);
  }

  [[nodiscard]] session::Watches& watches() { return service_.watches(); }

  [[nodiscard]] wire::Zxid applied() const { return service_.applied(); }
  [[nodiscard]] const session::SessionTable& sessions() const { return service_.sessions(); }
  [[nodiscard]] const session::Service& service() const { return service_; }
  // For the leader's plans, and for images (checkpoints).
  [[nodiscard]] session::Service& service() { return service_; }
  [[nodiscard]] const ReplicaCounters& counters() const { return counters_; }

 private:
  session::Service service_;
  std::optional<Halt> halt_;
  ReplicaCounters counters_;
};

}  // namespace server
