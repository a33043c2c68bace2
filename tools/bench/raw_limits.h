#pragma once

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/epoll.h>
#include <thread>
#include <vector>

#include "tools/bench/book.h"
#include "tools/bench/clock.h"
#include "tools/bench/process.h"
#include "tools/bench/socket.h"

// What the machine itself can do: no service on it can be faster than these.
namespace bench {

// Microseconds of each fdatasync behind an append of 1 KiB to a file full of zeros.
inline std::vector<double> time_appends(const std::filesystem::path& path) {
  static constexpr int appends = 300;
  static constexpr std::size_t kilobyte = 1024;
  const std::string zeros(kilobyte * (appends + 8), '\0');
  const std::string record(kilobyte, 'x');
  const Descriptor file(
      check(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), "open"));
  check(::pwrite(file.get(), zeros.data(), zeros.size(), 0), "pwrite");
  check(::fsync(file.get()), "fsync");

  std::vector<double> times;
  for (int i = 0; i < appends; ++i) {
    const Micros begin = now();
    check(::pwrite(file.get(), record.data(), record.size(), i * static_cast<off_t>(kilobyte)),
          "pwrite");
    check(::fdatasync(file.get()), "fdatasync");
    times.push_back(static_cast<double>(now() - begin));
  }
  ::unlink(path.c_str());
  return times;
}

// The same on several files at once: what the logs of an ensemble on one disk do to each other.
inline double append_p50(const std::filesystem::path& directory, std::size_t files) {
  std::vector<std::vector<double>> times(files);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < files; ++i) {
    threads.emplace_back(
        [&, i] { times[i] = time_appends(directory / ("raw" + std::to_string(i))); });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& some : times) all.insert(all.end(), some.begin(), some.end());
  return median(all);
}

// Waits with epoll, as an event loop does, and takes what there is.
class Waiter {
 public:
  void add(int socket) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
  }
  // Calls `heard(socket, bytes)` for each that is ready.
  template <class Heard>
  void wait(const Heard& heard) {
    std::array<epoll_event, 256> events;
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 5000);
    if (count <= 0) throw std::runtime_error("the raw loopback went silent");
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      heard(socket, ::recv(socket, buffer_.data(), buffer_.size(), 0));
    }
  }

 private:
  Descriptor epoll_{check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  std::array<char, 4096> buffer_{};
};

constexpr std::size_t message_bytes = 200;  // about a request, a reply or an event

inline void say(int socket) {
  static const std::array<char, message_bytes> message{};
  check(::send(socket, message.data(), message.size(), MSG_NOSIGNAL), "send");
}

// Another process accepts `count` connections; what it hears on the first one it says on `from` to
// the last.
inline void echo(const Descriptor& listener, std::size_t count, std::size_t from) {
  std::vector<Descriptor> sockets;
  for (std::size_t i = 0; i < count; ++i) {
    sockets.emplace_back(::accept(listener.get(), nullptr, nullptr));
    const int on = 1;
    ::setsockopt(sockets.back().get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Waiter waiter;
  waiter.add(sockets.front().get());
  for (bool more = true; more;) {
    waiter.wait([&](int, ssize_t bytes) {
      more = bytes > 0;
      for (std::size_t i = from; more && i < count; ++i) say(sockets[i].get());
    });
  }
}

// Microseconds from a message to the last of the answers on `sockets` connections (or on the one
// that it was sent on).
inline double loopback_p50(std::size_t sockets, int rounds) {
  const bool same = sockets == 0;
  const std::size_t count = sockets + 1;
  const Descriptor listener = bound_socket();
  check(::listen(listener.get(), SOMAXCONN), "listen");
  Process child;
  child.start([&] { echo(listener, count, same ? 0 : 1); });

  std::vector<Descriptor> own;
  Waiter waiter;
  for (std::size_t i = 0; i < count; ++i) {
    own.push_back(tcp_socket());
    if (!connect_to(own.back(), port_of(listener))) fail("connect");
    waiter.add(own.back().get());
  }
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const Micros begin = now();
    say(own.front().get());
    std::size_t left = message_bytes * (same ? 1 : sockets);
    while (left > 0) {
      waiter.wait([&](int, ssize_t bytes) {
        if (bytes <= 0) throw std::runtime_error("the raw loopback broke");
        left -= static_cast<std::size_t>(bytes);
      });
    }
    times.push_back(static_cast<double>(now() - begin));
  }
  return median(times);
}

inline void measure_raw_limits(Book& book, const std::filesystem::path& directory) {
  book.note("raw.sync", append_p50(directory, 1));
  book.note("raw.sync3", append_p50(directory, 3));
  book.note("raw.loopback", loopback_p50(0, 2000));
}

}  // namespace bench
