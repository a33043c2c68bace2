#include "tools/bench/session_group.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tools/bench/request.h"

namespace bench {

SessionGroup::SessionGroup(Ensemble& ensemble, Measurements& measurements, EventLoop& loop,
                           Connection::Handler handler)
    : ensemble_(ensemble), measurements_(measurements), loop_(loop), handler_(std::move(handler)) {}

void SessionGroup::open(std::size_t count, std::size_t at_once) {
  std::vector<std::unique_ptr<Connection>> opening;
  const Micros deadline = now() + seconds(60);
  while (sessions_.size() < count) {
    while (opening.size() < at_once && sessions_.size() + opening.size() < count) {
      const std::uint16_t port = ensemble_.port(sessions_.size() + opening.size());
      opening.push_back(std::make_unique<Connection>(loop_, port, connect_request(), handler_));
    }
    loop_.run_once(10);
    std::vector<std::unique_ptr<Connection>> still_opening;
    for (auto& connection : opening) {
      if (connection->lost()) throw std::runtime_error("no session: " + connection->lost_reason());
      (connection->open() ? sessions_ : still_opening).push_back(std::move(connection));
    }
    opening = std::move(still_opening);
    if (now() > deadline) throw std::runtime_error("sessions took more than a minute to open");
  }
}

void SessionGroup::send_to_all(std::string_view text) {
  for (const auto& session : sessions_) session->send_text(text);
}

void SessionGroup::close() {
  const auto lost = [](const auto& session) { return session->lost(); };
  const auto lost_count = std::ranges::count_if(sessions_, lost);
  if (lost_count > 0) {
    measurements_.warn(std::to_string(lost_count) + " idle sessions were lost");
  }
  send_to_all("{\"op\":\"close\"}");
  const auto all_closed = [&] { return std::ranges::all_of(sessions_, lost); };
  const Micros deadline = now() + seconds(10);
  while (!all_closed() && now() < deadline && interrupted == 0) loop_.run_once(10);
  if (!all_closed() && interrupted == 0) {
    measurements_.warn("sessions did not close within 10 seconds");
  }
  sessions_.clear();
}

}  // namespace bench
