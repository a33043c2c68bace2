#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/result.h"

namespace shell {

// The words of a line: 'as it is', "with \" and \\", and\ so\ on.
[[nodiscard]] wire::Result<std::vector<std::string>> split_words(std::string_view line);

// What `path` means to somebody who stands at `cwd`: absolute, without `.`, `..` and empty names.
[[nodiscard]] std::string resolve(std::string_view cwd, std::string_view path);

[[nodiscard]] std::string join(std::string_view parent, std::string_view name);

}  // namespace shell
