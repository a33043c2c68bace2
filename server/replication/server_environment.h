#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "server/peers/links.h"
#include "server/pipeline/environment.h"
#include "server/replication/driver.h"
#include "server/replication/log_writer.h"

namespace server {

// The environment of the pipeline in a real server: the protocol, the links and the machine's
// clocks.
class ServerEnvironment final : public Environment {
 public:
  // `servers`: the ids of the configuration, `self` included. The parts may be constructed later
  // than this.
  ServerEnvironment(std::uint32_t self, std::vector<std::uint32_t> servers, Driver& driver,
                    Links& links, LogWriter& log)
      : self_(self), servers_(std::move(servers)), driver_(driver), links_(links), log_(log) {}

  void post(zab::Event event) override;
  void send(zab::ServerId to, const PeerMessage& message) override;
  [[nodiscard]] wire::TimeMs wall_clock() override;
  [[nodiscard]] SteadyClock::time_point now() override;
  void call_soon() override { driver_.call_soon(); }
  [[nodiscard]] std::vector<ServerLevels> server_levels() override;
  // From now on the log is written at this level. Links with servers that cannot run at it end.
  void level_changed(wire::Level level) override;
  [[nodiscard]] std::string new_password() override;

 private:
  std::uint32_t self_;
  std::vector<std::uint32_t> servers_;
  Driver& driver_;
  Links& links_;
  LogWriter& log_;
};

}  // namespace server
