#include "tests/sim/service/user.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/violation.h"

namespace sim {
namespace {

constexpr std::int64_t tick_ms = 50;

bool is_of_session(const wire::Request& request) {
  return !std::holds_alternative<wire::PingRequest>(request) &&
         !std::holds_alternative<wire::ConnectRequest>(request);
}

bool is_write(const wire::Request& request) { return session::order_of(request).has_value(); }

}  // namespace

User::User(World& world, std::size_t number)
    : world_(world), number_(number), random_(world.random().next()) {}

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
      if (requests.empty()) return act();
      ask(std::move(requests));
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

std::string User::some_path() {
  static const char* const names[] = {"/a", "/b", "/c"};
  std::string path = names[random_.below(3)];
  if (!random_.one_in(4)) path += "/k" + std::to_string(random_.below(4));
  if (random_.one_in(5)) path += "/x";
  if (random_.one_in(60)) return "/";
  if (random_.one_in(60)) path += '/';
  return path;
}

// What it saw some time, if it remembers.
wire::Zxid User::some_past() {
  if (history_.empty()) return seen_;
  const Asked& asked = *history_[random_.below(history_.size())];
  return asked.reply ? asked.reply->zxid : asked.seen;
}

std::int32_t User::some_version(const std::string& path) {
  if (!random_.one_in(3)) return wire::any_version;
  const auto known = versions_.find(path);
  return known == versions_.end() ? static_cast<std::int32_t>(random_.below(3)) : known->second;
}

wire::Bytes User::some_data() { return std::to_string(number_) + '.' + std::to_string(++writes_); }

wire::Request User::some_write(bool within_multi) {
  const std::string path = some_path();
  switch (random_.below(within_multi ? 6 : 8)) {
    case 0:
    case 1: {
      wire::SetRequest set;
      set.path = path;
      set.data = some_data();
      set.version = some_version(path);
      set.create = random_.one_in(3);
      return set;
    }
    case 2:
    case 3: {
      wire::CreateRequest create;
      create.path = path;
      create.data = some_data();
      create.parents = random_.one_in(2);
      switch (random_.below(8)) {
        case 0:
        case 1: create.ephemeral = true; break;
        case 2: create.container = true; break;
        case 3: create.ttl_ms = static_cast<std::int64_t>(random_.between(1, 40)) * tick_ms; break;
        default: break;
      }
      if (random_.one_in(12)) create.acl = wire::Acl{{"world", "anyone", 31 & ~1}};
      return create;
    }
    case 4:
    case 5: {
      wire::DeleteRequest remove;
      remove.path = path;
      remove.version = some_version(path);
      remove.recursive = random_.one_in(4);
      return remove;
    }
    case 6: {
      wire::CreateRequest create;
      create.path = random_.one_in(2) ? "/a/n-" : "/b/n-";
      create.data = some_data();
      create.sequential = true;
      create.ephemeral = random_.one_in(2);
      create.parents = true;
      return create;
    }
    default: {
      wire::SetAclRequest acl;
      acl.path = path;
      acl.acl = {{"world", "anyone",
                  static_cast<std::uint8_t>(random_.one_in(2) ? 31 : 16 | random_.below(16))}};
      acl.version = random_.one_in(4) ? 0 : wire::any_version;
      return acl;
    }
  }
}

wire::Request User::some_read() {
  wire::ReadOptions read;
  switch (random_.below(6)) {
    case 0:
    case 1: read.consistency = wire::Linearizable{}; break;
    case 2: read.consistency = wire::AtLeast{world_.oracle().acknowledged()}; break;
    default: break;
  }
  read.watch = random_.one_in(4);
  const std::string path = some_path();
  switch (random_.below(10)) {
    case 0:
    case 1:
    case 2: return wire::GetRequest{path, read};
    case 3: return wire::ExistsRequest{path, read};
    case 4: {
      wire::ChildrenRequest children;
      children.path = path;
      children.read = read;
      children.with_stat = random_.one_in(2);
      children.with_data = random_.one_in(3);
      if (random_.one_in(3)) children.limit = static_cast<std::uint32_t>(random_.below(4));
      if (random_.one_in(3)) children.after = "k1";
      return children;
    }
    case 5: return wire::CountRequest{path, read};
    case 6: return wire::EphemeralsRequest{random_.one_in(2) ? "/" : "/a"};
    case 7: return wire::GetAclRequest{path};
    case 8: return wire::SyncRequest{path};
    default: return wire::PingRequest{};
  }
}

wire::Request User::some_request() {
  const std::uint64_t dice = random_.below(100);
  if (dice < 40) return some_write(false);
  if (dice < 48) {
    wire::MultiRequest multi;
    bool has_ephemeral = false;
    for (std::uint64_t i = random_.between(1, 4); i > 0; --i) {
      const std::string path = some_path();
      switch (random_.below(6)) {
        case 0: multi.ops.emplace_back(wire::CheckRequest{path, some_version(path)}); break;
        case 1: multi.ops.emplace_back(wire::GetRequest{path, {}}); break;
        case 2: {
          wire::ChildrenRequest children;
          children.path = path;
          multi.ops.emplace_back(children);
          break;
        }
        default:
          std::visit(
              [&](auto& op) {
                using Op = std::decay_t<decltype(op)>;
                if constexpr (std::is_same_v<Op, wire::CreateRequest>) {
                  // The order in which several of one transaction go is not to be foreseen.
                  if (std::exchange(has_ephemeral, has_ephemeral || op.ephemeral)) {
                    op.ephemeral = false;
                  }
                }
                if constexpr (std::is_constructible_v<wire::MultiOp, Op>)
                  multi.ops.emplace_back(op);
              },
              *std::make_unique<wire::Request>(some_write(true)));
      }
    }
    return multi;
  }
  if (dice < 60) {
    wire::WatchRequest watch;
    watch.path = some_path();
    watch.scope = static_cast<wire::WatchScope>(random_.below(3));
    watch.once = random_.one_in(3);
    watch.with_data = random_.one_in(2);
    if (random_.one_in(2)) watch.from = random_.one_in(3) ? some_past() : seen_;
    return watch;
  }
  if (dice < 63 && !watches_.empty()) {
    return wire::UnwatchRequest{watches_[random_.below(watches_.size())]};
  }
  if (dice < 64 && random_.one_in(2)) return wire::CloseRequest{};
  return some_read();
}

}  // namespace sim
