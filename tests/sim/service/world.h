#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/pipeline/pipeline.h"
#include "tests/sim/cluster.h"
#include "tests/sim/random.h"
#include "tests/sim/service/guard.h"
#include "tests/sim/service/oracle.h"
#include "tests/sim/service/service_options.h"
#include "tests/sim/tenant.h"

namespace sim {

class User;
class World;

// A client's connection. Both ends see it as a server's `ClientConnection` and as a socket would
// be: what was on its way when it is lost is a suffix that is lost.
class Line : public server::ClientConnection, public std::enable_shared_from_this<Line> {
 public:
  Line(World& world, std::size_t server, User& user)
      : world_(world), server_(server), user_(user) {}

  void send(const wire::ServerMessage& message) override;
  void allow_batches() override {}
  void close(server::CloseCode code, std::string reason) override;
  void pause() override { paused_ = true; }
  void resume() override;
  void ping_every(std::chrono::milliseconds interval) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  [[nodiscard]] std::string remote_address() const override { return "127.0.0.1"; }

  // The client's end.
  void send(std::vector<std::shared_ptr<Asked>> frame);
  void abandon();
  // Somebody pulls the plug.
  void cut();

  [[nodiscard]] std::size_t server() const { return server_; }
  Heard heard;  // the oracle's

 private:
  friend class World;
  using Frame = std::vector<std::shared_ptr<Asked>>;

  void open_at_server();
  void arrive(Frame frame);
  void take(const Frame& frame);
  void end_at_server();
  void end_at_client(Time when);
  void ping(std::chrono::milliseconds interval);
  [[nodiscard]] bool lives_at_server() const;
  Time arrival(Time& last);

  World& world_;
  std::size_t server_;
  User& user_;
  Generation life_ = 0;       // of the server; 0: not there yet
  bool server_done_ = false;  // nothing more is said or heard there
  bool told_ = false;         // the pipeline knows that it is closed
  bool client_done_ = false;
  bool paused_ = false;
  std::deque<Frame> unread_;
  Time last_to_client_ = 0;
  Time last_to_server_ = 0;
  Time cut_at_ = ~Time{0};  // what arrives later is lost
};

// The whole service on a simulated ensemble: every server runs the production pipeline, and users
// speak with them.
class World : public Tenant {
 public:
  World(std::uint64_t seed, const ServiceOptions& options, Cluster*& cluster);
  ~World() override;

  void start(std::size_t server, const Checkpoint& from) override;
  void restore(std::size_t server, const Checkpoint& snapshot) override;
  void begin_image(std::size_t server) override;
  std::shared_ptr<const wire::Bytes> collect_image(std::size_t server, Amount amount) override;
  void crash(std::size_t server) override;
  void heartbeat(std::size_t server) override;
  void deliver(std::size_t server, const zab::Txn& txn) override;
  void confirmed(std::size_t server, const zab::Confirmed& confirmed) override;
  void role_changed(std::size_t server, const zab::RoleStatus& role_status) override;
  void received(std::size_t server, zab::ServerId from,
                const server::PeerMessage& message) override;
  void happen(Generation number) override;
  void heal() override;
  [[nodiscard]] bool settled() override;

  // After everything: what can only be said of the whole.
  void finish();

  // --- For lines and users ---

  [[nodiscard]] Cluster& cluster() { return *cluster_; }
  [[nodiscard]] Time now() const { return cluster_->now(); }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] const ServiceOptions& options() const { return options_; }
  [[nodiscard]] Oracle& oracle() { return oracle_; }
  [[nodiscard]] Guard& guard() { return guard_; }
  [[nodiscard]] server::Pipeline* pipeline(std::size_t server) {
    return servers_[server].pipeline.get();
  }
  void at(Time time, std::function<void()> then);
  // At a server: not while it pauses.
  void at(std::size_t server, Time time, std::function<void()> then);
  std::shared_ptr<Line> connect(std::size_t server, User& user);
  Time client_delay() { return random_.between(1, options_.client_delay_max); }
  void say(const std::function<std::string()>& words) {
    if (cluster_->traces()) cluster_->trace(words());
  }
  [[nodiscard]] bool is_calm() const { return calm_; }

 private:
  friend class Line;
  struct Server;
  using Records = std::map<wire::Bytes, wire::Bytes>;

  void watch_expiry(std::size_t server, const zab::Event& event);
  void touch(std::size_t server, wire::SessionId session);
  // What an image holds; it must be what the log means.
  std::unique_ptr<session::Service> restored(std::size_t server, const Checkpoint& from);
  void misfortune();
  void search();
  void check_reaping();

  struct Ends : server::Environment {
    World* world = nullptr;
    std::size_t server = 0;
    void post(zab::Event event) override;
    void send(zab::ServerId to, const server::PeerMessage& message) override;
    wire::TimeMs wall_clock() override;
    std::string new_password() override;
  };
  struct Server {
    server::Config config;
    Ends ends;
    std::unique_ptr<server::Pipeline> pipeline;
    Records stored;                          // of the last whole image
    std::vector<session::Record> collected;  // of the one that is being taken
    std::int64_t clock_ms = 0;               // its wall clock is so far off
    std::vector<std::weak_ptr<Line>> lines;
    bool leads = false;
    Time standing_since = 0;
    std::map<wire::SessionId, Time> touched;  // while it leads
  };

  ServiceOptions options_;
  Cluster*& cluster_;
  Random random_;
  Oracle oracle_;
  Guard guard_{oracle_.model()};
  std::vector<Server> servers_;
  std::vector<std::unique_ptr<User>> users_;
  std::unordered_map<Generation, std::function<void()>> agenda_;
  Generation numbers_ = 0;
  bool calm_ = false;
  Time calm_since_ = 0;
};

}  // namespace sim
