#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace server {

// A small file that was read, or not.
struct TextFile {
  std::optional<std::string> text;
  std::string problem;  // why it cannot be read; empty if it was read, or does not exist

  // Why there is no text, of a file that has to exist.
  [[nodiscard]] std::string why_missing() const {
    return problem.empty() ? "there is no such file" : problem;
  }
};

// Reads a whole file of at most a mebibyte. Throws nothing but std::bad_alloc.
[[nodiscard]] TextFile read_text_file(const std::filesystem::path& path);

}  // namespace server
