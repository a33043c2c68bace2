#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "server/pipeline/client_index.h"
#include "server/pipeline/environment.h"
#include "server/pipeline/replica.h"

namespace server {

// The clients whose reads wait for the index of a parent's children. A large index is made in
// parts, one in each turn of the event loop: see session::Service::index_turns.
class IndexWaiters {
 public:
  // All of them live as long as this does.
  IndexWaiters(ClientIndex& clients, Replica& replica, Environment& environment)
      : clients_(clients), replica_(replica), environment_(environment) {}

  // Whether the read must wait for an index, `client.index`.
  [[nodiscard]] bool awaits(Client& client, const QueuedRead& due);
  // A part of an index was made. Returns the clients whose reads wait no more, by number. The
  // caller flushes them.
  [[nodiscard]] std::vector<std::uint64_t> pop_ready();
  // The clients that wait, by number. Some may have left.
  [[nodiscard]] const std::set<std::uint64_t>& numbers() const { return waiters_; }
  // One heartbeat interval has passed: the reads that wait ask again, because there may be no room
  // for the index any more.
  void tick();

 private:
  void continue_indexing();

  ClientIndex& clients_;
  Replica& replica_;
  Environment& environment_;
  std::set<std::uint64_t> waiters_;  // clients, by number; some may have left
};

}  // namespace server
