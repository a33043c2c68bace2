#include "server/server.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>
#include <variant>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "server/admin/commands.h"
#include "server/admin/pages.h"
#include "server/auth/session_password.h"
#include "server/checkpoints/checkpointer.h"
#include "server/checkpoints/incoming_snapshot.h"
#include "server/clients/listener.h"
#include "server/metrics/disk.h"
#include "server/metrics/page.h"
#include "server/peers/links.h"
#include "server/pipeline/pipeline.h"
#include "server/replication/driver.h"
#include "server/replication/handover.h"
#include "server/replication/log_writer.h"
#include "server/startup/data_directory.h"
#include "server/startup/recovered_state.h"
#include "server/storage/files/posix_file_system.h"
#include "server/storage/log.h"
#include "server/version.h"

namespace server {
namespace {

// A sync that failed says nothing about what is on the disk, and nothing that was promised can be
// kept. Another try could succeed without having written anything, so there is none.
[[noreturn]] void end_for(const wire::Error& error) {
  spdlog::critical(
      "the log cannot be written: {}. The server stops, for it can promise nothing any "
      "more; check the disk, then start it again",
      error.message);
  spdlog::default_logger()->flush();  // the event loop may be speaking, too
  std::_Exit(exit_disk);
}

zab::Ensemble ensemble_of(const Config& config) {
  std::vector<zab::Member> members;
  for (const ServerLine& line : config.servers) {
    members.push_back({zab::ServerId{line.id}, line.observer, line.weight, line.group});
  }
  if (members.empty()) members.push_back({zab::ServerId{config.id}});
  return zab::Ensemble(std::move(members));
}

constexpr auto farewell = "the server shuts down";
constexpr Milliseconds answers_patience{1000};     // of clients' requests, when it stops
constexpr Milliseconds retirement_patience{1000};  // of who wants to stop
constexpr Milliseconds handover_patience{10'000};  // of an operator
constexpr Milliseconds clock_tolerance{10'000};    // between the machines of an ensemble

zab::PeerLimits limits(const Config& config) {
  zab::PeerLimits limits;
  limits.init_limit = config.init_limit_heartbeats;
  limits.sync_limit = config.sync_limit_heartbeats;
  limits.history_bytes = config.history_bytes;
  return limits;
}

session::Watches::Bounds watch_bounds(const Config& config) { return {config.max_watches, {}}; }

class RealServer : public Server, private Environment {
 public:
  RealServer(boost::asio::io_context& io, Config config, RecoveredState found)
      : io_(io),
        config_(std::move(config)),
        lock_(std::move(found.lock)),
        pipeline_(config_, random_number(), *this),
        checkpoint_(checkpoint_path(config_.data_dir.string())),
        incoming_(checkpoint_, zab::ServerId{config_.id}, watch_bounds(config_),
                  [this](std::unique_ptr<session::Service> service, zab::Point at) {
                    boost::asio::post(io_,
                                      [this, at, loaded = std::shared_ptr(std::move(service))] {
                                        driver_.restored(std::move(*loaded), at);
                                      });
                  }),
        log_(io, std::move(found.log.log), incoming_, end_for),
        checkpointer_(io, checkpoint_, pipeline_.replica().service(),
                      {[this](auto done) { log_.write({}, std::move(done)); },
                       [this](auto at, auto keep_bytes) { log_.purge(at, keep_bytes); }},
                      {zab::ServerId{config_.id}, config_.checkpoint_txns, config_.log_keep_bytes},
                      found.checkpoint),
        links_(io,
               {zab::ServerId{config_.id}, config_.servers, config_.heartbeat,
                config_.sync_limit_heartbeats, Milliseconds{1000}},
               callbacks_of(driver_)),
        driver_(io,
                zab::Peer(zab::ServerId{config_.id}, ensemble_of(config_), limits(config_),
                          std::move(found.log.recovered),
                          zab::ClusterId{random_number(), random_number()}),
                links_, log_, checkpointer_, pipeline_,
                [this](const zab::RoleStatus& status) { handover_.role_changed(status); }),
        handover_(io, driver_),
        listener_(io, config_, pipeline_, http_handlers()),
        heartbeat_(io),
        farewell_(io) {
    pipeline_.replica().become(std::move(*found.service));
    // Whoever lacks what cannot be read gets the checkpoint. From there on it needs the log again:
    // if not now then soon there is one that lies behind the damage.
    log_.when_unreadable([this] { checkpointer_.take([](const wire::Result<void>&) {}); });
    commands_.add("handover", {"to"}, [this](const auto& arguments, AdminCommands::Done done) {
      hand_over(arguments, std::move(done));
    });
    commands_.add("checkpoint", {}, [this](const auto&, AdminCommands::Done done) {
      take_checkpoint(std::move(done));
    });
  }

  wire::Result<void> begin() {
    if (const auto problem = listener_.start()) {
      return wire::Error{wire::ErrorCode::system_error, *problem};
    }
    // A port that was left to the system is known only now.
    if (config_.servers.empty() && config_.web.port == 0) {
      config_.advertised = {web_url({config_.web.host, listener_.bound().port})};
    }
    if (!config_.servers.empty()) {
      if (const auto started = links_.start(); !started) return started.error();
    }
    driver_.start();
    tick();
    return {};
  }

  void retire(std::function<void()> done) override {
    if (config_.servers.size() < 2 || pipeline_.role_status().role != zab::Role::leading) {
      return wind_up(std::move(done));
    }
    handover_.begin({}, retirement_patience, [this, done = std::move(done)](auto) mutable {
      // This server may be one of the quorum that the new leader has: the others come to it too.
      farewell_.expires_after(std::min(2 * config_.heartbeat, Milliseconds{500}));
      farewell_.async_wait(
          [this, done = std::move(done)](const auto&) mutable { wind_up(std::move(done)); });
    });
  }

  void stop() override {
    stopping_ = true;
    heartbeat_.cancel();
    listener_.stop();
    pipeline_.redirect_clients(farewell);
    links_.stop();
    // So that the next start has nothing to replay.
    checkpointer_.take([](const wire::Result<void>&) {});
  }

  Address web() const override { return listener_.bound(); }

  Status status() const override {
    const zab::State& state = driver_.peer().state();
    const zab::RoleStatus& role_status = pipeline_.role_status();
    const session::Service& service = pipeline_.service();
    Status status;
    status.id = config_.id;
    status.role = client_role(config_, role_status.role);
    status.serving = role_status.serving;
    status.leader = role_status.leader.value;
    status.epoch = state.durable.current_epoch;
    status.zxid = service.applied();
    for (const ServerLine& line : config_.servers) {
      if (line.id == config_.id) continue;
      status.peers.push_back({line.id, to_string(line.peer),
                              state.links.contains(zab::ServerId{line.id}), line.observer});
    }
    status.sessions = service.sessions().size();
    status.connections = pipeline_.connections();
    status.nodes = service.tree().size();
    status.watches = service.watches().size();
    const auto behind = state.durable.history.after(service.applied());
    status.lag = static_cast<std::uint64_t>(state.durable.history.end() - behind);
    status.data_dir = config_.data_dir.string();
    const DiskReadings disk = read_disk(config_.log_dir);
    status.checkpoint = checkpointer_.report();
    status.log_bytes = disk.log_bytes;
    status.log_segments = disk.log_segments;
    status.disk_free_bytes = disk.free_bytes;
    status.disk_size_bytes = disk.size_bytes;
    status.damaged = state.durable.damaged.has_value();
    if (state.durable.founded) status.cluster = to_string(state.durable.cluster);
    if (!role_status.serving) {
      status.why_not_serving = status.damaged
                                   ? "the log is damaged, and no leader is there to mend it from"
                                   : "no leader is followed";
    }
    status.version = version;
    return status;
  }

 private:
  HttpHandlers http_handlers() {
    return {[this](std::string_view method, std::string_view target) {
              return page(
                  method, target,
                  {[this] { return status(); }, [this] { return metrics_page(readings()); }});
            },
            [this](std::string_view target, AdminCommands::Done done) {
              commands_.run(target, std::move(done));
            }};
  }

  void post(zab::Event event) override { driver_.post(std::move(event)); }
  void send(zab::ServerId to, const PeerMessage& message) override { links_.send(to, message); }
  wire::TimeMs wall_clock() override {
    return std::chrono::duration_cast<Milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  SteadyClock::time_point now() override { return SteadyClock::now(); }
  std::string new_password() override { return server::new_password(); }

  // POST /admin/handover, with `to` the id of the server that is to lead, or any that can.
  void take_checkpoint(AdminCommands::Done done) {
    checkpointer_.take([this, done = std::move(done)](const wire::Result<void>& taken) {
      if (!taken) return done(error_answer(503, "NotDone", taken.error().message));
      const CheckpointReport& report = checkpointer_.report();
      done(json_answer(200, {{"zxid", wire::to_hex(report.at)}, {"bytes", report.bytes}}));
    });
  }

  void hand_over(const AdminCommands::Arguments& arguments, AdminCommands::Done done) {
    const auto to = arguments.find("to");
    const auto wanted =
        successor(to == arguments.end() ? "" : to->second, config_.servers, driver_.peer());
    if (!wanted) return done(error_answer(409, "NotPossible", wanted.error().message));
    spdlog::info("an operator hands the lead over to {}",
                 wanted->nobody() ? "whoever is level" : "server " + zab::to_string(*wanted));
    handover_.begin(*wanted, handover_patience, [this, done = std::move(done)](auto outcome) {
      const zab::RoleStatus& role_status = pipeline_.role_status();
      switch (outcome) {
        case Handover::Outcome::done:
          return done(json_answer(
              200, {{"leader", role_status.leader.value}, {"epoch", role_status.epoch.value}}));
        case Handover::Outcome::refused:
          return done(error_answer(503, "NotDone",
                                   "nobody was level in time, and this server was elected again"));
        case Handover::Outcome::late:
          return done(error_answer(503, "NotDone", "no leader was found yet; see /status"));
      }
    });
  }

  Readings readings() const {
    const zab::State& state = driver_.peer().state();
    const zab::History& history = state.durable.history;
    const session::Service& service = pipeline_.service();
    Readings now;
    now.status = status();
    now.process = read_process();
    now.accepted_epoch = state.durable.accepted_epoch;
    now.proposed = history.last().zxid;
    now.committed = state.last_committed;
    now.outstanding_proposals =
        static_cast<std::uint64_t>(history.end() - history.after(state.last_committed));
    now.unserved_seconds =
        std::chrono::duration<double>(driver_.availability().unserved(SteadyClock::now())).count();
    now.outages = driver_.availability().outages();
    now.driver = driver_.counters();
    now.queues = {{"events", driver_.queued()}, {"log_writes", log_.waiting()}};
    pipeline_.read(now);
    for (const ServerLine& line : config_.servers) {
      if (line.id == config_.id) continue;
      const zab::ServerId id{line.id};
      now.peers.push_back(
          {line.id, state.links.contains(id), links_.queued(id), links_.counters(id)});
    }
    now.tree_data_bytes = service.tree().at("/").subtree_bytes();
    now.ephemerals = service.tree().ephemeral_count();
    now.port = listener_.counters();
    now.log = log_.counters();
    return now;
  }

  // Answers what clients have asked, if that is soon.
  void wind_up(std::function<void()> done) {
    listener_.stop();
    pipeline_.drain(farewell);
    wait_for_answers(SteadyClock::now() + answers_patience, std::move(done));
  }

  void wait_for_answers(SteadyClock::time_point deadline, std::function<void()> done) {
    if (pipeline_.is_drained() || SteadyClock::now() >= deadline) return done();
    farewell_.expires_after(Milliseconds{5});
    farewell_.async_wait([this, deadline, done = std::move(done)](const auto&) mutable {
      wait_for_answers(deadline, std::move(done));
    });
  }

  void tick() {
    heartbeat_.expires_after(config_.heartbeat);
    heartbeat_.async_wait([this](const boost::system::error_code& error) {
      if (error || stopping_) return;
      driver_.post(zab::Tick{});
      pipeline_.tick();
      checkpointer_.tick();
      watch_clock();
      tick();
    });
  }

  // Says so once, and again only after the clock was right.
  void watch_clock() {
    const Milliseconds behind{pipeline_.service().time() - wall_clock()};
    if (behind < clock_tolerance) {
      clock_is_behind_ = false;
    } else if (!std::exchange(clock_is_behind_, true)) {
      spdlog::warn(
          "this machine's clock is {} s behind the time of the last transaction: set it, with NTP "
          "if you can. Nothing else is wrong, but while this server leads, ctime and mtime stand "
          "still, and so do the ttls of nodes, until it has caught up",
          std::chrono::duration_cast<std::chrono::seconds>(behind).count());
    }
  }

  boost::asio::io_context& io_;
  Config config_;
  std::unique_ptr<storage::Lock> lock_;
  Pipeline pipeline_;
  SharedCheckpoint checkpoint_;
  IncomingSnapshot incoming_;
  LogWriter log_;
  Checkpointer checkpointer_;
  Links links_;
  Driver driver_;
  Handover handover_;
  AdminCommands commands_;
  Listener listener_;
  boost::asio::steady_timer heartbeat_;
  boost::asio::steady_timer farewell_;
  bool stopping_ = false;
  bool clock_is_behind_ = false;
};

storage::FileSystem& disk() {
  static storage::PosixFileSystem files;
  return files;
}

}  // namespace

wire::Result<std::unique_ptr<Server>> Server::start(boost::asio::io_context& io, Config config) {
  if (const auto made = prepare_directory(disk(), config.data_dir, "dataDir"); !made) {
    return made.error();
  }
  if (const auto made = prepare_directory(disk(), config.log_dir, "dataLogDir"); !made) {
    return made.error();
  }
  if (const auto note = foreign_data(config.data_dir)) spdlog::warn("{}", *note);

  storage::LogOptions options;
  options.segment_bytes = config.log_segment_bytes;
  options.history_bytes = config.history_bytes;
  auto found = recover_state(disk(), config.data_dir.string(), config.log_dir.string(),
                             zab::ServerId{config.id}, watch_bounds(config), options);
  if (!found) return found.error();
  if (!found->report.empty()) {
    spdlog::log(found->lost ? spdlog::level::err : spdlog::level::info, "{}", found->report);
  }
  const auto level = found->log.recovered.damaged ? spdlog::level::err : spdlog::level::info;
  spdlog::log(level, "log in {}: {}", config.log_dir.string(), found->log.report);

  auto server = std::make_unique<RealServer>(io, std::move(config), std::move(*found));
  if (const auto begun = server->begin(); !begun) return begun.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace server
