#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/pipeline/pipeline.h"
#include "server/replication/driver.h"
#include "server/replication/handover.h"

namespace server {

// Hands the lead of a server that has halted to another voter, because a leader that has halted
// plans nothing.
class HaltedLead {
 public:
  // All of them outlive this.
  HaltedLead(boost::asio::io_context& io, const Pipeline& pipeline, const Driver& driver,
             Handover& handover)
      : pipeline_(pipeline), driver_(driver), handover_(handover), timer_(io) {}

  void role_changed(const zab::RoleStatus& role_status);
  // Makes no further attempt.
  void stop() { timer_.cancel(); }

 private:
  const Pipeline& pipeline_;
  const Driver& driver_;
  Handover& handover_;
  boost::asio::steady_timer timer_;  // until the next attempt
  bool waits_ = false;               // for the timer
  zab::ServerId successor_ = {};     // of the last attempt
};

// The voter with the next greater id than `after`, or the first one. Leaves `self` out; none if
// there is no other voter.
[[nodiscard]] zab::ServerId next_voter(const zab::Ensemble& ensemble, zab::ServerId self,
                                       zab::ServerId after);

}  // namespace server
