#include "tests/sim/service/world.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include <spdlog/spdlog.h>

#include "session/restoration.h"
#include "tests/sim/service/linearizability.h"
#include "tests/sim/service/user.h"
#include "tests/sim/violation.h"

namespace sim {
namespace {

// From this long after the last fault, no session with a connected client may expire.
constexpr Time healing_time = 30 * tick;
// The limit of a search for a linear order on one znode. With many unanswered requests a search may
// take too long: each request may have been carried out at any time, or never.
constexpr std::size_t search_steps_max = 50'000;

// Another key for each server, because no result may depend on it.
znode::HashKey hash_key_of(std::size_t server) {
  znode::HashKey::Secret secret{};
  for (std::size_t i = 0; i < secret.size(); ++i) {
    secret[i] = static_cast<unsigned char>((server + 1) * (2 * i + 1) * 151 + i * i);
  }
  return znode::HashKey(secret);
}

}  // namespace

World::World(std::uint64_t seed, const ServiceOptions& options, Cluster*& cluster)
    : options_(options),
      cluster_(cluster),
      random_(seed ^ 0x5e55'1015),
      oracle_({tick_ms, tick_ms * options.container_idle_ticks,
               tick_ms * options.container_unused_ticks}) {
  if (options_.small.are_on()) use_small_limits();
  spdlog::set_level(spdlog::level::off);
}

World::~World() = default;

// --- Servers ---

void World::start(std::size_t server, const Checkpoint& from) {
  if (servers_.empty()) {
    servers_.resize(cluster_->size());
    for (std::size_t i = 0; i < options_.users; ++i) {
      users_.push_back(std::make_unique<User>(*this, i, Greed::none));
    }
    for (const Greed greed : options_.small.greedy) {
      users_.push_back(std::make_unique<User>(*this, users_.size(), greed));
    }
    for (const auto& user : users_) {
      at(now() + random_.below(10 * tick), [&user = *user] { user.begin(); });
    }
    schedule_faults();
  }
  Server& one = servers_[server];
  one.options.id = static_cast<std::uint32_t>(server) + 1;
  one.options.hash_key = hash_key_of(server);
  one.options.servers.clear();
  for (std::uint32_t id = 1; id <= servers_.size(); ++id) one.options.servers.push_back(id);
  one.options.voters = one.options.servers;
  one.clock_error = 0;
  one.options.heartbeat = std::chrono::milliseconds(tick_ms);
  one.options.container_idle = std::chrono::milliseconds(tick_ms * options_.container_idle_ticks);
  one.options.container_unused =
      std::chrono::milliseconds(tick_ms * options_.container_unused_ticks);
  one.options.min_session_timeout = std::chrono::milliseconds(tick_ms * options_.timeout_ticks_min);
  one.options.max_session_timeout = std::chrono::milliseconds(tick_ms * options_.timeout_ticks_max);
  one.options.max_outstanding_requests = options_.outstanding_max;
  one.options.slice_bytes = options_.slice_bytes;
  one.options.outstanding_commands = {options_.session_commands_max, options_.all_commands_max};
  one.options.state_bytes_max = options_.state_bytes_max;
  one.options.upgrade_automatically = options_.upgrade_automatically;
  one.options.levels = programs_.start(server, from);
  one.environment.world = this;
  one.environment.server = server;
  set_limits(one);
  one.pipeline = std::make_unique<server::Pipeline>(one.options, random_.next() >> 16 << 8,
                                                    one.environment, one.ledger);
  one.status_since = now();
  one.stored.clear();
  one.collected.clear();
  if (from.count > 0) one.pipeline->replica().become(std::move(*restored(server, from)));
}

void World::restore(std::size_t server, const Checkpoint& snapshot) {
  Server& one = servers_[server];
  one.collected.clear();
  auto service = restored(server, snapshot);
  const auto is_served = [](const auto& weak) {
    const auto line = weak.lock();
    return line && line->state.owner && !line->server_done_;
  };
  if (std::ranges::any_of(one.lines, is_served)) {
    cluster_->counts().count(Rare::clients_sent_away);
  }
  one.pipeline->restored(std::move(*service));
  for (const auto& weak : one.lines) {
    if (const auto line = weak.lock(); line && !line->server_done_) {
      throw Violation("snapshot",
                      "a client stays connected over a snapshot, whose changes it was not sent");
    }
  }
}

// --- Checkpoints ---

void World::begin_image(std::size_t server) {
  servers_[server].pipeline->replica().service().begin_image();
}

std::shared_ptr<const wire::Bytes> World::collect_image(std::size_t server, Amount amount) {
  Server& one = servers_[server];
  session::Service& service = one.pipeline->replica().service();
  bool is_complete = false;
  do {
    is_complete = service.collect_image(random_.between(1, 8), one.collected);
  } while (!is_complete && amount == Amount::all);
  if (!is_complete) return nullptr;
  for (session::Record& record : std::exchange(one.collected, {})) {
    if (record.value) {
      one.stored.insert_or_assign(std::move(record.key), *std::move(record.value));
    } else {
      one.stored.erase(record.key);
    }
  }
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  for (const auto& [key, value] : one.stored) {
    out.string(key);
    out.string(value);
  }
  return std::make_shared<const wire::Bytes>(std::move(bytes));
}

std::unique_ptr<session::Service> World::restored(std::size_t server, const Checkpoint& from) {
  Server& one = servers_[server];
  if (!from.image) throw Violation("image", "a checkpoint has no image");
  one.stored.clear();
  session::Restoration restoration({.watches = {one.options.max_watches, {}, one.options.hash_key}},
                                   one.options.levels);
  wire::ByteReader in(*from.image);
  while (in.remaining() > 0) {
    wire::Bytes key(in.string());
    wire::Bytes value(in.string());
    if (auto added = restoration.add(key, value); !added) {
      throw Violation("image", added.error().message);
    }
    one.stored.emplace(std::move(key), std::move(value));
  }
  auto service = restoration.finish();
  if (!service) throw Violation("image", service.error().message);
  if ((*service)->applied() != from.at.zxid) {
    throw Violation("image", "the image is at " + wire::to_string((*service)->applied()) +
                                 ", not at " + wire::to_string(from.at.zxid));
  }
  // A restored service does not know earlier changes, and must not claim to know them.
  if ((*service)->watches().history().start() != from.at.zxid) {
    throw Violation("watches", "a restored service claims to know earlier changes");
  }
  oracle_.on_applied(server, **service);
  oracle_.compare(**service);
  return *std::move(service);
}

// --- Events of a server ---

void World::crash(std::size_t server) {
  Server& one = servers_[server];
  for (const auto& weak : std::exchange(one.lines, {})) {
    const auto line = weak.lock();
    if (!line) continue;
    line->end_at_server();
    line->end_at_client(now() + random_.below(3 * tick));
  }
  one.touched.clear();
  one.leads = false;
  one.pipeline.reset();
}

bool World::can_take_checkpoint(std::size_t server) {
  return !servers_[server].pipeline->replica().halt();
}

bool World::greet(std::size_t a, std::size_t b) { return programs_.greet(a, b); }

void World::heartbeat(std::size_t server) { servers_[server].pipeline->tick(); }

void World::deliver(std::size_t server, const zab::Txn& txn) {
  Server& one = servers_[server];
  oracle_.on_delivered(txn, now());
  std::erase_if(one.lines, [](const auto& line) { return line.expired(); });
  std::vector<std::shared_ptr<Line>> lines;
  for (const auto& weak : one.lines) {
    const auto line = weak.lock();
    if (!line->server_done_) lines.push_back(line);
  }
  one.pipeline->deliver(txn);
  programs_.on_delivered(server, txn);
  if (one.pipeline->replica().halt()) return;
  for (const auto& line : lines) {
    if (!line->server_done_) oracle_.on_events_sent(line->state, one.pipeline->replica().service());
  }
  oracle_.on_applied(server, one.pipeline->replica().service());
  cluster_->mix(one.pipeline->replica().service().digest());
  if (random_.one_in(16)) oracle_.compare(one.pipeline->replica().service());

  const Event& event = oracle_.model().events().at(txn.zxid);
  if (std::holds_alternative<session::OpenTxn>(event.txn.body)) {
    touch(server, {txn.zxid.bits()});
  } else if (std::holds_alternative<session::MoveTxn>(event.txn.body)) {
    touch(server, event.txn.session);
  }
}

void World::confirmed(std::size_t server, const zab::Confirmed& confirmed) {
  servers_[server].pipeline->confirmed(confirmed);
}

void World::role_changed(std::size_t server, const zab::RoleStatus& role_status) {
  Server& one = servers_[server];
  one.touched.clear();
  one.leads = role_status.serving && role_status.role == zab::Role::leading;
  one.status_since = now();
  one.pipeline->role_changed(role_status);
}

void World::received(std::size_t server, zab::ServerId from, const server::PeerMessage& message) {
  Server& one = servers_[server];
  if (const auto* touched = std::get_if<server::Touched>(&message)) {
    for (const wire::SessionId session : touched->sessions) touch(server, session);
  }
  std::visit(
      [&](const auto& m) {
        using M = std::decay_t<decltype(m)>;
        if constexpr (!std::is_same_v<M, zab::Message> && !std::is_same_v<M, server::KeepAlive>) {
          one.pipeline->on(from, m);
        }
      },
      message);
}

void World::touch(std::size_t server, wire::SessionId session) {
  servers_[server].touched[session] = now();
}

// A session must not expire if the leader learned within the timeout that the session is alive.
// After the last fault, no session with a connected client may expire.
void World::check_expiry(std::size_t server, const zab::Event& event) {
  const auto* submit = std::get_if<zab::Submit>(&event);
  if (submit == nullptr) return;
  const auto txn = session::decode_transaction(*submit->payload);
  const auto* close = txn ? std::get_if<session::CloseTxn>(&txn->body) : nullptr;
  if (close == nullptr || !close->expired) return;

  const Server& one = servers_[server];
  const auto touched = one.touched.find(txn->session);
  const Time state = std::max(one.status_since, touched == one.touched.end() ? 0 : touched->second);
  const ModelSession& session = oracle_.model().sessions().at(txn->session);
  const Time timeout = static_cast<Time>(session.timeout_ms) * tick / tick_ms;
  // A server's ticks may be a little short.
  if (now() - state < timeout - timeout / 40) {
    throw Violation("expiry", "session " + wire::to_hex(txn->session.value) + " expires too early");
  }
  if (!is_healing_ || now() < healing_since_ + healing_time) return;
  for (const auto& user : users_) {
    // A greedy one may have stopped in the middle of a frame.
    if (user->connected_session() != txn->session || user->is_greedy()) continue;
    // Its server could not report live sessions while it had no leader.
    const Server& its = servers_[user->line()->server()];
    if (now() >= its.status_since + timeout) {
      throw Violation("expiry", "session " + wire::to_hex(txn->session.value) +
                                    " expires although its client is alive");
    }
  }
}

// --- Time ---

void World::at(Time time, std::function<void()> then) {
  agenda_[++numbers_] = std::move(then);
  cluster_->schedule(time, numbers_);
}

void World::at(std::size_t server, Time time, std::function<void()> then) {
  agenda_[++numbers_] = std::move(then);
  cluster_->schedule_at(server, time, numbers_);
}

void World::run_scheduled(Generation number) {
  const auto then = agenda_.extract(number);
  then.mapped()();
}

void World::schedule_faults() {
  const auto repeat = [&](Every every, const auto& what) {
    if (every == 0) return;
    const auto again = [this, every, what](const auto& self) -> void {
      at(now() + random_.between(1, 2 * every), [this, what, self] {
        if (is_healing_) return;
        what();
        self(self);
      });
    };
    again(again);
  };
  const auto any_user = [this]() -> User& { return *users_[random_.below(users_.size())]; };
  repeat(options_.cut, [any_user] {
    if (Line* line = any_user().line()) line->cut();
  });
  repeat(options_.sleep,
         [this, any_user] { any_user().sleep(now() + random_.between(tick, 40 * tick)); });
  repeat(options_.replace_program, [this] { programs_.replace_one(); });
  if (options_.change_level > 0) oracle_.expect_lower_levels();
  if (options_.state_bytes_max < std::numeric_limits<std::size_t>::max()) {
    oracle_.expect_full_state();
  }
  repeat(options_.change_level, [this] { programs_.change_level(); });
  repeat(options_.clock_jump, [this] { set_clock_wrong(); });
}

// --- The end ---

void World::heal() {
  is_healing_ = true;
  healing_since_ = now();
  programs_.heal();
  // An operator raises the limit of the state.
  options_.state_bytes_max = std::numeric_limits<std::size_t>::max();
  for (Server& one : servers_) {
    if (one.pipeline) one.pipeline->replica().service().set_memory_max(options_.state_bytes_max);
  }
  options_.client_delay_max = std::min<Time>(options_.client_delay_max, tick / 2);
  for (const auto& user : users_) user->wake();
  // Users continue for a while, so that a wrong expiry would be noticed.
  at(now() + 2 * healing_time, [this] {
    for (const auto& user : users_) user->conclude();
  });
}

bool World::is_finished() {
  if (!std::ranges::all_of(users_, [](const auto& user) { return user->is_done(); })) return false;
  // Abandoned sessions must have expired.
  return std::ranges::all_of(users_, [&](const auto& user) {
    const auto& sessions = oracle_.model().sessions();
    const auto abandoned = sessions.find(user->abandoned());
    return abandoned == sessions.end() || abandoned->second.closed != wire::Zxid{};
  });
}

void World::finish() {
  for (const Server& one : servers_) {
    if (one.pipeline && !one.pipeline->replica().halt())
      oracle_.compare(one.pipeline->replica().service());
    for (const auto& weak : one.lines) {
      if (const auto line = weak.lock(); line && !line->server_done_) {
        oracle_.on_connection_ended(line->state);
      }
    }
  }
  oracle_.finish();
  for (const auto& user : users_) user->finish();
  queue_log_.read();
  check_reaping();
  search_linear_orders();
  count_measures();
  check_given_back();
}

void World::search_linear_orders() {
  Linearizability::History history;
  for (const auto& user : users_) {
    history.insert(history.end(), user->history().begin(), user->history().end());
  }
  const auto result = Linearizability(history).check(search_steps_max);
  cluster_->counts().znodes_searched += result.znodes;
  cluster_->counts().searches_given_up += result.given_up;
}

}  // namespace sim
