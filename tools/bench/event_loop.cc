#include "tools/bench/event_loop.h"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <sys/epoll.h>
#include <utility>

#include "tools/bench/connection.h"

namespace bench {

volatile std::sig_atomic_t interrupted = 0;

EventLoop::EventLoop() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

void EventLoop::add(int socket, Connection& connection) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.ptr = &connection;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
}

void EventLoop::run_once(int milliseconds) {
  if (interrupted != 0) throw std::runtime_error("interrupted");
  flush_all();
  std::array<epoll_event, 256> events;
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
  if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
  ready_at_ = now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto& connection = *static_cast<Connection*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0) connection.flush();
    if ((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0) connection.receive();
  }
  flush_all();
}

void EventLoop::run_for(Micros time) {
  for (const Micros end = now() + time; now() < end;) run_once(10);
}

void EventLoop::run_until(const std::function<bool()>& done, const std::string& what,
                          Micros timeout) {
  const Micros deadline = now() + timeout;
  while (!done()) {
    if (now() > deadline) throw std::runtime_error("timeout: waited for " + what);
    run_once(10);
  }
}

void EventLoop::flush_all() {
  for (Connection* connection : std::exchange(with_output_, {})) connection->flush();
}

}  // namespace bench
