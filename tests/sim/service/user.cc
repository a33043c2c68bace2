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

bool is_write(const wire::Request& request) { return session::order_of(request).has_value(); }

}  // namespace

User::User(World& world, std::size_t number)
    : world_(world),
      number_(number),
      random_(world.random().next()),
      lock_random_(world.options().locks ? world.random().next() : 0) {}

void User::begin() { connect(); }

// --- Connections ---

void User::connect() {
  if (done_ || line_) return;
  const auto server = static_cast<std::size_t>(random_.below(world_.cluster().size()));
  line_ = world_.connect(server, *this);
  open_ = false;
  heard_ = world_.now();
  turn_ += 1;

  wire::ConnectRequest request;
  if (session_.none()) {
    dedup_ = random_.one_in(2);
    timeout_ms_ = tick_ms * static_cast<std::int64_t>(random_.between(8, 30));
  } else {
    request.session = session_;
    request.password = password_;
    // Once in a while somebody else tries.
    if ((forged_ = random_.one_in(40))) request.password = std::string(32, '0');
  }
  request.timeout_ms = timeout_ms_;
  request.dedup = dedup_;
  if (seen_ != wire::Zxid{}) request.last_zxid = seen_;
  line_->heard.session = session_;
  line_->heard.dedup = dedup_;
  line_->heard.zxid = seen_;
  auto asked = std::make_shared<Asked>();
  asked->request = {wire::RequestId(std::string("0")), {}, std::move(request)};
  asked->user = number_;
  line_->send({std::move(asked)});
  world_.say([&] {
    return "user " + std::to_string(number_) + "  connects to " + std::to_string(server + 1) +
           " with session " + wire::to_hex(session_.value);
  });
  watch_silence();
}

// Silence for two thirds of the timeout: another server may be better.
void User::watch_silence() {
  const Time patience =
      std::max<Time>(6 * tick, static_cast<Time>(timeout_ms_) * tick / tick_ms * 2 / 3) +
      (open_ ? 0 : 40 * tick);
  world_.at(heard_ + patience, [this, turn = turn_, patience] {
    if (turn != turn_ || !line_) return;
    if (asleep_ || world_.now() < heard_ + patience) {
      if (asleep_) heard_ = world_.now();
      return watch_silence();
    }
    disconnect();
  });
}

void User::disconnect() {
  if (!line_) return;
  line_->abandon();
  lose(*line_);
}

void User::lose(Line& line) {
  if (line_.get() != &line) return;
  if (asleep_) {
    lost_in_sleep_ = true;
    return;
  }
  world_.say([&] { return "user " + std::to_string(number_) + "  has lost its connection"; });
  line_.reset();
  open_ = false;
  turn_ += 1;
  watches_.clear();
  // What is not sent again stays unknown.
  std::erase_if(under_way_, [&](const auto& asked) {
    return !dedup_ || !is_write(asked->request.request) ||
           std::holds_alternative<wire::CloseRequest>(asked->request.request);
  });
  locker_.lost_connection();
  const auto is_lockers = [&](const auto& asked) {
    return asked->request.id == locker_.under_way();
  };
  if (std::ranges::none_of(under_way_, is_lockers)) locker_.lost_answer();
  reconnect_soon();
}

void User::reconnect_soon() {
  world_.at(world_.now() + random_.between(1, 2 * tick), [this, turn = turn_] {
    if (turn == turn_ && !asleep_) connect();
  });
}

void User::sleep(Time until) {
  if (asleep_ || concluding_) return;
  asleep_ = true;
  world_.say([&] { return "user " + std::to_string(number_) + "  sleeps"; });
  world_.at(until, [this] { wake(); });
}

void User::wake() {
  if (!std::exchange(asleep_, false)) return;
  heard_ = world_.now();
  world_.say([&] { return "user " + std::to_string(number_) + "  wakes"; });
  for (const wire::ServerMessage& message : std::exchange(missed_, {})) {
    if (line_) hear(*line_, message);
  }
  if (std::exchange(lost_in_sleep_, false) && line_) lose(*line_);
  if (!line_) reconnect_soon();
}

