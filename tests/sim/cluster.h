#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/calendar.h"
#include "tests/sim/checkers.h"
#include "tests/sim/checkpoint.h"
#include "tests/sim/disk.h"
#include "tests/sim/elections.h"
#include "tests/sim/network.h"
#include "tests/sim/options.h"
#include "tests/sim/random.h"
#include "tests/sim/tenant.h"
#include "tests/sim/totals.h"
#include "zab/peer.h"

namespace sim {

using Trace = std::function<void(const std::string&)>;

// An ensemble of peers, with its network, disks, clients and misfortunes, under one seed. Nothing
// in it depends on anything but the options and the seed.
class Cluster {
 public:
  // Without a `trace` nothing is put into words. Without a `tenant`, transactions mean nothing; one
  // must outlive this.
  Cluster(std::uint64_t seed, const Options& options, Trace trace = {}, Tenant* tenant = nullptr);
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

  // --- For its tenant ---

  [[nodiscard]] Time now() const { return calendar_.now(); }
  [[nodiscard]] std::size_t size() const { return servers_.size(); }
  [[nodiscard]] bool is_up(std::size_t server) const { return servers_[server].peer.has_value(); }
  // Changes with every start and crash.
  [[nodiscard]] Generation life(std::size_t server) const { return servers_[server].life; }
  [[nodiscard]] bool is_healing() const { return healing_; }
  // To the server's own peer, soon, and behind what was posted before.
  void post(std::size_t server, zab::Event event);
  // Over the link that is up now, if there is one.
  void send(std::size_t from, std::size_t to, const server::PeerMessage& message);
  // Tenant::happen(number); at a server it waits while that pauses.
  void schedule(Time time, Generation number);
  void schedule_at(std::size_t server, Time time, Generation number);
  // Becomes part of the event hash.
  void mix(std::uint64_t value);
  [[nodiscard]] bool traces() const { return trace_ != nullptr; }
  void trace(const std::string& words) const;
  Totals& counts() { return totals_; }

 private:
  // Effects that wait for the disk.
  struct Batch {
    zab::Effects effects;
    std::vector<Generation> links;  // over which each of `confirm` goes
  };
  // A snapshot on its way to a learner, as of when it was asked for.
  struct Sending {
    zab::Point at;
    wire::Bytes bytes;
    std::size_t sent = 0;
  };
  struct Server {
    zab::ServerId id;
    std::optional<zab::Peer> peer;  // none: it is down
    Generation life = 0;
    Time tick_interval = tick;
    bool paused = false;
    bool dies_in_step = false;
    std::deque<Happening> held;  // while paused
    std::deque<zab::Message> to_self;
    std::deque<zab::Event> posted;  // by the tenant
    Time last_to_self = 0;

    std::unique_ptr<Disk> disk;
    std::deque<Batch> batches;             // the first is being written
    std::vector<zab::Persist> unfinished;  // whether it is on the disk the next start will tell
    Time disk_slow_until = 0;
    Time disk_stuck_until = 0;
    bool rotten = false;   // the disk has rotted some time
    bool suspect = false;  // it has rotted, and no start has told yet what that means
    bool foreign = false;  // it has the disk of another cluster
    Time down_until = 0;

    Checkpoint state;  // what it has delivered
    // The tenant takes an image of this state; or has taken it, and the log does not hold it yet.
    std::optional<Checkpoint> imaged;
    wire::Bytes incoming;  // bytes of the snapshot that it is being sent
    std::deque<zab::Read> reads;
    Time last_read = 0;
    std::vector<Sending> sending;  // by learner
  };

  void schedule_fault(Kind kind, Every every);
  bool next(Time until);
  void handle(const Happening& happening);
  void handle_local(const Happening& happening);
  void handle_fault(Kind kind);
  void use(Kind kind);

  // cluster_steps.cc: what a server does.
  enum class Cause : std::uint8_t { event, submit, stray };
  void step(Server& server, zab::Event event, Cause cause = Cause::event);
  void carry_out(Server& server, zab::Effects effects, Cause cause);
  std::optional<Checkpoint> apply(Server& server, const zab::Effects& effects);
  void tell_tenant(Server& server, const zab::Effects& effects,
                   const std::optional<Checkpoint>& restored);
  void wait_for_disk(Server& server, zab::Effects effects);
  void write_next(Server& server);
  void written(Server& server);
  void record(Server& server, const zab::Persist& persist);
  void leave(Server& server, const zab::Envelope& envelope, Generation link);
  void begin_reading(Server& server, const std::vector<zab::Read>& reads);
  void answer(Server& server, const zab::ReadHistory& read);
  void answer(Server& server, const zab::ReadSnapshot& read);
  void take_checkpoint(Server& server, Tenant::Amount amount);
  void go_on_with_image(Server& server);
  void store_checkpoint(Server& server, const Checkpoint& state);

  // cluster_lives.cc: how it begins and ends.
  void start(Server& server);
  void crash(Server& server);
  bool recover(Server& server);
  void become_damaged(Server& server, const zab::Durable& found);

  // cluster_faults.cc
  void pause(Server& server, Time until);
  void partition();
  void harm_link(Kind kind);
  enum class Shows : std::uint8_t { at_once, some_time };
  void rot(Server& server, Shows shows);
  void wipe(Server& server);
  void lose_quorum();
  void make_foreign(Server& server);
  void send_stray();
  [[nodiscard]] bool spares(const Server& server) const;
  [[nodiscard]] bool is_sound(const Server& server) const;
  [[nodiscard]] bool all_others_founded(const Server& server) const;
  void begin_minority();

  Server& any_server();
  Time some_outage() { return random_.between(1, options_.outage_max); }
  static std::size_t index(const Server& server) { return server.id.value - 1; }
  static std::uint32_t index32(const Server& server) { return server.id.value - 1; }
  zab::Durable& image(const Server& server) { return images_[index(server)]; }
  [[nodiscard]] const zab::Durable& image(const Server& server) const {
    return images_[index(server)];
  }

  void ask_whether_it_leads(Server& server);
  void submit_somewhere();
  void submit(Server& leader);
  [[nodiscard]] bool healed();

  // Words cost more than all the rest: they are only found where somebody listens.
  template <typename Words>
  void say(const Words& words) const {
    if (trace_) trace(words());
  }

  Options options_;
  Random random_;
  Trace trace_;
  Tenant* tenant_;
  Calendar calendar_;
  Totals totals_;
  std::uint64_t event_hash_ = 0;
  bool healing_ = false;
  Time healing_since_ = 0;
  std::vector<zab::Durable> images_;  // of the disks; see Checkers
  Checkers checkers_;
  Elections elections_;
  Network network_;
  std::vector<Server> servers_;
  std::uint64_t payloads_ = 0;
  std::uint64_t tokens_ = 0;
  std::size_t progress_ = 0;          // commits when it was last looked at
  std::optional<zab::Epoch> marked_;  // the epoch in which a last transaction was submitted
};

}  // namespace sim
