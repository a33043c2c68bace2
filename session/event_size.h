#pragma once

#include <cstddef>

#include "wire/replies.h"

namespace session {

// The size of an event beside its texts, about: encoded, and in memory.
inline constexpr std::size_t event_fields_bytes = 256;

// The size of an event without its data, about.
[[nodiscard]] inline std::size_t size_without_data(const wire::WatchEvent& event) {
  return event_fields_bytes + event.path.size() + event.watch.json.size();
}

// The size of an event with its data, about, before data are escaped.
[[nodiscard]] inline std::size_t size_of(const wire::WatchEvent& event) {
  return size_without_data(event) + (event.data ? event.data->size() : 0);
}

}  // namespace session
