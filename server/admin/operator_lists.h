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

// Arguments: `after`: the page begins after the session with this id. `at`: only sessions whose
// client connected last to the server with this id.
[[nodiscard]] Answer sessions_answer(const Pipeline& pipeline,
                                     const AdminCommands::Arguments& arguments);

// Arguments: `from`: where the page begins. `least`: only paths with at least so many watches. Of
// the paths that the page looks at, it has those with the most watches.
[[nodiscard]] Answer watches_answer(const Pipeline& pipeline,
                                    const AdminCommands::Arguments& arguments);

// The settings of the configuration, without secrets.
[[nodiscard]] Answer configuration_answer(const AdminOptions& options);

}  // namespace server
