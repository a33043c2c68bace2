#pragma once

#include <cstddef>
#include <memory>

#include "server/peers/peer_message.h"
#include "tests/sim/checkpoint.h"
#include "tests/sim/event_queue.h"
#include "wire/bytes.h"
#include "zab/effects.h"

namespace sim {

// The application that runs on the servers of a cluster. It gets the calls that the real driver
// makes. Servers are given by index.
class Application {
 public:
  virtual ~Application() = default;

  // A server starts with the state of a checkpoint.
  virtual void start(std::size_t server, const Checkpoint& from) = 0;
  virtual void crash(std::size_t server) = 0;
  // Whether a server's program can read a snapshot. If not, its process ends.
  [[nodiscard]] virtual bool can_read(std::size_t server, const Checkpoint& snapshot) = 0;
  // A server adopts a snapshot.
  virtual void restore(std::size_t server, const Checkpoint& snapshot) = 0;
  // An image for a checkpoint, as of its beginning. It is collected in parts, and transactions may
  // be delivered in between. `collect_image` returns null until the image is complete.
  virtual void begin_image(std::size_t server) = 0;
  enum class Amount : std::uint8_t { part, all };
  virtual std::shared_ptr<const wire::Bytes> collect_image(std::size_t server, Amount amount) = 0;
  [[nodiscard]] virtual bool can_take_checkpoint(std::size_t server) = 0;
  // Two servers greet each other. Returns whether they link.
  virtual bool greet(std::size_t a, std::size_t b) = 0;
  virtual void heartbeat(std::size_t server) = 0;

  // The effects of the protocol, in the order in which a driver carries them out.
  virtual void deliver(std::size_t server, const zab::Txn& txn) = 0;
  virtual void confirmed(std::size_t server, const zab::Confirmed& confirmed) = 0;
  virtual void role_changed(std::size_t server, const zab::RoleStatus& role_status) = 0;
  virtual void received(std::size_t server, zab::ServerId from,
                        const server::PeerMessage& message) = 0;

  // Runs the event that the application scheduled under this number.
  virtual void run_scheduled(Generation number) = 0;

  // No faults from now on.
  virtual void heal() = 0;
  // Whether the application has finished everything that it began.
  [[nodiscard]] virtual bool is_finished() = 0;
};

}  // namespace sim
