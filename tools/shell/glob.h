#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace shell {

// A pattern for names, as other shells have it: `*`, `?`, `[a-z]`, `[!a-z]`, and `\` before a
// character that stands for itself. `?` is one character of any script.
class Glob {
 public:
  explicit Glob(std::string_view pattern);

  [[nodiscard]] bool matches(std::string_view name) const;

 private:
  struct Part {
    enum class Kind : unsigned char { any_text, any_character, one_of, none_of };
    using Range = std::pair<char32_t, char32_t>;

    [[nodiscard]] bool has(char32_t character) const;

    Kind kind = Kind::one_of;
    std::vector<Range> ranges = {};
  };

  // Adds the set that begins at `at`, and moves `at` behind it. Returns false if the set is not
  // closed.
  bool add_set(std::u32string_view pattern, std::size_t& at);

  std::vector<Part> parts_;
};

}  // namespace shell
