#pragma once

#include <functional>
#include <list>
#include <string_view>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "server/config/config.h"
#include "server/replication/driver.h"

namespace server {

// Asks the protocol to let another server lead, and sees what comes of it.
class Handover {
 public:
  enum class Outcome {
    done,     // this server follows another that leads
    refused,  // an election found this server again
    late,     // neither is known yet
  };
  using Done = std::function<void(Outcome)>;

  Handover(boost::asio::io_context& io, Driver& driver) : io_(io), driver_(driver) {}

  // To be asked of a leader. `to` is nobody for whoever is level first. Calls `done` once, on the
  // io_context, and not from within this call.
  void begin(zab::ServerId to, Milliseconds patience, Done done);
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

// Whom a leader can hand its lead over to, by the id that an operator named; nobody, for anybody,
// if `named` is empty. An error says why that cannot be.
[[nodiscard]] wire::Result<zab::ServerId> successor(std::string_view named,
                                                    const std::vector<ServerLine>& servers,
                                                    const zab::Peer& peer);

}  // namespace server
