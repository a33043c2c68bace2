#pragma once

#include <cstddef>
#include <memory>

#include "server/peers/peer_message.h"
#include "tests/sim/calendar.h"
#include "tests/sim/checkpoint.h"
#include "wire/bytes.h"
#include "zab/effects.h"

namespace sim {

// What lives on the servers of a cluster, as the real driver's handlers do. Servers are indices.
class Tenant {
 public:
  virtual ~Tenant() = default;

  // A server begins with what a checkpoint holds; it ends.
  virtual void start(std::size_t server, const Checkpoint& from) = 0;
  virtual void crash(std::size_t server) = 0;
  // A server takes over a snapshot.
  virtual void restore(std::size_t server, const Checkpoint& snapshot) = 0;
  // An image for a checkpoint: as of when it is begun, and collected in parts, while transactions
  // are delivered in between. Null until it is whole.
  virtual void begin_image(std::size_t server) = 0;
  enum class Amount : std::uint8_t { part, all };
  virtual std::shared_ptr<const wire::Bytes> collect_image(std::size_t server, Amount amount) = 0;
  virtual void heartbeat(std::size_t server) = 0;

  // What comes of the protocol, in the order of a driver's carrying out.
  virtual void deliver(std::size_t server, const zab::Txn& txn) = 0;
  virtual void confirmed(std::size_t server, const zab::Confirmed& confirmed) = 0;
  virtual void role_changed(std::size_t server, const zab::RoleStatus& role_status) = 0;
  virtual void received(std::size_t server, zab::ServerId from,
                        const server::PeerMessage& message) = 0;

  // What it has put into the calendar itself, under this number.
  virtual void happen(Generation number) = 0;

  // Everything heals from now on; and whether it is done with all that it began.
  virtual void heal() = 0;
  [[nodiscard]] virtual bool settled() = 0;
};

}  // namespace sim
