#include "client-lib/recipes/work_queue.h"

#include <charconv>
#include <cstddef>
#include <utility>

#include "client-lib/recipes/queue.h"
#include "wire/ensure.h"

namespace zabkeeper {
namespace {

// The digits of the greatest due time: names are in the order of the times.
constexpr std::size_t due_digits = 19;
constexpr std::string_view item_kind = "item-";

}  // namespace

std::string WorkQueue::items() const { return below(path, "items"); }

std::string WorkQueue::takers() const { return below(path, "takers"); }

std::string WorkQueue::puts() const { return below(path, "puts"); }

std::string WorkQueue::new_item(std::int64_t due_ms) const {
  std::string name(item_kind);
  if (order == ItemOrder::due) {
    ensure(due_ms >= 0, "a due time is at least 0");
    const std::string digits = std::to_string(due_ms);
    name = std::string(due_digits - digits.size(), '0') + digits + '-' + name;
  }
  return below(items(), name);
}

std::optional<std::int64_t> due_time_of(std::string_view name) {
  if (name.size() < due_digits || !name.substr(due_digits).starts_with('-')) return std::nullopt;
  std::int64_t due = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + due_digits, due);
  const bool is_time = parsed.ec == std::errc{} && parsed.ptr == name.data() + due_digits;
  return is_time && due >= 0 ? std::optional(due) : std::nullopt;
}

WorkQueue work_queue(std::string path) { return {std::move(path), ItemOrder::put}; }

WorkQueue delay_queue(std::string path) { return {std::move(path), ItemOrder::due}; }

}  // namespace zabkeeper
