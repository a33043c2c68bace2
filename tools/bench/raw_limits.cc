#include "tools/bench/raw_limits.h"

#include <array>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include "tools/bench/clock.h"
#include "tools/bench/process.h"
#include "tools/bench/socket.h"

namespace bench {
namespace {

// The microseconds of each fdatasync after writing 1 KiB to a file that is full of zeros.
std::vector<double> time_appends(const std::filesystem::path& path) {
  static constexpr int appends = 300;
  static constexpr std::size_t kilobyte = 1024;
  const std::string zeros(kilobyte * (appends + 8), '\0');
  const std::string record(kilobyte, 'x');
  const Descriptor file(
      check(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), "open"));
  check(::pwrite(file.get(), zeros.data(), zeros.size(), 0), "pwrite");
  check(::fsync(file.get()), "fsync");

  std::vector<double> times;
  times.reserve(appends);
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

// The same on several files at once: the servers' logs on one disk slow each other down.
double append_p50(const std::filesystem::path& directory, std::size_t files) {
  std::vector<std::vector<double>> times(files);
  std::vector<std::thread> threads;
  threads.reserve(files);
  for (std::size_t i = 0; i < files; ++i) {
    threads.emplace_back(
        [&, i] { times[i] = time_appends(directory / ("raw" + std::to_string(i))); });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& some : times) all.insert(all.end(), some.begin(), some.end());
  return median(all);
}

// Waits for bytes with epoll, as an event loop does.
class Poller {
 public:
  void add(int socket) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
  }
  // Calls `received(bytes)` for each socket that is ready, with the result of recv(2).
  template <class Received>
  void wait(const Received& received) {
    std::array<epoll_event, 256> events;
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 5000);
    if (count <= 0) throw std::runtime_error("raw limits: no bytes on loopback for 5 seconds");
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      received(::recv(socket, buffer_.data(), buffer_.size(), 0));
    }
  }

 private:
  Descriptor epoll_{check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  std::array<char, 4096> buffer_{};
};

constexpr std::size_t message_bytes = 200;  // about as much as a request, a reply or an event

void send_message(int socket) {
  static const std::array<char, message_bytes> message{};
  check(::send(socket, message.data(), message.size(), MSG_NOSIGNAL), "send");
}

// The other process. Accepts `count` connections. Answers each message on the first connection with
// one message on every connection whose index is at least `first`.
void answer(const Descriptor& listener, std::size_t count, std::size_t first) {
  std::vector<Descriptor> sockets;
  sockets.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    sockets.emplace_back(::accept(listener.get(), nullptr, nullptr));
    const int on = 1;
    ::setsockopt(sockets.back().get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Poller poller;
  poller.add(sockets.front().get());
  for (bool more = true; more;) {
    poller.wait([&](ssize_t bytes) {
      more = bytes > 0;
      for (std::size_t i = first; more && i < count; ++i) send_message(sockets[i].get());
    });
  }
}

}  // namespace

double loopback_p50(std::size_t sockets, int rounds) {
  const bool same = sockets == 0;
  const std::size_t count = sockets + 1;
  const Descriptor listener = bound_socket();
  check(::listen(listener.get(), SOMAXCONN), "listen");
  Process other;
  other.start([&] { answer(listener, count, same ? 0 : 1); });

  std::vector<Descriptor> own;
  Poller poller;
  for (std::size_t i = 0; i < count; ++i) {
    own.push_back(tcp_socket());
    if (!connect_to(own.back(), port_of(listener))) throw_errno("connect");
    poller.add(own.back().get());
  }
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const Micros begin = now();
    send_message(own.front().get());
    std::size_t left = message_bytes * (same ? 1 : sockets);
    while (left > 0) {
      poller.wait([&](ssize_t bytes) {
        if (bytes <= 0) throw std::runtime_error("raw limits: a loopback connection was lost");
        left -= static_cast<std::size_t>(bytes);
      });
    }
    times.push_back(static_cast<double>(now() - begin));
  }
  return median(times);
}

void measure_raw_limits(Measurements& measurements, const std::filesystem::path& directory) {
  measurements.record("raw.sync", append_p50(directory, 1));
  measurements.record("raw.sync3", append_p50(directory, 3));
  measurements.record("raw.loopback", loopback_p50(0, 2000));
}

}  // namespace bench