void User::end_session() {
  session_ = {};
  open_ = false;
  under_way_.clear();
  watches_.clear();
  last_id_ = 0;
  locker_.lost_session();
  hold_.reset();
}

// --- What it hears ---

void User::hear(Line& line, const wire::ServerMessage& message) {
  if (line_.get() != &line) return;
  if (asleep_) return missed_.push_back(message);
  heard_ = world_.now();
  if (const auto* reply = std::get_if<wire::Reply>(&message)) return on(*reply);
  if (const auto* connected = std::get_if<wire::ConnectedReply>(&message)) return on(*connected);
  if (const auto* refused = std::get_if<wire::ConnectRefused>(&message)) return on(*refused);
  if (const auto* event = std::get_if<wire::WatchEvent>(&message)) {
    locker_.hear(*event);
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
    throw Violation("session_exactness", "silently another session");
  } else if (forged_) {
    throw Violation("session_exactness", "a session is resumed with a wrong password");
  } else {
    world_.cluster().counts().count(Rare::session_moved);
  }
  timeout_ms_ = reply.timeout_ms;
  seen_ = std::max(seen_, reply.zxid);
  turn_ += 1;
  watch_silence();
  if (!under_way_.empty()) {
    world_.cluster().counts().count(Rare::write_asked_again);
    line_->send({under_way_.begin(), under_way_.end()});
  }
  act();
}

void User::on(const wire::ConnectRefused& refused) {
  if (refused.zxid) seen_ = std::max(seen_, *refused.zxid);
  if (refused.error.code == wire::ErrorCode::session_expired) {
    world_.cluster().counts().count(Rare::session_expired);
    end_session();
  } else if (refused.error.code == wire::ErrorCode::auth_failed && !forged_) {
    throw Violation("session_exactness", "the right password is refused");
  }
}

void User::on(const wire::Reply& reply) {
  if (reply.id.none()) return;  // a ping
  if (under_way_.empty() || under_way_.front()->request.id != reply.id) {
    throw Violation("fifo", "user " + std::to_string(number_) + " hears " + reply.id.json);
  }
  const std::shared_ptr<Asked> asked = std::move(under_way_.front());
  under_way_.pop_front();
  seen_ = std::max(seen_, reply.zxid);
  world_.oracle().on_arrived(*asked, reply, world_.now());
  world_.cluster().mix(reply.zxid.bits() ^ (number_ << 56));
  locker_.hear(reply, session_);
  if (locker_.holds() && !hold_) take_lock(reply.zxid);
  if (!reply.body) return;
  if (std::holds_alternative<wire::ClosedReply>(*reply.body)) return end_session();
  if (const auto* get = std::get_if<wire::GetReply>(&*reply.body)) {
    if (const auto* request = std::get_if<wire::GetRequest>(&asked->request.request)) {
      versions_[request->path] = get->stat.version;
    }
  }
  if (const auto* watch = std::get_if<wire::WatchReply>(&*reply.body)) {
    watches_.push_back(watch->watch);
  }
}

// --- What it asks ---

void User::act() {
  world_.at(world_.now() + random_.between(1, world_.options().think_max), [this, turn = turn_] {
    if (turn != turn_) return;
    if (asleep_ || !open_) return act();
    if (concluding_) {
      last_words();
    } else if (under_way_.size() < world_.options().depth_max) {
      std::vector<wire::Request> requests;
      // No more than the server keeps outcomes of.
      const std::size_t room =
          world_.options().outstanding_max -
          std::min<std::size_t>(under_way_.size(), world_.options().outstanding_max);
      for (std::uint64_t i = std::min<std::uint64_t>(random_.between(1, 3), room); i > 0; --i) {
        requests.push_back(some_request());
      }
      if (world_.options().locks) seek_lock();
      if (requests.size() < room) ask_for_lock(requests);
      if (!requests.empty()) ask(std::move(requests));
    }
    act();
  });
}

