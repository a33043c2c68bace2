#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/admin/options.h"
#include "server/metrics/readings.h"

namespace server {

// The version of ZooKeeper that this server behaves like.
inline constexpr std::string_view zookeeper_version = "3.9.3";

// Returns the answer to a four-letter word. It has ZooKeeper's form, because operators have tools
// that read it. If the word is not allowed or not known, the answer says so. Calls `read` only if
// the answer depends on it.
[[nodiscard]] std::string word_text(std::string_view word, const AdminOptions& options,
                                    const std::function<Readings()>& read);

}  // namespace server
