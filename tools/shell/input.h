#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>

namespace shell {

// Standard input could not be read.
class InputFailed : public std::runtime_error {
 public:
  explicit InputFailed(int error_number);
};

// Reads a descriptor. All calls throw InputFailed.
class Input {
 public:
  explicit Input(int descriptor) : descriptor_(descriptor) {}

  // A line without its end; nothing at the end of the input.
  [[nodiscard]] std::optional<std::string> line();
  // Whether `line` returns at once: a line is there, or the input has ended.
  [[nodiscard]] bool has_line();
  // Everything up to the end of the input, but not much more than `bytes_max`.
  [[nodiscard]] std::string rest(std::size_t bytes_max);

 private:
  // False at the end of the input.
  bool read_more();

  int descriptor_;
  std::string buffer_;
  std::size_t at_ = 0;  // what is before was returned
  bool has_ended_ = false;
};

}  // namespace shell
