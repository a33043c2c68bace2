#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/checkpoint.h"
#include "tests/sim/disk.h"
#include "tests/sim/elections.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/network.h"
#include "tests/sim/options.h"
#include "tests/sim/random.h"
#include "tests/sim/totals.h"
#include "zab/peer.h"

namespace sim {

using Trace = std::function<void(const std::string&)>;

// An ensemble of peers with its network, disks, clients and faults. A run depends only on the
// options and the seed.
class Cluster {
 public:
  // Without a `trace` no transcript is made. Without an `application` transactions have no meaning.
  // The application must outlive this object.
  Cluster(std::uint64_t seed, const Options& options, Trace trace = {},
          Application* application = nullptr);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Runs with faults for the options' duration. Throws Violation.
  void run();
  // Runs without faults: all servers are started and connected. Throws a Violation of `liveness` if
  // they do not have the same history within `ticks`.
  void heal(std::uint64_t ticks);

  [[nodiscard]] Totals totals() const;
  // A hash of all events so far, in order.
  [[nodiscard]] std::uint64_t event_hash() const { return event_hash_; }

  // --- For its application: cluster_application.cc ---

  [[nodiscard]] Time now() const { return queue_.now(); }
  [[nodiscard]] std::size_t size() const { return servers_.size(); }
  [[nodiscard]] bool is_up(std::size_t server) const { return servers_[server].peer.has_value(); }
  // Changes with every start and crash.
  [[nodiscard]] Generation incarnation(std::size_t server) const {
    return servers_[server].incarnation;
  }
  [[nodiscard]] bool is_healing() const { return healing_; }
  // Posts an event to the server's peer. It is handled soon, after the events posted before.
  void post(std::size_t server, zab::Event event);
  // Sends a message over the link that is up now; no effect if there is none.
  void send(std::size_t from, std::size_t to, const server::PeerMessage& message);
  // Whether `self` has a link with `other`, as far as it knows.
  [[nodiscard]] bool is_linked(std::size_t self, std::size_t other) const;
  void cut_link(std::size_t a, std::size_t b);
  // Stops a server. It starts again later. Not to be called within a step of a server.
  void restart(std::size_t server);
  // Schedules Application::run_scheduled(number). At a server, it waits while the server is paused.
  void schedule(Time time, Generation number);
  void schedule_at(std::size_t server, Time time, Generation number);
  // Adds a value to the event hash.
  void mix(std::uint64_t value);
  [[nodiscard]] bool traces() const { return trace_ != nullptr; }
  // Adds a line to the transcript, with the time before it. Precondition: traces().
  void trace(const std::string& line) const;
  Totals& counts() { return totals_; }

 private:
  // Effects that wait for the disk.
  struct Batch {
    zab::Effects effects;
    std::vector<Generation> links;  // the link of each message in `confirm`
  };
  // A snapshot that is being sent to a learner, as of the first read.
  struct Sending {
    zab::Point at;
    wire::Bytes bytes;
    std::size_t sent = 0;
  };
  struct Server {
    zab::ServerId id;
    std::optional<zab::Peer> peer;  // none: it is down
    Generation incarnation = 0;
    Time tick_interval = tick;
    bool paused = false;
    bool crashes_in_step = false;
    std::deque<ScheduledEvent> held;  // while paused
    std::deque<zab::Message> to_self;
    std::deque<zab::Event> posted;  // by the application
    Time last_to_self = 0;

    std::unique_ptr<Disk> disk;
    std::deque<Batch> batches;             // the first one is being written
    std::vector<zab::Persist> unfinished;  // at the last crash; may or may not be on the disk
    Time disk_slow_until = 0;
    Time disk_stuck_until = 0;
    bool rotten = false;   // the disk has been corrupted at some time
    bool suspect = false;  // the disk has been corrupted, and was not opened since
    bool foreign = false;  // it has the disk of another cluster
    Time down_until = 0;

