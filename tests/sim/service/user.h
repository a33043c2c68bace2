#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/service/guard.h"
#include "tests/sim/service/locker.h"
#include "tests/sim/service/world.h"

namespace sim {

// A client: keeps a session on one server after another, has requests under way, and believes what
// it is told.
class User {
 public:
  User(World& world, std::size_t number);

  void begin();
  // From now on it does only what tells that everything works, and then no more.
  void conclude();
  [[nodiscard]] std::size_t number() const { return number_; }
  [[nodiscard]] bool is_done() const { return done_; }

  // Of its line.
  void hear(Line& line, const wire::ServerMessage& message);
  void lose(Line& line);
  // Whether it answers a ping.
  [[nodiscard]] bool is_awake() const { return !asleep_; }
  void sleep(Time until);
  void wake();
  [[nodiscard]] Line* line() { return line_.get(); }
  // The session that it is connected with, if any.
  [[nodiscard]] wire::SessionId connected_session() const {
    return open_ ? session_ : wire::SessionId{};
  }
  [[nodiscard]] wire::SessionId abandoned() const { return abandoned_; }
  [[nodiscard]] const std::vector<std::shared_ptr<Asked>>& history() const { return history_; }

 private:
  void connect();
  void disconnect();
  void act();
  void ask(std::vector<wire::Request> requests);
  void watch_silence();
  void on(const wire::ConnectedReply& reply);
  void on(const wire::ConnectRefused& refused);
  void on(const wire::Reply& reply);
  void end_session();
  void last_words();
  void seek_lock();
  void ask_for_lock(std::vector<wire::Request>& requests);
  void take_lock(wire::Zxid since);
  void let_go();
  void use_guarded();
  bool locks_at_last();
  // user_requests.cc
  wire::Request some_request();
  wire::Request some_write(bool within_multi);
  wire::Request some_read();
  std::string some_path();
  wire::Zxid some_past();
  std::int32_t some_version(const std::string& path);
  wire::Bytes some_data();
  void reconnect_soon();

  World& world_;
  std::size_t number_;
  Random random_;
  std::shared_ptr<Line> line_;
  bool open_ = false;
  bool asleep_ = false;
  std::deque<wire::ServerMessage> missed_;
  bool lost_in_sleep_ = false;
  bool concluding_ = false;
  bool said_last_ = false;
  bool done_ = false;
  std::uint64_t turn_ = 0;  // what was planned in an earlier one is void
  Time heard_ = 0;

  wire::SessionId session_;
  std::string password_;
  bool forged_ = false;  // it was not with that that it asked for its session
  bool dedup_ = false;
  std::int64_t timeout_ms_ = 0;
  wire::Zxid seen_;
  wire::SessionId abandoned_;
  std::int64_t last_id_ = 0;
  std::deque<std::shared_ptr<Asked>> under_way_;
  std::vector<std::shared_ptr<Asked>> history_;
  std::map<std::string, std::int32_t> versions_;
  std::vector<wire::RequestId> watches_;
  std::uint64_t writes_ = 0;

  Random lock_random_;
  Locker locker_;
  std::optional<Hold> hold_;  // as it believes
  bool locked_at_last_ = false;
};

}  // namespace sim
