#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shell {

// The candidate that `word` was probably meant to be: one with few letters that differ, are
// missing, are too many, or have changed places. Nothing if none is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string>& candidates);

// "; did you mean `status`?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace shell
