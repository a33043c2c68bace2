#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "server/admin/commands.h"
#include "server/admin/options.h"
#include "server/pipeline/pipeline.h"

// The commands that list what a server has. They answer with one page, which takes about a
// millisecond of the event loop, and with the place where the next page begins.
namespace server {

// A whole number, and nothing else; none if it is too large for its type.
template <typename Number>
[[nodiscard]] std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Arguments: `after`, the id of a session: the page begins behind it; `at`, the id of a server:
// only sessions whose client connected to that server last.
[[nodiscard]] Answer sessions_answer(const Pipeline& pipeline,
                                     const AdminCommands::Arguments& arguments);

// Arguments: `from`, where the page begins; `least`: only paths with so many watches. The page has
// those of its paths with most watches.
[[nodiscard]] Answer watches_answer(const Pipeline& pipeline,
                                    const AdminCommands::Arguments& arguments);

// What was set, without secrets.
[[nodiscard]] Answer configuration_answer(const AdminOptions& options);

}  // namespace server
