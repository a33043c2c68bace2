#pragma once

#include <string>
#include <string_view>

#include "server/admin/options.h"
#include "server/metrics/readings.h"

namespace server {

// The version of ZooKeeper whose behaviour clients find here.
inline constexpr std::string_view zookeeper_version = "3.9.3";

// The text that answers a word of four letters, as ZooKeeper's does: the tools of its operators
// read it. Says so if the word is not answered here.
[[nodiscard]] std::string word_text(std::string_view word, const AdminOptions& options,
                                    const Readings& now);

}  // namespace server
