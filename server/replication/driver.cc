#include "server/replication/driver.h"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "wire/ensure.h"
#include "zab/print.h"

namespace server {
namespace {

// What is read at once for a learner, and what its link may hold meanwhile.
constexpr std::uint64_t read_bytes = std::uint64_t{1} << 20;
constexpr std::size_t queued_max = std::size_t{4} << 20;

}  // namespace

Driver::Driver(boost::asio::io_context& io, zab::Peer peer, Links* links, LogWriter& log,
               Snapshots snapshots, DriverHandler& handler)
    : io_(io),
      peer_(std::move(peer)),
      links_(links),
      log_(log),
      snapshots_(std::move(snapshots)),
      handler_(handler) {}

void Driver::start() { carry_out(peer_.start()); }

void Driver::post(zab::Event event) {
  events_.push_back({std::move(event)});
  schedule();
}

void Driver::link_up(zab::ServerId server, std::uint64_t connection) {
  events_.push_back({zab::LinkUp{server}, connection});
  schedule();
}

void Driver::link_down(zab::ServerId server) { post(zab::LinkDown{server}); }

void Driver::link_drained(zab::ServerId server) { read(server); }

// Behind whatever else is ready now, so that one turn of the loop makes one batch.
void Driver::schedule() {
  if (std::exchange(scheduled_, true)) return;
  boost::asio::post(io_, [this] { run(); });
}

void Driver::run() {
  scheduled_ = false;
  counters_.turns += 1;
  counters_.events += events_.size();
  zab::Effects effects;
  for (Waiting& waiting : std::exchange(events_, {})) {
    // What was said before a link changed is for the link as it was.
    const auto* up = std::get_if<zab::LinkUp>(&waiting.event);
    const auto* down = std::get_if<zab::LinkDown>(&waiting.event);
    if (up != nullptr || down != nullptr) carry_out(std::exchange(effects, {}));
    if (up != nullptr) connections_[up->server] = waiting.connection;
    if (down != nullptr) connections_.erase(down->server);
    if (down != nullptr) readings_.erase(down->server);
    if (down != nullptr) snapshots_.forget(down->server);
    zab::Effects step = peer_.step(std::move(waiting.event));
    // Here, for a batch may hold an election from its beginning to its end.
    const bool looks = step.role_status && step.role_status->role == zab::Role::looking;
    counters_.elections += looks ? 1 : 0;
    effects += std::move(step);
  }
  carry_out(std::move(effects));
}

std::uint64_t Driver::connection(zab::ServerId server) const {
  const auto found = connections_.find(server);
  return found == connections_.end() ? 0 : found->second;
}

void Driver::carry_out(zab::Effects effects) {
  for (const std::string& note : effects.notes) spdlog::info("{}", note);
  for (const auto& [to, message] : effects.send) links_->send(to, connection(to), message);

  std::vector<Promise> promises;
  for (zab::Envelope& envelope : effects.confirm) {
    const std::uint64_t over = connection(envelope.to);
    promises.push_back({std::move(envelope), over});
  }
  if (effects.persist.empty() && writes_under_way_ == 0) {
    keep(promises);
  } else if (!effects.persist.empty() || !promises.empty()) {
    writes_under_way_ += 1;
    log_.write(std::move(effects.persist), [this, promises = std::move(promises)] {
      writes_under_way_ -= 1;
      keep(promises);
    });
  }

  for (const zab::Read& one : effects.read) {
    const zab::ServerId learner = std::visit([](const auto& r) { return r.learner; }, one);
    readings_.insert_or_assign(learner, Reading{one, connection(learner)});
    read(learner);
  }
  if (effects.role_status) spdlog::info("{}", zab::to_string(*effects.role_status));
  if (for_handler_.empty() && !effects.restore) {
    for (const zab::Txn& txn : effects.deliver) handler_.deliver(txn);
    for (const zab::Confirmed& confirmed : effects.confirmed) handler_.confirmed(confirmed);
    if (effects.role_status) handler_.role_changed(*effects.role_status);
    return;
  }
  if (effects.restore) for_handler_.emplace_back(Restore{});
  for (zab::Txn& txn : effects.deliver) for_handler_.emplace_back(std::move(txn));
  for (const zab::Confirmed& confirmed : effects.confirmed) for_handler_.emplace_back(confirmed);
  if (effects.role_status) for_handler_.emplace_back(*effects.role_status);
  hand_on();
}

void Driver::hand_on() {
  while (!for_handler_.empty() && !std::holds_alternative<Restore>(for_handler_.front())) {
    const ForHandler next = std::move(for_handler_.front());
    for_handler_.pop_front();
    if (const auto* txn = std::get_if<zab::Txn>(&next)) handler_.deliver(*txn);
    if (const auto* confirmed = std::get_if<zab::Confirmed>(&next)) handler_.confirmed(*confirmed);
    if (const auto* role_status = std::get_if<zab::RoleStatus>(&next)) {
      handler_.role_changed(*role_status);
    }
  }
}

void Driver::restored() {
  ensure(!for_handler_.empty() && std::holds_alternative<Restore>(for_handler_.front()),
         "a snapshot was adopted");
  for_handler_.pop_front();
  hand_on();
}

// A learner that takes little is read for little: nothing piles up for it.
void Driver::read(zab::ServerId learner) {
  const auto found = readings_.find(learner);
  if (found == readings_.end() || links_->queued(learner) > queued_max) return;
  const Reading reading = std::move(found->second);
  readings_.erase(found);
  if (reading.connection != connection(learner)) return;
  if (const auto* history = std::get_if<zab::ReadHistory>(&reading.what)) return read_log(*history);
  snapshots_.read(std::get<zab::ReadSnapshot>(reading.what),
                  [this](zab::SnapshotRead answer) { post(std::move(answer)); });
}

void Driver::read_log(const zab::ReadHistory& what) {
  log_.read(what.after, read_bytes, [this, asked = what](LogWriter::Stretch found) {
    zab::HistoryRead answer{asked.learner, asked.ticket, std::nullopt, {}};
    if (found) {
      answer.from = found->from;
      answer.txns = std::move(found->txns);
    }
    post(std::move(answer));
  });
}

void Driver::keep(const std::vector<Promise>& promises) {
  for (const Promise& promise : promises) {
    const auto& [to, message] = promise.envelope;
    if (to == peer_.state().self) {
      post(zab::Received{to, message});
    } else {
      links_->send(to, promise.connection, message);
    }
  }
}

}  // namespace server
