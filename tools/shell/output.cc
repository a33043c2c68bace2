#include "tools/shell/output.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <unistd.h>

#include "wire/terminal_text.h"

namespace shell {
namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;

// Returns 0 or the error number.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      // The descriptor may be shared with a program that has made it non-blocking.
      pollfd ready{descriptor, POLLOUT, 0};
      (void)::poll(&ready, 1, -1);
    } else if (written < 0 && errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

OutputFailed::OutputFailed(int error_number)
    : std::runtime_error(std::strerror(error_number)), error_number_(error_number) {}

bool OutputFailed::is_closed_pipe() const { return error_number_ == EPIPE; }

DescriptorBuffer::DescriptorBuffer(int descriptor, Failure failure)
    : descriptor_(descriptor), failure_(failure), is_terminal_(::isatty(descriptor) != 0) {}

void DescriptorBuffer::fail(int error_number) {
  failed_ = true;
  buffer_.clear();
  if (failure_ == Failure::throws) throw OutputFailed(error_number);
}

void DescriptorBuffer::write_buffered(std::size_t size) {
  const std::string_view text = std::string_view(buffer_).substr(0, size);
  const int error = is_terminal_ ? write_all(descriptor_, wire::terminal_text(text))
                                 : write_all(descriptor_, text);
  buffer_.erase(0, size);
  if (error != 0) fail(error);
}

std::streambuf::int_type DescriptorBuffer::overflow(int_type c) {
  if (c == traits_type::eof()) return traits_type::not_eof(c);
  const char byte = traits_type::to_char_type(c);
  xsputn(&byte, 1);
  return c;
}

std::streamsize DescriptorBuffer::xsputn(const char* text, std::streamsize size) {
  if (failed_) return size;
  buffer_.append(text, static_cast<std::size_t>(size));
  if (buffer_.size() >= buffer_bytes) {
    write_buffered(buffer_.size() - (is_terminal_ ? wire::unfinished_bytes(buffer_) : 0));
  }
  return size;
}

int DescriptorBuffer::sync() {
  if (!failed_) write_buffered(buffer_.size());
  return 0;
}

void DescriptorBuffer::write_raw(std::string_view bytes) {
  sync();
  if (failed_) return;
  if (const int error = write_all(descriptor_, bytes); error != 0) fail(error);
}

void DescriptorBuffer::finish() {
  sync();
  // On Linux, `close` always closes the descriptor, even if it reports an error.
  if (::close(descriptor_) != 0 && errno != EINTR) fail(errno);
}

Output::Output(int descriptor, DescriptorBuffer::Failure on_failure)
    : std::ostream(nullptr), buffer_(descriptor, on_failure) {
  rdbuf(&buffer_);
  exceptions(std::ios::badbit);
}

}  // namespace shell
