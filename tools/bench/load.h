#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

#include "tools/bench/book.h"
#include "tools/bench/connection.h"
#include "tools/bench/ensemble.h"
#include "tools/bench/request.h"

namespace bench {

// Microseconds of this process.
inline double own_cpu_micros() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

// Connections that each keep so many requests under way: every reply is followed by a request.
class Load {
 public:
  Load(Ensemble& ensemble, Book& book, Request request, std::size_t outstanding)
      : ensemble_(ensemble), book_(book), request_(std::move(request)), outstanding_(outstanding) {}
  ~Load() { close(); }

  void connect(std::uint16_t port) {
    auto lane = std::make_unique<Lane>();
    lane->sent_at.resize(outstanding_);
    Lane& self = *lane;
    lane->connection = std::make_unique<Connection>(
        loop_, port, connect_request(), [this, &self](std::string_view text) { take(self, text); });
    lanes_.push_back(std::move(lane));
  }

  // Notes throughput, latency and processor time under `name`, after a warm-up.
  void measure(const std::string& name, Micros time);
  // Every key once, from one connection.
  void once_each();

 private:
  struct Lane {
    std::unique_ptr<Connection> connection;
    std::uint32_t next_id = Request::first_id;
    std::uint32_t awaited_id = Request::first_id;
    std::vector<Micros> sent_at;  // of the outstanding, by id
  };

  void ask(Lane& lane) {
    lane.sent_at[lane.next_id % outstanding_] = loop_.heard_at();
    lane.connection->say(request_.text(lane.next_id, next_key_++));
    lane.next_id += 1;
  }
  void take(Lane& lane, std::string_view text);
  void run(Micros time);
  void settle();
  void close();
  void expect_open();

  Ensemble& ensemble_;
  Book& book_;
  Request request_;
  const std::size_t outstanding_;
  Loop loop_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::uint32_t next_key_ = 0;
  std::uint32_t last_key_ = UINT32_MAX;
  bool asking_ = false;
  bool counting_ = false;
  std::size_t frames_ = 0;
  std::vector<double> latencies_;
};

inline void Load::take(Lane& lane, std::string_view text) {
  if (text.find("\"error\"") != std::string_view::npos) {
    book_.complain("error " + std::string(field(text, "error")), field(text, "message"));
  }
  if (counting_) frames_ += 1;
  for_each_reply(text, [&](std::uint32_t id, std::string_view) {
    if (id != lane.awaited_id) book_.complain("a reply was lost, or out of order");
    if (counting_) {
      latencies_.push_back(static_cast<double>(loop_.heard_at() - lane.sent_at[id % outstanding_]));
    }
    lane.awaited_id = id + 1;
    if (asking_ && next_key_ < last_key_) ask(lane);
  });
}

inline void Load::expect_open() {
  for (const auto& lane : lanes_) {
    if (lane->connection->lost()) {
      throw std::runtime_error("a connection was lost: " + lane->connection->why_lost());
    }
  }
}

inline void Load::run(Micros time) {
  for (const Micros end = now() + time; now() < end;) loop_.turn(10);
  expect_open();
}

inline void Load::settle() {
  asking_ = false;
  loop_.until(
      [&] {
        expect_open();
        return std::ranges::all_of(lanes_, [](const auto& lane) {
          return lane->connection->open() && lane->awaited_id == lane->next_id;
        });
      },
      "replies to all that was asked", seconds(10));
}

inline void Load::once_each() {
  settle();
  last_key_ = Request::keys;
  asking_ = true;
  for (std::size_t i = 0; i < outstanding_; ++i) ask(*lanes_.front());
  loop_.until([&] { return next_key_ >= last_key_; }, "one request for each key", seconds(10));
  settle();
}

inline void Load::measure(const std::string& name, Micros time) {
  settle();
  asking_ = true;
  for (const auto& lane : lanes_) {
    for (std::size_t i = 0; i < outstanding_; ++i) ask(*lane);
  }
  run(std::min(time / 3, seconds(0.5)));

  counting_ = true;
  latencies_.clear();
  frames_ = 0;
  const double server_cpu = ensemble_.cpu_micros();
  const double own_cpu = own_cpu_micros();
  const Micros begin = now();
  run(time);
  const auto passed = static_cast<double>(now() - begin);
  const auto count = static_cast<double>(latencies_.size());
  book_.note(name + ".p50", median(latencies_));
  book_.note(name + ".p99", percentile(latencies_, 0.99));
  book_.note(name + ".rate", count / passed * 1e6);
  book_.note(name + ".cpu", (ensemble_.cpu_micros() - server_cpu) / count);
  book_.note(name + ".own", (own_cpu_micros() - own_cpu) / count);
  book_.note(name + ".batch", count / static_cast<double>(frames_));
  counting_ = false;
  settle();
}

inline void Load::close() {
  for (const auto& lane : lanes_) {
    if (!lane->connection->lost()) lane->connection->say("{\"op\":\"close\"}");
  }
  const Micros deadline = now() + seconds(3);
  const auto all_gone = [&] {
    return std::ranges::all_of(lanes_, [](const auto& lane) { return lane->connection->lost(); });
  };
  while (!all_gone() && now() < deadline && interrupted == 0) loop_.turn(10);
  if (!all_gone() && interrupted == 0) book_.complain("a session did not close within 3 seconds");
}

}  // namespace bench
