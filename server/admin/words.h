#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/admin/options.h"
#include "server/metrics/readings.h"

namespace server {

// The version of ZooKeeper whose behaviour clients find here.
inline constexpr std::string_view zookeeper_version = "3.9.3";

// The text that answers a word of four letters, as ZooKeeper's does: the tools of its operators
// read it. Says so if the word is not answered here. `read` is called only if the text depends on
// it.
[[nodiscard]] std::string word_text(std::string_view word, const AdminOptions& options,
                                    const std::function<Readings()>& read);

}  // namespace server
