#pragma once

#include <ostream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>

namespace shell {

// Standard output could not be written.
class OutputFailed : public std::runtime_error {
 public:
  explicit OutputFailed(int error_number);
  // Whether the reader of the pipe has ended, as with `| head`.
  [[nodiscard]] bool is_closed_pipe() const;

 private:
  int error_number_;
};

// Buffers what is written to a file descriptor. To a terminal it passes only text that is safe
// there: see wire::terminal_text.
class DescriptorBuffer final : public std::streambuf {
 public:
  enum class Failure { throws, is_ignored };

  DescriptorBuffer(int descriptor, Failure failure);
  [[nodiscard]] bool is_terminal() const { return is_terminal_; }
  // Writes what is buffered, and then the bytes as they are, also to a terminal.
  void write_raw(std::string_view bytes);
  // Writes what is buffered, and closes the descriptor: only then some file systems report errors.
  void finish();

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  void write_buffered(std::size_t size);
  void fail(int error_number);

  int descriptor_;
  Failure failure_;
  bool is_terminal_;
  bool failed_ = false;
  std::string buffer_;
};

// A stream over a descriptor. A failure throws OutputFailed, so that no command goes on without
// its output; on standard error there is nobody to tell, and a failure is ignored.
class Output final : public std::ostream {
 public:
  Output(int descriptor, DescriptorBuffer::Failure on_failure);
  [[nodiscard]] bool is_terminal() const { return buffer_.is_terminal(); }
  void write_raw(std::string_view bytes) { buffer_.write_raw(bytes); }
  void finish() { buffer_.finish(); }

 private:
  DescriptorBuffer buffer_;
};

}  // namespace shell
