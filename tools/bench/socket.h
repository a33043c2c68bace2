#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace bench {

[[noreturn]] inline void fail(const char* operation) {
  throw std::system_error(errno, std::generic_category(), operation);
}

// What a system call returned; its errors are exceptions.
template <class Number>
Number check(Number result, const char* operation) {
  if (result < 0) fail(operation);
  return result;
}

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

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline Descriptor tcp_socket(int flags = 0) {
  Descriptor socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket"));
  const int on = 1;
  check(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
  return socket;
}

// On a port that is free, or one that the system chooses.
inline Descriptor bound_socket(std::uint16_t port = 0) {
  Descriptor socket = tcp_socket();
  const sockaddr_in address = loopback(port);
  check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return socket;
}

inline std::uint16_t port_of(const Descriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  check(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

// False if nobody listens there. A non-blocking socket may still be connecting.
inline bool connect_to(const Descriptor& socket, std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(socket.get(), where, sizeof address) == 0 || errno == EINPROGRESS;
}

}  // namespace bench
