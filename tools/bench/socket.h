#pragma once

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <unistd.h>
#include <utility>

// System calls on sockets of the loopback interface. Errors are exceptions.
namespace bench {

// Throws std::system_error with errno.
[[noreturn]] inline void throw_errno(const char* operation) {
  throw std::system_error(errno, std::generic_category(), operation);
}

// Returns the result of a system call, or throws std::system_error if it is negative.
template <class Number>
Number check(Number result, const char* operation) {
  if (result < 0) throw_errno(operation);
  return result;
}

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

// A socket without Nagle's delay; `flags` as for socket(2).
[[nodiscard]] Descriptor tcp_socket(int flags = 0);
// A socket bound to `port`; 0: to a free port.
[[nodiscard]] Descriptor bound_socket(std::uint16_t port = 0);
[[nodiscard]] std::uint16_t port_of(const Descriptor& socket);
// False if the connection is refused. A non-blocking socket may still be connecting.
[[nodiscard]] bool connect_to(const Descriptor& socket, std::uint16_t port);

}  // namespace bench
