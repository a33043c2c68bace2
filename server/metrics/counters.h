#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <variant>

#include "server/metrics/histogram.h"
#include "wire/error.h"
#include "wire/requests.h"

// The counters of the server's parts: plain numbers on the event loop's one thread, which only GET
// /metrics reads. docs/metrics.md explains each of them.
namespace server {

using SteadyClock = std::chrono::steady_clock;

struct Traffic {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;

  void add(std::size_t frame_bytes) {
    frames += 1;
    bytes += frame_bytes;
  }
};

// For the web port's WebSockets that one thread serves. Other threads may read it.
struct ConnectionCounters {
  // Written by one thread only, so that no lock is needed.
  class Count {
   public:
    void add(std::uint64_t more) { value_.store(value_.load(relaxed) + more, relaxed); }
    operator std::uint64_t() const { return value_.load(relaxed); }

   private:
    static constexpr auto relaxed = std::memory_order_relaxed;
    std::atomic<std::uint64_t> value_ = 0;
  };
  struct Messages {
    Count frames;
    Count bytes;

    void add(std::size_t frame_bytes) {
      frames.add(1);
      bytes.add(frame_bytes);
    }
  };

  Count too_slow;
  Count too_large;
  Count silent;
  Messages in;
  Messages out;
};

// The web port.
struct PortCounters {
  std::uint64_t accepted = 0;   // connections
  std::uint64_t refused = 0;    // of them, beyond the limits
  std::uint64_t too_slow = 0;   // WebSockets that were closed because the client read too slowly
  std::uint64_t too_large = 0;  // frames that were refused for their length or their memory
  // Connections that were closed before they were of use:
  std::uint64_t silent = 0;      // WebSockets whose first message did not come in time
  std::uint64_t slow_heads = 0;  // a request of HTTP had begun, and did not come in time
  std::uint64_t displaced = 0;   // they had one of the kept places, and others needed it
  Traffic in;                    // of the WebSockets: messages, without their frames' headers
  Traffic out;

  void add(const ConnectionCounters& more);
};

// How much of the ensemble a request needs, and so how long it may take.
enum class Effort : std::uint8_t {
  local,   // this server alone
  quorum,  // a read that needs a quorum, or that waits for a zxid
  write,
};
inline constexpr std::size_t efforts = 3;

inline constexpr std::size_t operations = std::variant_size_v<wire::Request>;
// The name of the alternative at `index` of wire::Request, as in a request's "op".
[[nodiscard]] const char* operation_name(std::size_t index);

// Requests and their results.
struct RequestCounters {
  std::array<std::uint64_t, operations> by_operation{};  // by the index in wire::Request
  std::uint64_t malformed = 0;
  std::map<wire::ErrorCode, std::uint64_t> errors;  // of replies; only those that occurred
  std::array<Histogram, efforts> took;              // from its frame's arrival to its reply
  std::uint64_t pauses = 0;                         // of connections with too much outstanding
  std::uint64_t turns_waited = 0;                   // how often a client waited for a later turn
  std::uint64_t watch_events = 0;
};

// The transactions that this replica has applied.
struct ReplicaCounters {
  std::uint64_t applied = 0;
  std::uint64_t sessions_opened = 0;
  std::uint64_t sessions_moved = 0;
  std::uint64_t sessions_closed = 0;
  std::uint64_t sessions_expired = 0;
};

// Counted while this server leads.
struct LeaderCounters {
  std::uint64_t proposed = 0;
  std::uint64_t overloaded = 0;  // commands refused because the state or the held ones are full
  Histogram commit;              // from a proposal until it is applied here
};

struct DriverCounters {
  std::uint64_t turns = 0;
  std::uint64_t events = 0;
  std::uint64_t elections = 1;  // times that this server began to look for a leader, first at start
};

struct LogCounters {
  std::uint64_t writes = 0;  // each with one sync
  std::uint64_t bytes = 0;
  Histogram sync;  // a write and its sync
};

// The link to one other server.
struct LinkCounters {
  std::uint64_t established = 0;
  Traffic in;
  Traffic out;
  std::uint64_t too_large = 0;  // messages larger than a frame, which were not sent
};

// Connections to the peer port, which servers with greater ids dial.
struct PeerPortCounters {
  std::uint64_t accepted = 0;
  // Those without a link:
  std::uint64_t no_place = 0;   // closed at once: too many handshakes were under way
  std::uint64_t displaced = 0;  // closed in favour of a later one, before it had greeted
  std::uint64_t refused = 0;    // the greetings did not fit together, or did not come in time
};

}  // namespace server
