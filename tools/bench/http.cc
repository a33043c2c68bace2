#include "tools/bench/http.h"

#include <array>
#include <cstdlib>
#include <sys/socket.h>
#include <sys/time.h>

#include "tools/bench/socket.h"

namespace bench {

HttpReply http_get(std::uint16_t port, const std::string& path) {
  const Descriptor socket = tcp_socket();
  const timeval second{1, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  if (!connect_to(socket, port)) return {};
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};

  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  // "HTTP/1.1 200 ...": the status begins at the tenth character.
  const std::size_t blank_line = text.find("\r\n\r\n");
  if (blank_line == std::string::npos || text.size() < 12) return {};
  return {std::atoi(text.c_str() + 9), text.substr(blank_line + 4)};
}

}  // namespace bench
