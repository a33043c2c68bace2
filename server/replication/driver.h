#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "server/checkpoints/checkpointer.h"
#include "server/metrics/availability.h"
#include "server/peers/links.h"
#include "server/pipeline/pipeline.h"
#include "server/replication/log_writer.h"
#include "server/replication/result_queue.h"
#include "wire/forms.h"
#include "zab/peer.h"

namespace server {

// Runs the protocol core: gives events to the peer and carries out its effects, on the event loop's
// one thread. All queued events are handled as one batch, and their effects are carried out
// together.
class Driver {
 public:
  using RoleChanged = std::function<void(const zab::RoleStatus&)>;

  // All of them outlive this. `role_changed` is called after the pipeline knows of the new role.
  Driver(boost::asio::io_context& io, zab::Peer peer, Links& links, LogWriter& log,
         Checkpointer& checkpointer, Pipeline& pipeline, RoleChanged role_changed);

  void start();
  // Queues an event for the peer.
  void post(zab::Event event);
  // Calls Pipeline::go_on behind everything else that is ready now.
  void call_soon();

  // The events of the links: see Links::Callbacks.
  void link_up(zab::ServerId server, std::uint64_t connection);
  void link_down(zab::ServerId server);
  void received(zab::ServerId from, PeerMessage&& message);
  // The link to this learner has room: goes on with what the peer wants to send to it.
  void read_on(zab::ServerId learner);

  // The adopted snapshot at `at` is loaded: `service` is the state now. The results that were
  // decided after the adoption have waited for the snapshot, and are delivered now.
  void restored(session::Service&& service, zab::Point at);

  // A server whose program cannot run at this level gets no link: the level that is in force here,
  // or the level on the disk, if that is greater. What is on the disk may be sent to the server.
  [[nodiscard]] wire::Level needed_level() const;

  [[nodiscard]] const zab::Peer& peer() const { return peer_; }
  // See Checkpointer::LogCalls. On the event loop's thread, between events.
  void drop_before(zab::Point checkpoint, wire::Level level);
  [[nodiscard]] const DriverCounters& counters() const { return counters_; }
  [[nodiscard]] const Availability& availability() const { return availability_; }
  // Events that are queued.
  [[nodiscard]] std::size_t queued() const { return events_.size(); }

 private:
  struct QueuedEvent {
    zab::Event event;
    std::uint64_t connection = 0;  // of a LinkUp
  };
  // An envelope, and the connection that the peer meant: it must not leave over a later one.
  struct Promise {
    zab::Envelope envelope;
    std::uint64_t connection;
  };
  // A part of the history or of a snapshot that a learner lacks. It is read once the learner's link
  // has written what was queued before.
  struct PendingRead {
    zab::Read what;
    std::uint64_t connection;
  };
  void schedule();
  void run();
  void carry_out(zab::Effects effects);
  void send_promises(const std::vector<Promise>& promises);
  void read_log(const zab::ReadHistory& what);
  // Hands results on in this turn of the event loop, and the rest in later ones.
  void hand_on();
  void carry_out(ResultQueue::Result& result);
  void deliver(const zab::Txn& txn);
  void change_role(const zab::RoleStatus& role_status);
  [[nodiscard]] std::uint64_t connection(zab::ServerId server) const;
  [[nodiscard]] bool is_outdated(const zab::Event& event) const;

  boost::asio::io_context& io_;
  zab::Peer peer_;
  Links& links_;
  LogWriter& log_;
  Checkpointer& checkpointer_;
  Pipeline& pipeline_;
  RoleChanged role_changed_;
  zab::RoleStatus role_status_;  // the last one that was handed on; the pipeline knows no later one

  DriverCounters counters_;
  Availability availability_{SteadyClock::now()};
  std::vector<QueuedEvent> events_;
  std::map<zab::ServerId, std::uint64_t> connections_;  // of the links that the peer knows to be up
  bool scheduled_ = false;
  bool will_go_on_ = false;
  std::size_t writes_under_way_ = 0;
  ResultQueue results_;
  bool will_hand_on_ = false;
  std::map<zab::ServerId, PendingRead> reads_;  // one a learner: a later one replaces it
};

// Callbacks for the links of a driver, which may be constructed after them.
[[nodiscard]] Links::Callbacks callbacks_of(Driver& driver);

}  // namespace server
