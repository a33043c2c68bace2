#include "tools/shell/queue_places.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "client-lib/recipes/queue.h"

namespace shell {
namespace {

// The readers' kinds in this project, in Curator and in kazoo: see client-lib/recipes/queue.h.
constexpr std::array<std::string_view, 3> reader_kinds{zabkeeper::reader_kind, "__READ__",
                                                       "__rlock__"};
constexpr std::string_view place_kind = "lease-";

bool is_reader(std::string_view kind) {
  return std::ranges::any_of(reader_kinds, [&](auto each) { return kind.ends_with(each); });
}

}  // namespace

std::optional<QueuePlaces::Place> QueuePlaces::next(std::string_view name) {
  if (name.size() < zabkeeper::number_digits) return std::nullopt;
  const std::string_view kind = name.substr(0, name.size() - zabkeeper::number_digits);
  const std::size_t before = before_++;
  if (is_reader(kind)) return Place{not_readers_before_ == 0, not_readers_before_};
  not_readers_before_ += 1;
  std::size_t places = 1;
  if (kind.ends_with(place_kind)) places = static_cast<std::size_t>(limit_.value_or(0));
  return Place{before < places, before < places ? 0 : before - places + 1};
}

}  // namespace shell
