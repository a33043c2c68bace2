#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tools/bench/connection.h"
#include "tools/bench/ensemble.h"
#include "tools/bench/request.h"

namespace bench {

// Many sessions, each on a connection of its own, spread over the servers.
class Crowd {
 public:
  Crowd(Ensemble& ensemble, Book& book, Loop& loop, Connection::Handler handler)
      : ensemble_(ensemble), book_(book), loop_(loop), handler_(std::move(handler)) {}
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() { close(); }

  // So many at once are being opened until all are.
  void open(std::size_t count, std::size_t at_once);
  void say_all(std::string_view text) {
    for (const auto& member : members_) member->say(text);
  }
  void close();

 private:
  using Member = std::unique_ptr<Connection>;

  Ensemble& ensemble_;
  Book& book_;
  Loop& loop_;
  Connection::Handler handler_;
  std::vector<Member> members_;
};

inline void Crowd::open(std::size_t count, std::size_t at_once) {
  std::vector<Member> opening;
  const Micros deadline = now() + seconds(60);
  while (members_.size() < count) {
    while (opening.size() < at_once && members_.size() + opening.size() < count) {
      const std::uint16_t port = ensemble_.port(members_.size() + opening.size());
      opening.push_back(std::make_unique<Connection>(loop_, port, connect_request(), handler_));
    }
    loop_.turn(10);
    std::vector<Member> still;
    for (Member& member : opening) {
      if (member->lost()) throw std::runtime_error("no session: " + member->why_lost());
      (member->open() ? members_ : still).push_back(std::move(member));
    }
    opening = std::move(still);
    if (now() > deadline) throw std::runtime_error("sessions took more than a minute to open");
  }
}

inline void Crowd::close() {
  std::size_t lost = 0;
  for (const Member& member : members_) lost += member->lost() ? 1 : 0;
  if (lost > 0) book_.complain(std::to_string(lost) + " idle sessions were lost");
  say_all("{\"op\":\"close\"}");
  const auto all_gone = [&] {
    return std::ranges::all_of(members_, [](const Member& member) { return member->lost(); });
  };
  const Micros deadline = now() + seconds(10);
  while (!all_gone() && now() < deadline && interrupted == 0) loop_.turn(10);
  if (!all_gone() && interrupted == 0) book_.complain("sessions did not close within 10 seconds");
  members_.clear();
}

}  // namespace bench
