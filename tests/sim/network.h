#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "server/peers/peer_message.h"
#include "tests/sim/calendar.h"
#include "tests/sim/options.h"
#include "tests/sim/random.h"
#include "tests/sim/totals.h"
#include "zab/messages.h"

namespace sim {

// Connections between servers, by index. Each has two ways, on which messages keep their order;
// once it is cut, each way loses a suffix, and each end learns of it in its own time. The next
// connection may be up by then: what is late on the old one is dropped.
class Network {
 public:
  Network(std::size_t servers, const Options& options, Random& random, Calendar& calendar,
          Totals& totals);

  // Whether a server can be connected to.
  void listen(std::size_t server, bool listens) { listens_[server] = listens; }
  // The link to `other` that `self` was told is up; 0 if there is none.
  [[nodiscard]] Generation link(std::size_t self, std::size_t other) const {
    return known_[self * servers_ + other];
  }
  // Over the link of that generation; lost if there is none any more.
  void send(std::size_t from, std::size_t to, Generation generation,
            const server::PeerMessage& message);

  // --- What the calendar says happens now ---

  void connect(const Happening& happening);
  // What a server is to be told: that the link it knew is down, that one is up.
  struct News {
    bool down = false;
    bool up = false;
  };
  [[nodiscard]] News come_up(const Happening& happening);
  [[nodiscard]] News go_down(const Happening& happening);
  [[nodiscard]] std::optional<server::PeerMessage> arrive(const Happening& happening);

  // --- Misfortunes ---

  // A server is gone, and all its links.
  void lose(std::size_t server);
  void cut(std::size_t a, std::size_t b);
  // Only the connection of that generation.
  void cut(std::size_t a, std::size_t b, Generation generation);
  void block(std::size_t a, std::size_t b, Time until);
  void slow(std::size_t from, std::size_t to, Time until, Time slowness);
  // Nothing arrives until then; and then the connection is cut.
  void stall(std::size_t from, std::size_t to, Time until);
  void maybe_connect(std::size_t a, std::size_t b);
  // Everything is connected, and as fast as it should be.
  void heal();

 private:
  // One way of a connection.
  struct Way {
    std::deque<server::PeerMessage> messages;
    Time last = 0;      // when the last of them arrives
    Time deadline = 0;  // what arrives later is lost; only once the connection is cut
  };
  struct Connection {
    Generation generation = 0;  // 0: there is none
    bool cut = false;
    int ends_to_go = 0;  // that have not learned yet that it is cut
    Way ways[2];         // to the smaller index, to the greater
  };
  struct Weather {  // of one way
    Time slowed_until = 0;
    Time slowness = 0;
    Time stalled_until = 0;
  };
  struct Pair {
    Connection now;
    std::vector<Connection> earlier;  // that are cut, and not every end knows it
    bool connecting = false;
    Time blocked_until = 0;
    Weather weather[2];
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
  Calendar& calendar_;
  Totals& totals_;
  std::vector<Pair> pairs_;
  std::vector<Generation> known_;
  std::vector<bool> listens_;
};

}  // namespace sim
