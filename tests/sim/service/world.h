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

#include "client-lib/recipes/work_queue.h"
#include "server/clients/client_protocol.h"
#include "server/pipeline/pipeline.h"
#include "tests/sim/application.h"
#include "tests/sim/cluster.h"
#include "tests/sim/random.h"
#include "tests/sim/service/fenced_resource.h"
#include "tests/sim/service/oracle.h"
#include "tests/sim/service/programs.h"
#include "tests/sim/service/queue_log.h"
#include "tests/sim/service/service_options.h"

namespace sim {

class User;
class World;

// A client's simulated connection. The server's end is the pipeline's `ClientConnection`, the
// client's end is used by User. When the connection is lost, the last messages are lost, as with a
// socket. With small limits the server's end is a ClientProtocol too, and messages cross as bytes
// (line_bytes.cc): so every byte is charged as in a server.
class Line : public server::ClientConnection, public std::enable_shared_from_this<Line> {
 public:
  Line(World& world, std::size_t server, User& user)
      : world_(world), server_(server), user_(user) {}

  void send(const wire::ServerMessage& message) override;
  [[nodiscard]] server::Offer offer(const wire::ServerMessage& message) override;
  void allow_batches() override {}
  void close(server::CloseCode code, std::string reason) override;
  void close_as_too_slow() override;
  void pause() override;
  void resume() override;
  void ping_every(std::chrono::milliseconds interval) override;
  [[nodiscard]] std::size_t queued_bytes() const override;
  [[nodiscard]] bool has_room(std::size_t bytes) const override;
  [[nodiscard]] std::string remote_address() const override;

  // The client's end.
  void send(std::vector<std::shared_ptr<TrackedRequest>> frame);
  void abandon();
  // The network loses the connection.
  void cut();

  [[nodiscard]] std::size_t server() const { return server_; }
  [[nodiscard]] const User& user() const { return user_; }
  ConnectionState state;  // the oracle's state of this connection

 private:
  friend class World;
  using Frame = std::vector<std::shared_ptr<TrackedRequest>>;

  void open_at_server();
  void receive(Frame frame);
  void handle(const Frame& frame, wire::ParsedFrame parsed);
  void note(const TrackedRequest& tracked);
  void note(const wire::ServerMessage& message);
  void end_at_server();
  void inform_pipeline();
  void end_at_client(Time when);
  void ping(std::chrono::milliseconds interval);
  [[nodiscard]] bool is_open_at_server() const;
  Time arrival(Time& last);

  // line_bytes.cc
  void open_protocol();
  void send_bytes(Frame frame);
  void arrive(const std::string& bytes);
  void read();
  void take_events();
  void receive(wire::ParsedFrame parsed);
  void transfer_later();
  void transfer();
  void deliver(server::Opcode opcode);
  void close_soon();
  void end_protocol();
  void carry_out();
  void set_timer();

  World& world_;
  std::size_t server_;
  User& user_;
  Generation incarnation_ = 0;      // of the server when the connection opened; 0: not yet
  bool server_done_ = false;        // closed at the server's end
  bool pipeline_informed_ = false;  // the pipeline knows that the connection is closed
  bool client_done_ = false;
  bool paused_ = false;
  std::deque<Frame> unread_;
  std::size_t on_their_way_ = 0;  // messages to the client
  Time last_to_client_ = 0;
  Time last_to_server_ = 0;
  Time cut_at_ = ~Time{0};  // later messages are lost

  // With small limits only.
  std::unique_ptr<server::ClientProtocol> protocol_;
  std::deque<Frame> coming_;                  // frames that `protocol_` has not read completely
  std::string input_;                         // bytes that the server has not read
  std::deque<wire::ServerMessage> outgoing_;  // messages that `protocol_` has queued
  std::string output_;                        // bytes that are on their way to the client
  std::size_t transfers_ = 0;                 // scheduled
  bool stalled_ = false;                      // the client does not end the frame that it began
  server::ClientProtocol::Time timer_{};      // the deadline that is scheduled
};

// The service on a simulated ensemble: every server runs the production pipeline, and users are its
// clients.
class World : public Application {
 public:
  World(std::uint64_t seed, const ServiceOptions& options, Cluster*& cluster);
  ~World() override;

  void start(std::size_t server, const Checkpoint& from) override;
  [[nodiscard]] bool can_read(std::size_t server, const Checkpoint& snapshot) override {
    return programs_.can_read(server, snapshot);
  }
  void restore(std::size_t server, const Checkpoint& snapshot) override;
  void begin_image(std::size_t server) override;
  std::shared_ptr<const wire::Bytes> collect_image(std::size_t server, Amount amount) override;
  void crash(std::size_t server) override;
  [[nodiscard]] bool can_take_checkpoint(std::size_t server) override;
  bool greet(std::size_t a, std::size_t b) override;
  void heartbeat(std::size_t server) override;
  void deliver(std::size_t server, const zab::Txn& txn) override;
  void confirmed(std::size_t server, const zab::Confirmed& confirmed) override;
  void role_changed(std::size_t server, const zab::RoleStatus& role_status) override;
  void received(std::size_t server, zab::ServerId from,
                const server::PeerMessage& message) override;
  void run_scheduled(Generation number) override;
  void heal() override;
  [[nodiscard]] bool is_finished() override;

