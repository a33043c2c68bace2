#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace shell {

// Standard input could not be read.
class InputFailed : public std::runtime_error {
 public:
  explicit InputFailed(int error_number);
};

// Reads a descriptor. All calls throw InputFailed.
class Input {
 public:
  // If a signal interrupts a read, and `is_interrupted` then returns true, the input ends there.
  explicit Input(
      int descriptor, std::function<bool()> is_interrupted = [] { return false; })
      : descriptor_(descriptor), is_interrupted_(std::move(is_interrupted)) {}

  // A line without its newline; nothing at the end of the input. A line of more than `bytes_max` is
  // cut off somewhere after so many bytes.
  [[nodiscard]] std::optional<std::string> line(std::size_t bytes_max = SIZE_MAX);
  // Whether `line` returns at once: a line is there, or the input has ended.
  [[nodiscard]] bool has_line();
  // Everything up to the end of the input, but not much more than `bytes_max`.
  [[nodiscard]] std::string rest(std::size_t bytes_max);

 private:
  // False at the end of the input.
  bool read_more();

  int descriptor_;
  std::function<bool()> is_interrupted_;
  std::string buffer_;
  std::size_t at_ = 0;  // the bytes before it were returned
  bool has_ended_ = false;
};

}  // namespace shell