    Checkpoint state;  // after all txns that it has delivered
    // The state of the application's current image. A complete image waits here until the log has
    // all of it.
    std::optional<Checkpoint> image_in_progress;
    wire::Bytes incoming;  // bytes received of a snapshot
    std::deque<zab::Read> reads;
    Time last_read = 0;
    std::vector<Sending> sending;  // by learner
  };

  void schedule_fault(Kind kind, Every every);
  bool next(Time until);
  void handle(const ScheduledEvent& scheduled);
  void handle_local(const ScheduledEvent& scheduled);
  void handle_fault(Kind kind);
  void run_user_action(Kind kind);

  // cluster_steps.cc: the steps of a server.
  enum class Cause : std::uint8_t { event, submit, stray };
  void step(Server& server, zab::Event event, Cause cause = Cause::event);
  void carry_out(Server& server, zab::Effects effects, Cause cause);
  [[nodiscard]] bool can_read_snapshot(const Server& server, const zab::Effects& effects);
  std::optional<Checkpoint> apply(Server& server, const zab::Effects& effects);
  void pass_to_application(Server& server, const zab::Effects& effects,
                           const std::optional<Checkpoint>& restored);
  void wait_for_disk(Server& server, zab::Effects effects);
  void write_next(Server& server);
  void written(Server& server);
  void record(Server& server, const zab::Persist& persist);
  void send_envelope(Server& server, const zab::Envelope& envelope, Generation link);
  void begin_reading(Server& server, const std::vector<zab::Read>& reads);
  void answer(Server& server, const zab::ReadHistory& read);
  void answer(Server& server, const zab::ReadSnapshot& read);
  void take_checkpoint(Server& server, Application::Amount amount);
  void continue_image(Server& server);
  void store_checkpoint(Server& server, const Checkpoint& state);

  // cluster_restarts.cc: starts and crashes of a server.
  void start(Server& server);
  void crash(Server& server);
  bool recover(Server& server);
  void become_damaged(Server& server, const zab::Durable& found);

  // cluster_faults.cc: faults.
  void pause(Server& server, Time until);
  void partition();
  void harm_link(Kind kind);
  enum class Discovery : std::uint8_t { at_once, later };
  void rot(Server& server, Discovery shows);
  void wipe(Server& server);
  void lose_quorum();
  void make_foreign(Server& server);
  void send_stray();
  [[nodiscard]] bool may_lose_disk(const Server& server) const;
  [[nodiscard]] bool is_sound(const Server& server) const;
  [[nodiscard]] bool all_others_founded(const Server& server) const;
  void begin_minority();

  Server& any_server();
  Time some_outage() { return random_.between(1, options_.outage_max); }
  static std::size_t index(const Server& server) { return server.id.value - 1; }
  static std::uint32_t index32(const Server& server) { return server.id.value - 1; }
  zab::Durable& durable(const Server& server) { return durables_[index(server)]; }
  [[nodiscard]] const zab::Durable& durable(const Server& server) const {
    return durables_[index(server)];
  }

  void request_confirmation(Server& server);
  void submit_somewhere();
  void submit(Server& leader);
  [[nodiscard]] bool healed();

  // Making text is expensive: `make_line` is only called if there is a transcript.
  template <std::invocable MakeLine>
  void trace(const MakeLine& make_line) const {
    if (trace_) trace(make_line());
  }

  Options options_;
  Random random_;
  Trace trace_;
  Application* application_;
  EventQueue queue_;
  Totals totals_;
  std::uint64_t event_hash_ = 0;
  bool healing_ = false;
  Time healing_since_ = 0;
  std::vector<zab::Durable> durables_;  // the durable state of each server; see Checkers
  Checkers checkers_;
  Elections elections_;
  Network network_;
  std::vector<Server> servers_;
  std::uint64_t payloads_ = 0;
  std::uint64_t tokens_ = 0;
  std::size_t progress_ = 0;          // commits at the last check_progress
  std::optional<zab::Epoch> marked_;  // the epoch in which the final transaction was submitted
};

}  // namespace sim
