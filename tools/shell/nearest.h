#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shell {

// The candidate that the user has probably meant by `word`. Only few letters may differ, be
// missing, be too many, or have changed places. Returns nothing if no candidate is that near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string>& candidates);

// "; did you mean `status`?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace shell
