#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/result.h"

namespace shell {

// Splits a line into words. Quotes and backslashes work as in other shells: 'literal text',
// "text with \" and \\", two\ words. Returns an error if a quote is not closed.
[[nodiscard]] wire::Result<std::vector<std::string>> split_words(std::string_view line);

// The absolute form of `path`, relative to `cwd`, without `.`, `..` and empty names.
[[nodiscard]] std::string resolve(std::string_view cwd, std::string_view path);

[[nodiscard]] std::string join(std::string_view parent, std::string_view name);

}  // namespace shell
