#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Finds fields in the JSON text of replies without parsing it, so that the load generator costs
// little processor time.
namespace bench {

// The text of a field that is a string without escapes; empty if there is no such field.
[[nodiscard]] std::string_view field(std::string_view json, const std::string& name);
[[nodiscard]] bool is_error(std::string_view json);
[[nodiscard]] bool is_event(std::string_view json);

// Calls `found(id, rest)` for each reply in a frame; `rest` is all text after the id.
template <class Found>
void for_each_reply(std::string_view frame, const Found& found) {
  static constexpr std::string_view mark = "{\"id\":";
  for (std::size_t at = frame.find(mark); at != std::string_view::npos; at = frame.find(mark, at)) {
    at += mark.size();
    std::uint32_t id = 0;
    while (at < frame.size() && frame[at] >= '0' && frame[at] <= '9') {
      id = id * 10 + static_cast<std::uint32_t>(frame[at++] - '0');
    }
    found(id, frame.substr(at));
  }
}

}  // namespace bench
