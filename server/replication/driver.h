#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <variant>
#include <vector>

#include "server/peers/links.h"
#include "server/replication/driver_handler.h"
#include "server/replication/log_writer.h"
#include "zab/peer.h"

namespace server {

// Carries out what the peer decides: events in, effects out, on the event loop's one thread. All
// events that wait are taken at once, and their effects are carried out as one.
class Driver {
 public:
  // What of a checkpoint a driver needs.
  struct Snapshots {
    // As Checkpointer::read and Checkpointer::forget.
    std::function<void(const zab::ReadSnapshot&, std::function<void(zab::SnapshotRead)>)> read;
    std::function<void(zab::ServerId)> forget;
  };

  Driver(boost::asio::io_context& io, zab::Peer peer, Links* links, LogWriter& log,
         Snapshots snapshots, DriverHandler& handler);

  void start();
  void post(zab::Event event);
  // `connection` is what Links calls it.
  void link_up(zab::ServerId server, std::uint64_t connection);
  void link_down(zab::ServerId server);
  // The state is now what the last adopted snapshot made of it. Until then the handler hears
  // nothing of what comes after.
  void restored();
  // The link has taken what was queued.
  void link_drained(zab::ServerId server);

  [[nodiscard]] const zab::Peer& peer() const { return peer_; }
  [[nodiscard]] const DriverCounters& counters() const { return counters_; }
  // Events that were not taken yet.
  [[nodiscard]] std::size_t waiting() const { return events_.size(); }

 private:
  struct Waiting {
    zab::Event event;
    std::uint64_t connection = 0;  // of a LinkUp
  };
  // An envelope and the connection that the peer meant: a later one is not for it.
  struct Promise {
    zab::Envelope envelope;
    std::uint64_t connection;
  };

  // What a learner lacks, to be read when its link has taken what was sent before.
  struct Reading {
    zab::Read what;
    std::uint64_t connection;
  };

  void schedule();
  void run();
  void read(zab::ServerId learner);
  void read_log(const zab::ReadHistory& what);
  void hand_on();
  void carry_out(zab::Effects effects);
  void keep(const std::vector<Promise>& promises);
  [[nodiscard]] std::uint64_t connection(zab::ServerId server) const;

  boost::asio::io_context& io_;
  zab::Peer peer_;
  Links* links_;  // none for a server that is alone
  LogWriter& log_;
  Snapshots snapshots_;
  DriverHandler& handler_;

  DriverCounters counters_;
  std::vector<Waiting> events_;
  std::map<zab::ServerId, std::uint64_t> connections_;  // of the links that the peer knows to be up
  bool scheduled_ = false;
  std::size_t writes_under_way_ = 0;
  // For the handler, behind snapshots that are still being loaded.
  struct Restore {};
  using ForHandler = std::variant<Restore, zab::Txn, zab::Confirmed, zab::RoleStatus>;
  std::deque<ForHandler> for_handler_;
  std::map<zab::ServerId, Reading> readings_;  // one a learner: a later one takes its place
};

}  // namespace server
