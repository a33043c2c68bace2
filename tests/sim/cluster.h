#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "tests/sim/checkers.h"
#include "tests/sim/disk.h"
#include "tests/sim/options.h"
#include "tests/sim/random.h"
#include "zab/peer.h"

namespace sim {

// What one seed did.
struct Totals {
  std::uint64_t steps = 0;      // of peers
  std::uint64_t elections = 0;  // epochs established
  std::uint64_t crashes = 0;
  std::uint64_t commits = 0;
  Time time = 0;
  Time healing = 0;  // from the end of all faults until everybody had everything

  Totals& operator+=(const Totals& other);
};

using Trace = std::function<void(const std::string&)>;

// An ensemble of peers, with its network, disks, clients and misfortunes, under one seed. Nothing
// in it depends on anything but the options and the seed.
class Cluster {
 public:
  // Without a `trace` nothing is put into words.
  Cluster(std::uint64_t seed, const Options& options, Trace trace = {});
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Faults for the options' duration. Throws Violation.
  void run();
  // No faults any more: everybody is started, connected, and comes to the same history within
  // `ticks`, or it is a violation of `liveness`.
  void heal(std::uint64_t ticks);

  [[nodiscard]] Totals totals() const;
  // Of everything that happened, in order.
  [[nodiscard]] std::uint64_t event_hash() const { return event_hash_; }

 private:
  using Generation = std::uint64_t;  // of a link, or of a server's life; 0 is none

  enum class Kind : std::uint8_t {
    heartbeat,
    deliver,       // the next message of a link
    deliver_self,  // the next message of a server to itself
    up,
    down,
    connect,
    written,
    restart,
    resume,
    submit,
    confirm_leadership,
    crash,
    crash_in_step,
    crash_all,
    pause,
    partition,
    cut,
    slow_link,
    slow_disk,
    look,  // whether healing is complete
  };

  struct Happening {
    Time time = 0;
    std::uint64_t sequence = 0;
    Kind kind = Kind::look;
    std::uint32_t server = 0;  // index; where it happens
    std::uint32_t other = 0;   // index; of the other end
    Generation generation = 0;

    bool operator>(const Happening& that) const {
      return time != that.time ? time > that.time : sequence > that.sequence;
    }
  };

  // One way of a connection.
  struct Way {
    std::deque<zab::Message> messages;
    Time last = 0;      // when the last of them arrives
    Time deadline = 0;  // what arrives later is lost; only once the connection is cut
    Time slowed_until = 0;
    Time slowness = 0;
  };
  struct Connection {
    Generation generation = 0;  // 0: there is none
    bool cut = false;
    int ends_to_go = 0;  // that have not learned yet that it is cut
    bool connecting = false;
    Time blocked_until = 0;
    Way ways[2];  // to the smaller id, to the greater
  };

  // Effects that wait for the disk.
  struct Batch {
    zab::Effects effects;
    std::vector<Generation> links;  // over which each of `confirm` goes
  };
  struct Server {
    zab::ServerId id;
    std::optional<zab::Peer> peer;  // none: it is down
    Generation life = 0;
    Time tick_interval = tick;
    bool paused = false;
    bool dies_in_step = false;
    std::deque<Happening> held;  // while paused
    std::vector<Generation> up;  // what it knows of its links
    std::deque<zab::Message> to_self;
    Time last_to_self = 0;
    std::deque<Batch> batches;  // the first is being written
    std::unique_ptr<Disk> disk;
    Time disk_slow_until = 0;
  };

  void schedule(Time time, Happening happening);
  void schedule_fault(Kind kind, Every every);
  bool next(Time until);
  void handle(const Happening& happening);
  void handle_local(const Happening& happening);
  void handle_fault(Kind kind);

  void step(Server& server, zab::Event event);
  void carry_out(Server& server, zab::Effects effects, bool submitted);
  void wait_for_disk(Server& server, zab::Effects effects);
  void write_next(Server& server);
  void written(Server& server);
  void record(Server& server, const zab::Persist& persist);
  void leave(Server& server, const zab::Envelope& envelope, Generation link);

  void start(Server& server);
  void crash(Server& server);
  void cut(std::size_t a, std::size_t b);
  void maybe_connect(std::size_t a, std::size_t b);
  Connection& connection(std::size_t a, std::size_t b);
  Way& way(std::size_t from, std::size_t to);
  Server& any_server();
  Time some_outage() { return random_.between(1, options_.outage_max); }
  Time link_delay() { return random_.between(1, options_.link_delay_max); }

  void submit_somewhere();
  void submit(Server& leader);
  [[nodiscard]] bool healed();

  // Words cost more than all the rest: they are only found where somebody listens.
  template <typename Words>
  void say(const Words& words) const {
    if (trace_) trace(words());
  }
  void trace(const std::string& words) const;
  void mix(std::uint64_t value);

  Options options_;
  Random random_;
  Trace trace_;
  Time now_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t event_hash_ = 0;
  bool healing_ = false;
  Time healing_since_ = 0;
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> queue_;
  std::vector<zab::Durable> images_;  // of the disks; see Checkers
  Checkers checkers_;
  std::vector<Server> servers_;
  std::vector<Connection> connections_;  // by pair
  Generation generations_ = 0;
  std::uint64_t payloads_ = 0;
  std::uint64_t tokens_ = 0;
  std::optional<zab::Epoch> marked_;  // the epoch in which a last transaction was submitted
  Totals totals_;
};

}  // namespace sim
