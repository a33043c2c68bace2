#pragma once

#include <string>

#include "server/peers/links.h"
#include "server/pipeline/environment.h"
#include "server/replication/driver.h"

namespace server {

// The environment of the pipeline in a real server: the protocol, the links and the machine's
// clocks.
class ServerEnvironment final : public Environment {
 public:
  // Both may be constructed later than this.
  ServerEnvironment(Driver& driver, Links& links) : driver_(driver), links_(links) {}

  void post(zab::Event event) override;
  void send(zab::ServerId to, const PeerMessage& message) override;
  [[nodiscard]] wire::TimeMs wall_clock() override;
  [[nodiscard]] SteadyClock::time_point now() override;
  [[nodiscard]] std::string new_password() override;

 private:
  Driver& driver_;
  Links& links_;
};

}  // namespace server
