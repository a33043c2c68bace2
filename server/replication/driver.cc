#include "server/replication/driver.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "server/logging/limited_log.h"
#include "wire/ensure.h"
#include "wire/zxid.h"
#include "zab/print.h"

namespace server {
namespace {

// One read of the log for a learner.
constexpr std::uint64_t log_read_bytes = std::uint64_t{1} << 20;
// Nothing is read for a learner whose link has more than this queued.
constexpr std::size_t queued_bytes_max = std::size_t{4} << 20;

}  // namespace

Driver::Driver(boost::asio::io_context& io, zab::Peer peer, Links& links, LogWriter& log,
               Checkpointer& checkpointer, Pipeline& pipeline, RoleChanged role_changed)
    : io_(io),
      peer_(std::move(peer)),
      links_(links),
      log_(log),
      checkpointer_(checkpointer),
      pipeline_(pipeline),
      role_changed_(std::move(role_changed)),
      results_([this](ResultQueue::Result& result) { carry_out(result); }) {}

void Driver::start() { carry_out(peer_.start()); }

// --- Events in ---

void Driver::post(zab::Event event) {
  events_.push_back({std::move(event)});
  schedule();
}

void Driver::link_up(zab::ServerId server, std::uint64_t connection) {
  events_.push_back({zab::LinkUp{server}, connection});
  schedule();
}

void Driver::link_down(zab::ServerId server) { post(zab::LinkDown{server}); }

void Driver::received(zab::ServerId from, PeerMessage&& message) {
  if (auto* to_peer = std::get_if<zab::Message>(&message)) {
    return post(zab::Received{from, std::move(*to_peer)});
  }
  // Behind earlier results: the pipeline must first learn of the role that the other server saw.
  results_.push(PipelineMessage{from, std::move(message)});
  if (!will_hand_on_) hand_on();
}

// Before this server has caught up, its state is of an earlier level than its log.
void Driver::drop_before(zab::Point checkpoint, wire::Level level) {
  if (!pipeline_.role_status().serving) return;
  log_.set_level(level);
  log_.purge(checkpoint, 0);
  peer_.forget_history(checkpoint.zxid);
}

wire::Level Driver::needed_level() const {
  return std::max(pipeline_.replica().service().greatest_level(), checkpointer_.level_on_disk());
}

// Posts `run` behind everything else that is ready now, so that the events of one turn of the event
// loop become one batch.
void Driver::schedule() {
  if (std::exchange(scheduled_, true)) return;
  boost::asio::post(io_, [this] { run(); });
}

void Driver::call_soon() {
  if (std::exchange(will_go_on_, true)) return;
  boost::asio::post(io_, [this] {
    will_go_on_ = false;
    pipeline_.go_on();
  });
}

void Driver::run() {
  scheduled_ = false;
  counters_.turns += 1;
  counters_.events += events_.size();
  zab::Effects effects;
  for (QueuedEvent& queued : std::exchange(events_, {})) {
    // Effects of earlier events belong to the link as it was before this event.
    const auto* up = std::get_if<zab::LinkUp>(&queued.event);
    const auto* down = std::get_if<zab::LinkDown>(&queued.event);
    if (up != nullptr || down != nullptr) carry_out(std::exchange(effects, {}));
    if (up != nullptr) connections_[up->server] = queued.connection;
    if (up != nullptr) pipeline_.clock().linked(up->server);
    if (down != nullptr) connections_.erase(down->server);
    if (down != nullptr) reads_.erase(down->server);
    if (down != nullptr) checkpointer_.forget(down->server);
    if (is_outdated(queued.event)) continue;
    zab::Effects step = peer_.step(std::move(queued.event));
    // Counted for each step, because one batch may hold a whole election.
    const bool looks = step.role_status && step.role_status->role == zab::Role::looking;
    counters_.elections += looks ? 1 : 0;
    effects += std::move(step);
  }
  carry_out(std::move(effects));
}

// Whether the pipeline planned this transaction for an epoch that has ended, and does not know that
// yet. It will drop the plan when it learns of the change of role.
bool Driver::is_outdated(const zab::Event& event) const {
  return std::holds_alternative<zab::Submit>(event) && peer_.role_status() != role_status_;
}

std::uint64_t Driver::connection(zab::ServerId server) const {
  const auto found = connections_.find(server);
  return found == connections_.end() ? 0 : found->second;
}

// --- Effects out ---

// Next: LogWriter::write (log_writer.cc) for `persist`, Pipeline::deliver (pipeline/pipeline.cc)
// for `deliver`.
void Driver::carry_out(zab::Effects effects) {
  for (const zab::Note& note : effects.notes) {
    log_limited(LineKind::protocol_note, spdlog::level::info, "{}", note.text);
  }
  for (const auto& [to, message] : effects.send) links_.send(to, connection(to), message);

  std::vector<Promise> promises;
  for (zab::Envelope& envelope : effects.confirm) {
    const std::uint64_t over = connection(envelope.to);
    promises.push_back({std::move(envelope), over});
  }
  if (effects.persist.empty() && writes_under_way_ == 0) {
    send_promises(promises);
  } else if (!effects.persist.empty() || !promises.empty()) {
    writes_under_way_ += 1;
    log_.write(std::move(effects.persist), [this, promises = std::move(promises)] {
      writes_under_way_ -= 1;
      send_promises(promises);
    });
  }

  for (const zab::Read& one : effects.read) {
    const zab::ServerId learner = std::visit([](const auto& r) { return r.learner; }, one);
    reads_.insert_or_assign(learner, PendingRead{one, connection(learner)});
    read_on(learner);
  }
  if (effects.role_status) {
    log_limited(LineKind::role_changed, spdlog::level::info, "{}",
                zab::to_string(*effects.role_status));
  }
  if (effects.restore) results_.push(ResultQueue::Restore{});
  for (zab::Txn& txn : effects.deliver) results_.push(std::move(txn));
  for (const zab::Confirmed& confirmed : effects.confirmed) results_.push(confirmed);
  if (effects.role_status) results_.push(*effects.role_status);
  if (!will_hand_on_) hand_on();
}

// Next: Leading::on(Ack) (zab/leading_broadcast.cc) on the leader, for an ack.
void Driver::send_promises(const std::vector<Promise>& promises) {
  for (const Promise& promise : promises) {
    const auto& [to, message] = promise.envelope;
    if (to == peer_.state().self) {
      post(zab::Received{to, message});
    } else {
      links_.send(to, promise.connection, message);
    }
  }
}

// --- Results for the service ---

void Driver::hand_on() {
  if (!results_.hand_on()) return;
  will_hand_on_ = true;
  boost::asio::post(io_, [this] {
    will_hand_on_ = false;
    hand_on();
  });
}

void Driver::carry_out(ResultQueue::Result& result) {
  struct Visitor {
    Driver& driver;
    void operator()(ResultQueue::Restore) const {}  // handed on by `restored`
    void operator()(const zab::Txn& txn) const { driver.deliver(txn); }
    void operator()(const zab::Confirmed& confirmed) const {
      driver.pipeline_.confirmed(confirmed);
    }
    void operator()(const zab::RoleStatus& changed) const { driver.change_role(changed); }
    void operator()(PipelineMessage& received) const {
      const auto pass_on = [&](auto& m) {
        using M = std::decay_t<decltype(m)>;
        if constexpr (!std::is_same_v<M, zab::Message> && !std::is_same_v<M, KeepAlive>) {
          driver.pipeline_.on(received.from, m);
        }
      };
      std::visit(pass_on, received.message);
    }
  };
  std::visit(Visitor{*this}, result);
}

void Driver::deliver(const zab::Txn& txn) {
  const bool applies = !pipeline_.replica().halt();
  pipeline_.deliver(txn);
  if (pipeline_.replica().halt()) {
    checkpointer_.stop();  // the service does not hold this transaction
    if (applies) change_role(role_status_);
    return;
  }
  checkpointer_.applied(txn.point(), peer_.state().durable.cluster);
}

void Driver::change_role(const zab::RoleStatus& role_status) {
  role_status_ = role_status;
  pipeline_.role_changed(role_status);
  availability_.note(pipeline_.role_status(), SteadyClock::now());
  role_changed_(role_status);
}

void Driver::restored(session::Service&& service, zab::Point at) {
  ensure(results_.reach_snapshot(), "a snapshot was adopted");
  spdlog::info("a snapshot at {} was adopted: {} nodes", wire::to_string(at.zxid),
               service.tree().size());
  checkpointer_.restored(at, service.level());
  pipeline_.restored(std::move(service));
  links_.level_changed();  // what the snapshot has may be of a greater level than the ensemble
  results_.restored();
  if (!will_hand_on_) hand_on();
}

// --- Reads for learners ---

// Reads no faster than the learner's link sends, so that only a little of the history is in memory.
void Driver::read_on(zab::ServerId learner) {
  const auto found = reads_.find(learner);
  if (found == reads_.end() || links_.queued(learner) > queued_bytes_max) return;
  const PendingRead pending = std::move(found->second);
  reads_.erase(found);
  if (pending.connection != connection(learner)) return;
  if (const auto* history = std::get_if<zab::ReadHistory>(&pending.what)) return read_log(*history);
  checkpointer_.read(std::get<zab::ReadSnapshot>(pending.what),
                     [this](zab::SnapshotRead portion) { post(std::move(portion)); });
}

void Driver::read_log(const zab::ReadHistory& what) {
  log_.read(what.after, log_read_bytes, [this, asked = what](LogWriter::Stretch found) {
    zab::HistoryRead answer{asked.learner, asked.ticket, std::nullopt, {}};
    if (found) {
      answer.from = found->from;
      answer.txns = std::move(found->txns);
    }
    post(std::move(answer));
  });
}

Links::Callbacks callbacks_of(Driver& driver) {
  return {
      .up = [&](auto server, auto connection) { driver.link_up(server, connection); },
      .down = [&](auto server) { driver.link_down(server); },
      .received = [&](auto from, PeerMessage&& m) { driver.received(from, std::move(m)); },
      .drained = [&](auto server) { driver.read_on(server); },
      .cluster = [&] { return driver.peer().state().durable.known_cluster(); },
      .level = [&] { return driver.needed_level(); },
  };
}

}  // namespace server
