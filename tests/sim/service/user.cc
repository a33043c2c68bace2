#include "tests/sim/service/user.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/violation.h"

namespace sim {
namespace {

bool is_of_session(const wire::Request& request) {
  return !std::holds_alternative<wire::PingRequest>(request) &&
         !std::holds_alternative<wire::ConnectRequest>(request);
}

bool is_command(const wire::Request& request) {
  return session::command_body_of(request).has_value();
}

}  // namespace

User::User(World& world, std::size_t number, Greed greed)
    : world_(world),
      number_(number),
      greed_(greed),
      random_(world.random().next()),
      lock_random_(world.options().locks ? world.random().next() : 0),
      condition_random_(Random(random_).next() ^ 0xc0d),
      turn_random_(Random(random_).next() ^ 0x7042),
      list_random_(Random(random_).next() ^ 0x115),
      multi_use_(world, number),
      barrier_use_(world, number),
      leader_watch_(world),
      tree_random_(Random(random_).next() ^ 0x73ee),
      tree_watch_(world, number),
      group_random_(Random(random_).next() ^ 0x6709),
      group_use_(world, number, session_),
      counter_random_(Random(random_).next() ^ 0xc047),
      counter_use_(world, number),
      queue_random_(Random(random_).next() ^ 0x93e0),
      put_use_(world, number),
      take_use_(world, number, session_),
      double_barrier_random_(Random(random_).next() ^ 0xdba44),
      double_barrier_use_(world, number, session_) {
  for (const LockType type :
       {LockType::lock, LockType::read_write, LockType::semaphore, LockType::election}) {
    lock_uses_.emplace_back(world, number, type);
  }
}

void User::begin() { connect(); }

// --- Connections ---

void User::connect() {
  if (done_ || line_) return;
  auto server = static_cast<std::size_t>(random_.below(world_.cluster().size()));
  // Greedy users often meet at one server.
  if (is_greedy() && random_.one_in(2)) server = 0;
  line_ = world_.connect(server, *this);
  open_ = false;
  last_message_ = world_.now();
  generation_ += 1;

  wire::ConnectRequest request;
  if (session_.none()) {
    dedup_ = random_.one_in(2);
    timeout_ms_ = tick_ms * static_cast<std::int64_t>(random_.between(8, 30));
  } else {
    request.session = session_;
    request.password = password_;
    // Sometimes another client tries to take the session over.
    if ((wrong_password_ = random_.one_in(40))) request.password = std::string(32, '0');
  }
  request.timeout_ms = timeout_ms_;
  request.dedup = dedup_;
  if (seen_ != wire::Zxid{}) request.last_zxid = seen_;
  line_->state.session = session_;
  line_->state.connect_sent = world_.now();
  line_->state.dedup = dedup_;
  line_->state.zxid = seen_;
  auto tracked = std::make_shared<TrackedRequest>();
  tracked->request = {wire::RequestId(std::string("0")), {}, std::move(request)};
  tracked->user = number_;
  line_->send({std::move(tracked)});
  world_.trace([&] {
    return "user " + std::to_string(number_) + "  connects to " + std::to_string(server + 1) +
           " with session " + wire::to_hex(session_.value);
  });
  check_silence();
}

// After silence for two thirds of the session timeout, the user tries another server.
void User::check_silence() {
  const Time patience =
      std::max<Time>(6 * tick, static_cast<Time>(timeout_ms_) * tick / tick_ms * 2 / 3) +
      (open_ ? 0 : 40 * tick);
  world_.at(last_message_ + patience, [this, generation = generation_, patience] {
    if (generation != generation_ || !line_) return;
    if (asleep_ || world_.now() < last_message_ + patience) {
      if (asleep_) last_message_ = world_.now();
      return check_silence();
    }
    disconnect();
  });
}

void User::disconnect() {
  if (!line_) return;
  line_->abandon();
  on_connection_lost(*line_);
}

void User::on_connection_lost(Line& line) {
  if (line_.get() != &line) return;
  if (asleep_) {
    lost_asleep_ = true;
    return;
  }
  world_.trace([&] { return "user " + std::to_string(number_) + "  has lost its connection"; });
  line_.reset();
  open_ = false;
  generation_ += 1;
  watches_.clear();
  for_each_recipe([](auto& recipe) { recipe.lost_connection(); });
  // The result of a request that is not sent again stays unknown.
  std::erase_if(outstanding_, [&](const auto& tracked) {
    const bool is_sent_again =
        dedup_ && is_command(tracked->request.request) &&
        !std::holds_alternative<wire::CloseRequest>(tracked->request.request);
    if (is_sent_again) return false;
    for_each_recipe([&](auto& recipe) { recipe.lost_reply(tracked->request.id); });
    return true;
  });
  reconnect_soon();
}

void User::reconnect_soon() {
  const Time delay_max = is_flooding() ? tick / 4 : 2 * tick;
  world_.at(world_.now() + random_.between(1, delay_max), [this, generation = generation_] {
    if (generation == generation_ && !asleep_) connect();
  });
}

void User::sleep(Time until) {
  if (asleep_ || is_concluding_) return;
  asleep_ = true;
  world_.trace([&] { return "user " + std::to_string(number_) + "  sleeps"; });
  world_.at(until, [this] { wake(); });
}

void User::wake() {
  if (!std::exchange(asleep_, false)) return;
  last_message_ = world_.now();
  world_.trace([&] { return "user " + std::to_string(number_) + "  wakes"; });
  for (const wire::ServerMessage& message : std::exchange(received_asleep_, {})) {
    if (line_) receive(*line_, message);
  }
  if (std::exchange(lost_asleep_, false) && line_) on_connection_lost(*line_);
  if (!line_) reconnect_soon();
}

void User::end_session() {
  session_ = {};
  open_ = false;
  outstanding_.clear();
  watches_.clear();
  last_id_ = 0;
  for_each_recipe([](auto& recipe) { recipe.lost_session(); });
}

// --- Messages ---

void User::receive(Line& line, const wire::ServerMessage& message) {
  if (line_.get() != &line) return;
  if (asleep_) return received_asleep_.push_back(message);
  last_message_ = world_.now();
  if (const auto* reply = std::get_if<wire::Reply>(&message)) return on(*reply);
  if (const auto* connected = std::get_if<wire::ConnectedReply>(&message)) return on(*connected);
  if (const auto* refused = std::get_if<wire::ConnectRefused>(&message)) return on(*refused);
  if (const auto* event = std::get_if<wire::WatchEvent>(&message)) {
    for_each_recipe([&](auto& recipe) { recipe.receive(*event); });
    if (event->kind == wire::EventKind::turn) world_.cluster().counts().count(Rare::turn_told);
    if (event->kind != wire::EventKind::resync) {
      seen_ = std::max(seen_, event->zxid);
    } else {
      world_.cluster().counts().count(Rare::watch_resynced);
    }
    return;
  }
  if (std::holds_alternative<wire::Expired>(message)) {
    world_.cluster().counts().count(Rare::session_expired);
    end_session();
  }
}

void User::on(const wire::ConnectedReply& reply) {
  open_ = true;
  if (session_.none()) {
    session_ = reply.session;
    password_ = reply.password;
  } else if (reply.session != session_) {
    throw Violation("session_exactness", "the connection has another session than requested");
  } else if (wrong_password_) {
    throw Violation("session_exactness", "a session is resumed with a wrong password");
  } else {
    world_.cluster().counts().count(Rare::session_moved);
  }
  timeout_ms_ = reply.timeout_ms;
  seen_ = std::max(seen_, reply.zxid);
  generation_ += 1;
  check_silence();
  if (!outstanding_.empty()) {
    world_.cluster().counts().count(Rare::write_asked_again);
    send_again();
  }
  schedule_requests();
}

// All of them may be too much for one frame.
void User::send_again() {
  if (!world_.options().small.are_on()) {
    return line_->send({outstanding_.begin(), outstanding_.end()});
  }
  for (const auto& tracked : outstanding_) line_->send({tracked});
}

void User::on(const wire::ConnectRefused& refused) {
  if (refused.zxid) seen_ = std::max(seen_, *refused.zxid);
  if (refused.error.code == wire::ErrorCode::session_expired) {
    world_.cluster().counts().count(Rare::session_expired);
    end_session();
  } else if (refused.error.code == wire::ErrorCode::auth_failed && !wrong_password_) {
    throw Violation("session_exactness", "the right password is refused");
  } else if (refused.error.code == wire::ErrorCode::too_many_sessions) {
    world_.cluster().counts().count(Rare::session_refused);
    if (!is_greedy()) throw Violation("bystander", refused.error.message);
  }
}

void User::on(const wire::Reply& reply) {
  if (reply.id.none()) return;  // a ping
  if (outstanding_.empty() || outstanding_.front()->request.id != reply.id) {
    throw Violation("fifo",
                    "user " + std::to_string(number_) + " gets the reply to " + reply.id.json);
  }
  const std::shared_ptr<TrackedRequest> tracked = std::move(outstanding_.front());
  outstanding_.pop_front();
  seen_ = std::max(seen_, reply.zxid);
  world_.oracle().on_reply_received(*tracked, reply, world_.now());
  world_.cluster().mix(reply.zxid.bits() ^ (number_ << 56));
  if (!reply.body && is_overload(reply.body.error().code) && is_command(tracked->request.request)) {
    world_.cluster().counts().count(Rare::state_full);
  }
  if (!reply.body) check_refusal(*tracked, reply.body.error());
  if (!reply.body && reply.body.error().code == wire::ErrorCode::condition_failed) {
    world_.cluster().counts().count(Rare::condition_failed);
  }
  const bool is_of_some_recipe = is_of_recipe(reply.id);
  for_each_recipe([&](auto& recipe) { recipe.receive(reply); });
  if (!reply.body || is_of_some_recipe) return;
  const auto* pong = std::get_if<wire::PongReply>(&*reply.body);
  if (pong != nullptr && pong->valid_ms > 0) {
    world_.cluster().counts().count(Rare::session_promised);
  }
  if (std::holds_alternative<wire::ClosedReply>(*reply.body)) return end_session();
  const auto* multi = std::get_if<wire::MultiReply>(&*reply.body);
  if (multi != nullptr && multi->branch == wire::Branch::otherwise && !multi->failed) {
    world_.cluster().counts().count(Rare::other_branch);
  }
  if (const auto* get = std::get_if<wire::GetReply>(&*reply.body)) {
    if (const auto* request = std::get_if<wire::GetRequest>(&tracked->request.request)) {
      versions_[request->path] = get->stat.version;
      stats_[request->path] = get->stat;
      data_[request->path] = get->data;
    }
  }
  if (const auto* list = std::get_if<wire::ChildrenReply>(&*reply.body)) {
    const auto* request = std::get_if<wire::ChildrenRequest>(&tracked->request.request);
    if (list->more && !request->limit) world_.cluster().counts().count(Rare::list_cut);
  }
  if (const auto* created = std::get_if<wire::CreateReply>(&*reply.body)) {
    note_numbered(created->path);
    if (created->turn == false) watches_.push_back(reply.id);
  }
  if (const auto* watch = std::get_if<wire::WatchReply>(&*reply.body)) {
    watches_.push_back(watch->watch);
  }
}

// --- Requests ---

void User::schedule_requests() {
  world_.at(world_.now() + random_.between(1, world_.options().think_max), [this, generation =
                                                                                      generation_] {
    if (generation != generation_) return;
    if (asleep_ || !open_) return schedule_requests();
    if (is_concluding_) {
      send_final_requests();
    } else if (greed_ == Greed::requests) {
      be_greedy();
    } else if (greed_ == Greed::sessions) {
      return leave_session();
    } else if (outstanding_.size() < world_.options().depth_max) {
      std::vector<wire::ClientRequest> requests;
      // Not more than the server keeps results of.
      const std::size_t room =
          world_.options().outstanding_max -
          std::min<std::size_t>(outstanding_.size(), world_.options().outstanding_max);
      for (std::uint64_t i = std::min<std::uint64_t>(random_.between(1, 3), room); i > 0; --i) {
        requests.push_back(with_conditions(with_list(with_turn({{}, {}, some_request()}))));
      }
      use_recipes(requests, room);
      if (!requests.empty()) send(std::move(requests));
    }
    schedule_requests();
  });
}

void User::send(std::vector<wire::Request> requests) {
  std::vector<wire::ClientRequest> all;
  for (wire::Request& request : requests) all.push_back({{}, {}, std::move(request)});
  send(std::move(all));
}

void User::send(std::vector<wire::ClientRequest> requests) {
  std::vector<std::shared_ptr<TrackedRequest>> frame;
  for (wire::ClientRequest& request : requests) {
    auto tracked = std::make_shared<TrackedRequest>();
    tracked->request = std::move(request);
    tracked->request.id = wire::RequestId(std::to_string(++last_id_));
    tracked->user = number_;
    tracked->session = session_;
    tracked->invoked = world_.now();
    tracked->acknowledged = world_.oracle().acknowledged();
    tracked->seen = seen_;
    if (is_of_session(tracked->request.request)) history_.push_back(tracked);
    outstanding_.push_back(tracked);
    frame.push_back(std::move(tracked));
  }
  line_->send(std::move(frame));
}

void User::conclude() {
  is_concluding_ = true;
  wake();
}

// All users write and read the same node. Then some keep their session, some close it, and some
// abandon it.
void User::send_final_requests() {
  // Not more than the server keeps results of.
  const bool has_room =
      outstanding_.empty() || outstanding_.size() + 3 <= world_.options().outstanding_max;
  if (!final_requests_sent_ && !has_room) return;
  if (!std::exchange(final_requests_sent_, true)) {
    wire::SetRequest set;
    set.path = "/last";
    set.data = some_data();
    set.create = true;
    wire::GetRequest get;
    get.path = "/last";
    get.read.consistency = wire::Linearizable{};
    return send({set, wire::SyncRequest{"/"}, get});
  }
  const std::size_t room =
      world_.options().outstanding_max -
      std::min<std::size_t>(outstanding_.size(), world_.options().outstanding_max);
  if (!conclude_recipes(room)) return;
  if (!outstanding_.empty() || done_) return;
  done_ = true;
  world_.trace([&] { return "user " + std::to_string(number_) + "  is done"; });
  switch (random_.below(3)) {
    case 0: return send({wire::CloseRequest{}});
    case 1:
      abandoned_ = session_;
      line_->abandon();
      line_.reset();
      open_ = false;
      generation_ += 1;
      return;
    default: return;
  }
}

}  // namespace sim