void User::ask(std::vector<wire::Request> requests) {
  std::vector<std::shared_ptr<Asked>> frame;
  for (wire::Request& request : requests) {
    auto asked = std::make_shared<Asked>();
    asked->request = {wire::RequestId(std::to_string(++last_id_)), {}, std::move(request)};
    asked->user = number_;
    asked->session = session_;
    asked->invoked = world_.now();
    asked->acknowledged = world_.oracle().acknowledged();
    asked->seen = seen_;
    if (is_of_session(asked->request.request)) history_.push_back(asked);
    under_way_.push_back(asked);
    frame.push_back(std::move(asked));
  }
  line_->send(std::move(frame));
}

void User::conclude() {
  concluding_ = true;
  wake();
}

// A write and a read of it, seen by everybody; then some stay, some close, and some just go.
void User::last_words() {
  if (!std::exchange(said_last_, true)) {
    wire::SetRequest set;
    set.path = "/last";
    set.data = some_data();
    set.create = true;
    wire::GetRequest get;
    get.path = "/last";
    get.read.consistency = wire::Linearizable{};
    return ask({set, wire::SyncRequest{"/"}, get});
  }
  if (!locks_at_last()) return;
  if (!under_way_.empty() || done_) return;
  done_ = true;
  world_.say([&] { return "user " + std::to_string(number_) + "  is done"; });
  switch (random_.below(3)) {
    case 0: return ask({wire::CloseRequest{}});
    case 1:
      abandoned_ = session_;
      line_->abandon();
      line_.reset();
      open_ = false;
      turn_ += 1;
      return;
    default: return;
  }
}

// --- The lock ---

void User::seek_lock() {
  if (locker_.rests() && lock_random_.one_in(4)) locker_.want();
  if (!hold_) return;
  if (lock_random_.one_in(2)) use_guarded();
  if (lock_random_.one_in(6)) let_go();
}

void User::ask_for_lock(std::vector<wire::Request>& requests) {
  auto request = locker_.next();
  if (!request) return;
  requests.push_back(*std::move(request));
  locker_.asked(
      wire::RequestId(std::to_string(last_id_ + static_cast<std::int64_t>(requests.size()))));
}

void User::take_lock(wire::Zxid since) {
  hold_ = Hold{number_, session_, locker_.token(), since};
  locked_at_last_ = concluding_;
  world_.say([&] { return "user " + std::to_string(number_) + "  has the lock"; });
  world_.cluster().counts().count(Rare::lock_taken);
  if (locker_.has_waited()) world_.cluster().counts().count(Rare::lock_awaited);
  world_.guard().taken(*hold_);
}

void User::let_go() {
  world_.guard().let_go(*std::exchange(hold_, std::nullopt));
  locker_.let_go();
}

// What it does under the lock may be long on its way, and come when another has the lock.
void User::use_guarded() {
  const Time delay =
      lock_random_.one_in(6) ? lock_random_.below(60 * tick) : lock_random_.below(tick);
  world_.at(world_.now() + delay, [this, hold = *hold_] {
    const bool is_accepted = world_.guard().use(hold);
    world_.cluster().counts().count(is_accepted ? Rare::token_accepted : Rare::token_refused);
  });
}

// Everybody gets the lock once more. Whether that is done.
bool User::locks_at_last() {
  if (!world_.options().locks || (locked_at_last_ && locker_.rests())) return true;
  if (!under_way_.empty()) return false;
  locker_.want();
  if (hold_) let_go();
  std::vector<wire::Request> requests;
  ask_for_lock(requests);
  if (!requests.empty()) ask(std::move(requests));
  return false;
}

}  // namespace sim
