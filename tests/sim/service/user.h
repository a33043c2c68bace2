#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/service/barrier_use.h"
#include "tests/sim/service/counter_use.h"
#include "tests/sim/service/double_barrier_use.h"
#include "tests/sim/service/group_use.h"
#include "tests/sim/service/leader_watch.h"
#include "tests/sim/service/lock_use.h"
#include "tests/sim/service/multi_use.h"
#include "tests/sim/service/put_use.h"
#include "tests/sim/service/take_use.h"
#include "tests/sim/service/tree_watch.h"
#include "tests/sim/service/world.h"

namespace sim {

// A simulated client. It keeps a session, moves between servers, has several outstanding requests,
// and checks every message it receives. It also uses the recipes of client-lib.
class User {
 public:
  User(World& world, std::size_t number, Greed greed);

  void begin();
  // From now on the user only sends its final requests, and then stops.
  void conclude();
  // The checks at the end of a run.
  void finish() {
    counter_use_.finish();
    put_use_.finish();
    double_barrier_use_.finish();
  }
  [[nodiscard]] std::size_t number() const { return number_; }
  [[nodiscard]] bool is_done() const { return done_; }

  // Called by its connection.
  void receive(Line& line, const wire::ServerMessage& message);
  void on_connection_lost(Line& line);
  // A user that sleeps does not answer pings.
  [[nodiscard]] bool is_awake() const { return !asleep_; }
  [[nodiscard]] std::string address() const;
  [[nodiscard]] bool is_greedy() const { return greed_ != Greed::none; }
  [[nodiscard]] bool is_flooding() const { return greed_ == Greed::sessions && !is_concluding_; }
  // How a frame leaves: in pieces, with a delay between two of them. The end may never come.
  struct Pace {
    std::size_t pieces = 1;
    Time delay = 0;
    bool stalls = false;
  };
  [[nodiscard]] Pace next_pace();
  // False while a greedy user does not read.
  [[nodiscard]] bool takes_messages() const { return world_.now() >= reads_from_; }
  void sleep(Time until);
  void wake();
  [[nodiscard]] Line* line() { return line_.get(); }
  // The session of the present connection, if any.
  [[nodiscard]] wire::SessionId connected_session() const {
    return open_ ? session_ : wire::SessionId{};
  }
  [[nodiscard]] wire::SessionId abandoned() const { return abandoned_; }
  [[nodiscard]] const std::vector<std::shared_ptr<TrackedRequest>>& history() const {
    return history_;
  }

 private:
  void connect();
  void disconnect();
  void schedule_requests();
  void send(std::vector<wire::Request> requests);
  void send(std::vector<wire::ClientRequest> requests);
  void send_again();
  void check_silence();
  void on(const wire::ConnectedReply& reply);
  void on(const wire::ConnectRefused& refused);
  void on(const wire::Reply& reply);
  void end_session();
  void send_final_requests();
  // user_recipes.cc
  void use_recipes(std::vector<wire::ClientRequest>& requests, std::size_t room);
  void use_locks(std::vector<wire::ClientRequest>& requests, std::size_t room);
  std::optional<wire::Request> some_removal();
  template <typename Do>
  void for_each_recipe(const Do& act) {
    for (LockUse& each : lock_uses_) act(each);
    act(multi_use_);
    act(barrier_use_);
    act(leader_watch_);
    act(tree_watch_);
    act(group_use_);
    act(counter_use_);
    act(put_use_);
    act(take_use_);
    act(double_barrier_use_);
  }
  void add_recipe_requests(std::vector<wire::ClientRequest>& requests, std::size_t room);
  [[nodiscard]] bool is_of_recipe(const wire::RequestId& id) const;
  bool conclude_recipes(std::size_t room);
  // user_requests.cc
  wire::Request some_request();
  wire::Request some_write(bool within_multi);
  wire::Request some_read();
  std::string some_path();
  wire::Zxid some_past();
  std::int32_t some_version(const std::string& path);
  wire::Bytes some_data();
  // conditional_requests.cc
  wire::ClientRequest with_conditions(wire::ClientRequest request);
  wire::NodeTests some_tests(const std::string& path);
  void add_other_branch(wire::MultiRequest& multi);
  void reconnect_soon();
  // turn_requests.cc
  wire::ClientRequest with_turn(wire::ClientRequest request);
  wire::TurnOptions some_turn();
  std::string some_numbered_path();
  wire::ClientRequest with_list(wire::ClientRequest request);
  std::string some_number();
  std::string some_plain_path();
  wire::ChildrenRequest some_list();
  void note_numbered(const std::string& path);
  // greedy_requests.cc
  void be_greedy();
  void leave_session();
  wire::Request some_greed();
  wire::Request large_multi();
  wire::Bytes large_data(std::size_t most);
  void check_refusal(const TrackedRequest& tracked, const wire::Error& error) const;

  World& world_;
  std::size_t number_;
  Greed greed_;
  Random random_;
  std::shared_ptr<Line> line_;
  bool open_ = false;
  bool asleep_ = false;
  std::deque<wire::ServerMessage> received_asleep_;
  bool lost_asleep_ = false;
  bool is_concluding_ = false;
  bool final_requests_sent_ = false;
  bool done_ = false;
  std::uint64_t generation_ = 0;  // rises with each connection; older scheduled actions are void
  Time last_message_ = 0;

  wire::SessionId session_;
  std::string password_;
  bool wrong_password_ = false;  // the last connect request had a wrong password
  bool dedup_ = false;
  std::int64_t timeout_ms_ = 0;
  wire::Zxid seen_;
  wire::SessionId abandoned_;
  std::int64_t last_id_ = 0;
  std::deque<std::shared_ptr<TrackedRequest>> outstanding_;
  std::vector<std::shared_ptr<TrackedRequest>> history_;
  std::map<std::string, std::int32_t> versions_;
  std::map<std::string, wire::Stat> stats_;  // as they were last seen
  std::map<std::string, wire::Bytes> data_;
  std::vector<wire::RequestId> watches_;
  std::uint64_t writes_ = 0;
  Time reads_from_ = 0;

  Random lock_random_;
  Random condition_random_;
  Random turn_random_;
  Random list_random_;
  std::deque<std::string> numbered_paths_;  // of nodes that it has created
  std::deque<LockUse> lock_uses_;           // of each type
  MultiUse multi_use_;
  BarrierUse barrier_use_;
  LeaderWatch leader_watch_;
  Random tree_random_;
  TreeWatch tree_watch_;
  Random group_random_;
  GroupUse group_use_;
  Random counter_random_;
  CounterUse counter_use_;
  Random queue_random_;
  PutUse put_use_;
  TakeUse take_use_;
  Random double_barrier_random_;
  DoubleBarrierUse double_barrier_use_;
};

}  // namespace sim