  // The checks at the end of a run.
  void finish();

  // --- For connections and users ---

  [[nodiscard]] Cluster& cluster() { return *cluster_; }
  [[nodiscard]] Time now() const { return cluster_->now(); }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] const ServiceOptions& options() const { return options_; }
  [[nodiscard]] Oracle& oracle() { return oracle_; }
  [[nodiscard]] FencedResource& fenced_resource() { return fenced_resource_; }
  // The queue of all users, if they have one.
  [[nodiscard]] zabkeeper::WorkQueue queue() const {
    return options_.delays ? zabkeeper::delay_queue(queue_path) : zabkeeper::work_queue(queue_path);
  }
  [[nodiscard]] QueueLog& queue_log() { return queue_log_; }
  // The time as the clocks of clients show it.
  [[nodiscard]] std::int64_t client_clock_ms() const {
    return static_cast<std::int64_t>(now()) * tick_ms / static_cast<std::int64_t>(tick);
  }
  [[nodiscard]] server::Pipeline* pipeline(std::size_t server) {
    return servers_[server].pipeline.get();
  }
  void at(Time time, std::function<void()> then);
  // At a server: waits while the server is paused.
  void at(std::size_t server, Time time, std::function<void()> then);
  std::shared_ptr<Line> connect(std::size_t server, User& user);
  Time client_delay() { return random_.between(1, options_.client_delay_max); }
  void trace(const std::function<std::string()>& words) {
    if (cluster_->traces()) cluster_->trace(words());
  }
  [[nodiscard]] bool is_calm() const { return is_healing_; }
  // The time as a server's clock shows it.
  [[nodiscard]] server::ClientProtocol::Time clock() const;
  [[nodiscard]] const server::ClientLimits& client_limits() const { return client_limits_; }

 private:
  friend class Line;
  struct Server;
  using Records = std::map<wire::Bytes, wire::Bytes>;

  void check_expiry(std::size_t server, const zab::Event& event);
  void touch(std::size_t server, wire::SessionId session);
  // Restores a service from an image and checks it against the model.
  std::unique_ptr<session::Service> restored(std::size_t server, const Checkpoint& from);
  void schedule_faults();
  void search_linear_orders();
  void set_clock_wrong();
  [[nodiscard]] static wire::TimeMs time_at(Time when);
  [[nodiscard]] wire::TimeMs right_time() const { return time_at(now()); }
  void check_time(const session::Transaction& txn) const;
  void check_countdowns(std::size_t server, const session::Transaction& txn) const;
  void check_reaping();

  // budgets.cc
  [[nodiscard]] static std::size_t commands_of(const Server& one);
  void check_given_back();
  void check_budgets(std::size_t server);
  void on_connected(const Line& line, const wire::ConnectedReply& reply);
  void count_measures();
  void use_small_limits();
  void set_limits(Server& one);

  struct ServerEnvironment : server::Environment {
    World* world = nullptr;
    std::size_t server = 0;
    void post(zab::Event event) override;
    void send(zab::ServerId to, const server::PeerMessage& message) override;
    wire::TimeMs wall_clock() override;
    server::SteadyClock::time_point now() override;
    void call_soon() override;
    std::vector<server::ServerLevels> server_levels() override;
    void level_changed(wire::Level level) override;
    std::string new_password() override;
  };
  struct Server {
    server::PipelineOptions options;
    ServerEnvironment environment;
    std::shared_ptr<server::Ledger> ledger;
    server::ConnectionCounters connections;
    std::unique_ptr<server::Pipeline> pipeline;
    Records stored;                          // of the last complete image
    std::vector<session::Record> collected;  // of the image that is being collected
    std::int64_t clock_error = 0;            // of its wall clock, in milliseconds
    std::vector<std::weak_ptr<Line>> lines;
    // Of this start, by address: when sessions were opened, and the sessions that came here.
    std::map<std::string, std::vector<Time>> opened;
    std::map<wire::SessionId, std::string> session_addresses;
    bool leads = false;
    Time status_since = 0;
    std::map<wire::SessionId, Time> touched;  // while it leads
  };

  ServiceOptions options_;
  Cluster*& cluster_;
  Random random_;
  Oracle oracle_;
  FencedResource fenced_resource_{oracle_.model()};
  QueueLog queue_log_{oracle_.model()};
  Programs programs_{*this};
  server::ClientLimits client_limits_;
  std::deque<Server> servers_;
  std::vector<std::unique_ptr<User>> users_;
  std::unordered_map<Generation, std::function<void()>> agenda_;
  Generation numbers_ = 0;
  bool is_clock_wrong_ = false;  // of one server
  bool is_healing_ = false;
  Time healing_since_ = 0;
};

}  // namespace sim
