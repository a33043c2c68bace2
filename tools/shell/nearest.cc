#include "tools/shell/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace shell {
namespace {

// The number of single edits. A swap of two neighbours is one edit.
std::size_t edits_between(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before_last(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool is_swapped =
          i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (is_swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[to.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  constexpr std::size_t length_max = 40;  // nobody misspells longer words
  if (word.size() > length_max) return std::nullopt;
  std::optional<std::string> found;
  std::size_t least = word.size() < 4 ? 2 : std::min<std::size_t>(word.size() / 3 + 1, 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t edits = edits_between(word, candidate);
    if (edits >= candidate.size()) continue;
    // Of two equally near candidates, prefer the one that begins with `word`.
    const bool is_as_near =
        found && edits == least && candidate.starts_with(word) && !found->starts_with(word);
    if (edits >= least && !is_as_near) continue;
    least = edits;
    found = candidate;
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const auto found = nearest(word, candidates);
  return found ? "; did you mean `" + *found + "`?" : std::string();
}

}  // namespace shell
