#include "tools/shell/busy_paths.h"

#include <algorithm>
#include <utility>

namespace shell {
namespace {

constexpr std::size_t number_digits = 10;  // of a sequential node

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Replaces the number of each sequential node's name by `*`.
std::string without_numbers(std::string_view path) {
  std::string text;
  while (!path.empty()) {
    const std::size_t size = std::min(path.find('/', 1), path.size());
    const std::string_view name = path.substr(0, size);
    path.remove_prefix(size);
    const bool is_numbered =
        name.size() > number_digits &&
        std::ranges::all_of(name.substr(name.size() - number_digits), is_digit);
    text += is_numbered ? name.substr(0, name.size() - number_digits) : name;
    if (is_numbered) text += '*';
  }
  return text;
}

}  // namespace

std::string BusyPaths::group_of(std::string_view path) const {
  std::size_t end = grouping_.root == "/" ? 0 : std::min(grouping_.root.size(), path.size());
  for (std::size_t depth = 0; depth < grouping_.depth && end < path.size(); ++depth) {
    end = std::min(path.find('/', end + 1), path.size());
  }
  path = end == 0 ? "/" : path.substr(0, end);
  return grouping_.folds_numbers ? without_numbers(path) : std::string(path);
}

void BusyPaths::add(const wire::WatchEvent& event) {
  if (event.kind == wire::EventKind::resync) {
    is_complete_ = false;
    return;
  }
  ++events_;
  Counts& counts = counts_[group_of(event.path)];
  if (event.kind == wire::EventKind::created) ++counts.created;
  if (event.kind == wire::EventKind::changed) ++counts.changed;
  if (event.kind == wire::EventKind::deleted) ++counts.deleted;
  if (counts_.size() <= paths_max_) return;
  std::vector<Line> kept = busiest(paths_max_ / 2);
  counts_.clear();
  for (Line& line : kept) counts_.emplace(std::move(line.path), line.counts);
}

BusyPaths::Report BusyPaths::take(std::size_t lines_max) {
  Report report{busiest(lines_max), std::exchange(events_, 0), std::exchange(is_complete_, true)};
  counts_.clear();
  return report;
}

std::vector<BusyPaths::Line> BusyPaths::busiest(std::size_t lines_max) const {
  std::vector<Line> lines;
  lines.reserve(counts_.size());
  for (const auto& [path, counts] : counts_) lines.push_back({path, counts});
  const auto middle =
      lines.begin() + static_cast<std::ptrdiff_t>(std::min(lines_max, lines.size()));
  std::partial_sort(lines.begin(), middle, lines.end(), [](const Line& a, const Line& b) {
    const std::uint64_t of_a = a.counts.events(), of_b = b.counts.events();
    return of_a != of_b ? of_a > of_b : a.path < b.path;
  });
  lines.erase(middle, lines.end());
  return lines;
}

}  // namespace shell
