#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

// Files that are replaced as a whole.
namespace shell {

// The content of a file; nothing if there is none. Throws std::system_error.
[[nodiscard]] std::optional<std::string> content_of(const std::string& file);

class OpenFile;

// New content for a file, in a temporary file beside it. The destructor removes the temporary file,
// unless it has replaced the file. All functions throw std::system_error.
class Replacement {
 public:
  // Writes the temporary file durably, with the mode of `file`, and with its owner if that is
  // allowed. If `file` is a symbolic link, the file that it leads to is replaced.
  Replacement(const std::string& file, std::string_view content);
  // Without content: `append` adds it in parts.
  explicit Replacement(const std::string& file);
  ~Replacement();
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  [[nodiscard]] const std::string& temporary() const { return temporary_; }
  void append(std::string_view part);
  // After the last part: makes the temporary file durable.
  void finish();
  // Replaces the file. A crash leaves either the old file or the new one.
  void replace();

 private:
  std::string file_;
  std::string temporary_;  // empty: it does not exist any more
  std::unique_ptr<OpenFile> open_;
};

}  // namespace shell
