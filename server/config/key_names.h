#pragma once

#include <string>
#include <string_view>

namespace server {

// The known key that is most similar to `name`; empty if none is similar.
[[nodiscard]] std::string nearest_key(std::string_view name);

// tickTime -> ZABKEEPER_TICK_TIME, server.1 -> ZABKEEPER_SERVER_1
[[nodiscard]] std::string environment_name(std::string_view key);

}  // namespace server
