#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace shell {

// The pattern of `grep`.
class LinePattern {
 public:
  struct Options {
    bool is_expression = false;  // a POSIX extended regular expression, as of grep -E
    bool ignores_case = false;
  };

  // Matches every line.
  LinePattern() = default;
  // Throws std::invalid_argument if the expression is not valid.
  LinePattern(std::string pattern, Options options);

  [[nodiscard]] bool matches(std::string_view line) const;

 private:
  struct Expression;

  std::string text_;
  std::shared_ptr<const Expression> expression_;  // null: a line that has `text_` matches
};

}  // namespace shell
