#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "server/peers/peer_message.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/options.h"
#include "tests/sim/random.h"
#include "tests/sim/totals.h"
#include "zab/messages.h"

namespace sim {

// Connections between servers, given by index. Messages in one direction keep their order. When a
// connection is cut, each direction loses its last messages, and each end is informed at its own
// time. The next connection may be up by then: late messages of the old one are dropped.
class Network {
 public:
  Network(std::size_t servers, const Options& options, Random& random, EventQueue& queue,
          Totals& totals);

  // Sets whether a server accepts connections.
  void listen(std::size_t server, bool listens) { listens_[server] = listens; }
  // The link to `other` that `self` knows to be up; 0 if there is none.
  [[nodiscard]] Generation link(std::size_t self, std::size_t other) const {
    return known_[self * servers_ + other];
  }
  // Sends a message over the link of that generation. The message is lost if the link is down.
  void send(std::size_t from, std::size_t to, Generation generation,
            const server::PeerMessage& message);

  // --- Scheduled events ---

  // `greet`: whether the two servers link when they meet.
  void connect(const ScheduledEvent& scheduled, const std::function<bool()>& greet);
  // Events for a server: the link that it knew is down; a link is up.
  struct LinkChange {
    bool down = false;
    bool up = false;
  };
  [[nodiscard]] LinkChange handle_up(const ScheduledEvent& scheduled);
  [[nodiscard]] LinkChange handle_down(const ScheduledEvent& scheduled);
  [[nodiscard]] std::optional<server::PeerMessage> receive(const ScheduledEvent& scheduled);

  // --- Faults ---

  // Cuts all links of a server that crashed.
  void disconnect_all(std::size_t server);
  void cut(std::size_t a, std::size_t b);
  // Cuts only the connection of that generation.
  void cut(std::size_t a, std::size_t b, Generation generation);
  void block(std::size_t a, std::size_t b, Time until);
  void slow(std::size_t from, std::size_t to, Time until, Time slowness);
  // Delays all messages until then, and then cuts the connection.
  void stall(std::size_t from, std::size_t to, Time until);
  void maybe_connect(std::size_t a, std::size_t b);
  // Ends all faults and connects all servers.
  void heal();

 private:
  // One direction of a connection.
  struct Direction {
    std::deque<server::PeerMessage> messages;
    Time last = 0;      // when the last message arrives
    Time deadline = 0;  // of a connection that is cut: later messages are lost
  };
  struct Connection {
    Generation generation = 0;  // 0: there is none
    bool cut = false;
    int ends_not_informed = 0;  // of a connection that is cut
    Direction directions[2];    // to the smaller index, to the greater
  };
  struct Faults {  // of one direction
    Time slowed_until = 0;
    Time slowness = 0;
    Time stalled_until = 0;
  };
  struct Pair {
    Connection now;
    std::vector<Connection> earlier;  // cut, and an end is not informed yet
    bool connecting = false;
    Time blocked_until = 0;
    Faults faults[2];
  };

  [[nodiscard]] static std::size_t side(std::size_t from, std::size_t to) {
    return to > from ? 1 : 0;
  }
  Pair& pair(std::size_t a, std::size_t b) {
    return pairs_[a < b ? a * servers_ + b : b * servers_ + a];
  }
  Generation& known(std::size_t self, std::size_t other) { return known_[self * servers_ + other]; }
  [[nodiscard]] static Connection* find(Pair& pair, Generation generation);
  Time delay() { return random_.between(1, options_.link_delay_max); }

  std::size_t servers_;
  const Options& options_;
  Random& random_;
  EventQueue& queue_;
  Totals& totals_;
  std::vector<Pair> pairs_;
  std::vector<Generation> known_;
  std::vector<bool> listens_;
};

}  // namespace sim
