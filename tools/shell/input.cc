#include "tools/shell/input.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace shell {

InputFailed::InputFailed(int error_number) : std::runtime_error(std::strerror(error_number)) {}

bool Input::read_more() {
  buffer_.erase(0, at_);
  at_ = 0;
  if (has_ended_) return false;
  std::array<char, 64 * 1024> bytes{};
  for (;;) {
    const ssize_t size = ::read(descriptor_, bytes.data(), bytes.size());
    if (size >= 0) {
      buffer_.append(bytes.data(), static_cast<std::size_t>(size));
      has_ended_ = size == 0;
      return !has_ended_;
    }
    if (errno == EAGAIN) {
      pollfd ready{descriptor_, POLLIN, 0};
      (void)::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      throw InputFailed(errno);
    } else if (is_interrupted_()) {
      return false;
    }
  }
}

std::optional<std::string> Input::line(std::size_t bytes_max) {
  std::size_t searched = 0;
  for (;;) {
    const std::size_t end = buffer_.find('\n', at_ + searched);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(at_, end - at_);
      at_ = end + 1;
      return line;
    }
    searched = buffer_.size() - at_;
    if (searched <= bytes_max && read_more()) continue;
    std::string line = std::exchange(buffer_, {}).substr(std::exchange(at_, 0));
    if (line.empty()) return std::nullopt;
    return line;
  }
}

bool Input::has_line() {
  while (!has_ended_ && buffer_.find('\n', at_) == std::string::npos) {
    pollfd ready{descriptor_, POLLIN, 0};
    if (::poll(&ready, 1, 0) <= 0) return false;
    (void)read_more();
  }
  return true;
}

std::string Input::rest(std::size_t bytes_max) {
  while (buffer_.size() - at_ <= bytes_max && read_more()) {
  }
  std::string rest = buffer_.substr(at_);
  buffer_.clear();
  at_ = 0;
  return rest;
}

}  // namespace shell
