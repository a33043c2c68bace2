#pragma once

#include <string>

#include "server/metrics/status.h"

namespace server {

class AdminCommands;

// Whoever knows the server's status, and everything else that it shows or does for an operator.
class StatusSource {
 public:
  virtual ~StatusSource() = default;
  [[nodiscard]] virtual Status status() const = 0;
  // In Prometheus' text format.
  [[nodiscard]] virtual std::string metrics() const = 0;
  [[nodiscard]] virtual const AdminCommands& commands() const = 0;
};

}  // namespace server
