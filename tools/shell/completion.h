#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/shell/command_line.h"
#include "tools/shell/grammar.h"

// The words that Tab offers in the interactive shell.
namespace shell {

// The last word of a line, which is being typed.
struct BegunWord {
  Words before;        // the words before it
  std::size_t at = 0;  // where it begins in the line
  std::string word;    // without quotes and backslashes
};
[[nodiscard]] BegunWord begun_word(std::string_view line);

struct Offer {
  enum class Names : std::uint8_t { none, nodes, files };

  std::vector<std::string> words;
  Names names = Names::none;  // names that may also stand there
};
[[nodiscard]] Offer offer_for(const Grammar& line, const BegunWord& begun);

// The word as it is typed, with backslashes where it would be several words.
[[nodiscard]] std::string typed_word(std::string_view word);

}  // namespace shell
