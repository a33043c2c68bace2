#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tools/bench/connection.h"
#include "tools/bench/ensemble.h"
#include "tools/bench/event_loop.h"
#include "tools/bench/measurements.h"
#include "tools/bench/request.h"

namespace bench {

// Clients that write all the time. A client that loses its server goes to the next one.
class Writers {
 public:
  static constexpr std::size_t count = 16;
  static constexpr std::uint32_t outstanding = 4;

  Writers(Ensemble& ensemble, Measurements& measurements);

  void run_for(Micros time);
  // Begins to measure the longest time without an acknowledged write.
  void start_clock();
  [[nodiscard]] Micros longest_gap() const { return longest_gap_; }
  [[nodiscard]] Micros since_last_reply() const { return now() - last_acknowledged_; }
  // Runs until each writer has had a reply, at most 10 seconds; warns if one has not.
  // `after` says what happened before.
  void expect_all_answered(const std::string& after);

 private:
  // Each writer has a node of its own, so each acknowledged write must raise the node's version.
  struct Writer {
    std::uint32_t number = 0;
    std::size_t server = 0;
    std::unique_ptr<Connection> connection;
    bool started = false;
    std::uint32_t next_id = Request::first_id;
    std::int64_t last_version = -1;
    std::uint64_t acknowledged = 0;
    Micros retry_at = 0;
  };

  void connect(Writer& writer);
  void start_or_reconnect(Writer& writer);
  void send_request(Writer& writer);
  void on_frame(Writer& writer, std::string_view text);

  Ensemble& ensemble_;
  Measurements& measurements_;
  Request request_ = Request::set();
  EventLoop loop_;
  std::array<Writer, count> writers_;
  Micros last_acknowledged_ = now();
  Micros longest_gap_ = 0;
};

}  // namespace bench
