#pragma once

#include <string>
#include <vector>

#include "server/config/settings.h"

namespace server {

struct EnvironmentSettings {
  Settings settings;
  std::vector<std::string> notes;  // about variables that are ignored, a sentence each
};

// The keys that are set by variables such as ZABKEEPER_TICK_TIME. `environment` is like `environ`.
// Keys of ZooKeeper are among them if they can ask for security: they are judged as in a file.
// Kubernetes sets variables for each service: ZABKEEPER_WEB_PORT=tcp://10.0.0.1:2180 for one that
// is named zabkeeper-web. They are ignored.
[[nodiscard]] EnvironmentSettings read_environment(const char* const* environment);

}  // namespace server
