#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <string_view>

#include <boost/asio/steady_timer.hpp>

#include "server/replication/driver.h"

namespace server {

// A planned change of leader: asks the protocol for it, and waits for the result.
class Handover {
 public:
  enum class Outcome {
    done,     // this server follows another that leads
    refused,  // this server was elected again
    late,     // neither has happened within the timeout
  };
  using Done = std::function<void(Outcome)>;

  Handover(boost::asio::io_context& io, Driver& driver) : io_(io), driver_(driver) {}

  // On a leader only. `to` is none for the first follower that has caught up. Calls `done` once, on
  // the io_context, after this call.
  void begin(zab::ServerId to, std::chrono::milliseconds patience, Done done);
  void role_changed(const zab::RoleStatus& role_status);

 private:
  struct Waiting {
    boost::asio::steady_timer patience;
    Outcome outcome = Outcome::late;
  };

  boost::asio::io_context& io_;
  Driver& driver_;
  std::list<Waiting> waiting_;
};

// The server that this leader can hand its lead over to, by the id that an operator named; none,
// for any follower, if `named` is empty. An error says why it is not possible.
[[nodiscard]] wire::Result<zab::ServerId> successor(std::string_view named, const zab::Peer& peer);

}  // namespace server
