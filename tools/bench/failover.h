#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/connection.h"
#include "tools/bench/ensemble.h"
#include "tools/bench/request.h"

namespace bench {

// Clients that never stop writing, and go to the next server when they lose theirs.
class Writers {
 public:
  static constexpr std::size_t count = 16;
  static constexpr std::uint32_t outstanding = 4;

  Writers(Ensemble& ensemble, Book& book);

  void run(Micros time);
  // From now on, the longest time without an acknowledged write is of interest.
  void start_clock() {
    last_acknowledged_ = now();
    longest_gap_ = 0;
  }
  [[nodiscard]] Micros longest_gap() const { return longest_gap_; }
  [[nodiscard]] Micros silent_for() const { return now() - last_acknowledged_; }
  // Waits until each of them has got an answer after this call.
  void expect_all_answered(const std::string& after);

 private:
  // Its node is written by nobody else, so each acknowledged write must raise the version.
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
  void ask(Writer& writer);
  void take(Writer& writer, std::string_view text);
  void look_after(Writer& writer);

  Ensemble& ensemble_;
  Book& book_;
  Request request_ = Request::set();
  Loop loop_;
  std::array<Writer, count> writers_;
  Micros last_acknowledged_ = now();
  Micros longest_gap_ = 0;
};

inline Writers::Writers(Ensemble& ensemble, Book& book) : ensemble_(ensemble), book_(book) {
  for (std::uint32_t i = 0; i < count; ++i) {
    writers_[i].number = i;
    writers_[i].server = i % Ensemble::size;
    connect(writers_[i]);
  }
}

inline void Writers::connect(Writer& writer) {
  std::string request = connect_request();
  if (writer.connection && !writer.connection->session().empty()) {
    request.pop_back();
    request += ",\"session\":\"" + writer.connection->session() + "\",\"password\":\"" +
               writer.connection->password() + "\"}";
  }
  writer.started = false;
  writer.connection =
      std::make_unique<Connection>(loop_, ensemble_.port(writer.server), std::move(request),
                                   [this, &writer](std::string_view text) { take(writer, text); });
}

inline void Writers::ask(Writer& writer) {
  writer.connection->say(request_.text(writer.next_id++, writer.number));
}

inline void Writers::take(Writer& writer, std::string_view text) {
  for_each_reply(text, [&](std::uint32_t, std::string_view reply) {
    static constexpr std::string_view mark = "\"version\":";
    const std::size_t found = reply.substr(0, reply.find("{\"id\":")).find(mark);
    if (found == std::string_view::npos) {
      book_.complain("failover: error " + std::string(field(reply, "error")),
                     field(reply, "message"));
    } else {
      const std::int64_t version = std::atoll(reply.data() + found + mark.size());
      if (version <= writer.last_version) book_.complain("an acknowledged write was lost");
      writer.last_version = version;
      writer.acknowledged += 1;
      longest_gap_ = std::max(longest_gap_, loop_.heard_at() - last_acknowledged_);
      last_acknowledged_ = loop_.heard_at();
    }
    ask(writer);
  });
}

inline void Writers::look_after(Writer& writer) {
  if (writer.connection->open() && !writer.started) {
    writer.started = true;
    for (std::uint32_t i = 0; i < outstanding; ++i) ask(writer);
  }
  if (!writer.connection->lost() || now() < writer.retry_at) return;
  const std::string& why = writer.connection->why_lost();
  if (why.starts_with("{\"op\":\"connect\"")) book_.complain("failover: refused", why);
  // At once, but not in a circle of refusals.
  writer.retry_at = now() + 5000;
  writer.server = (writer.server + 1) % Ensemble::size;
  connect(writer);
}

inline void Writers::run(Micros time) {
  for (const Micros end = now() + time; now() < end;) {
    loop_.turn(2);
    for (Writer& writer : writers_) look_after(writer);
  }
}

inline void Writers::expect_all_answered(const std::string& after) {
  std::vector<std::uint64_t> before;
  for (const Writer& writer : writers_) before.push_back(writer.acknowledged);
  const Micros deadline = now() + seconds(10);
  for (const Writer& writer : writers_) {
    while (writer.acknowledged == before[writer.number] && now() < deadline) run(1000);
    if (writer.acknowledged == before[writer.number]) {
      book_.complain("a writer had no answer for 10 seconds after " + after);
    }
  }
}

struct Failure {
  int signal;
  std::string name;
  Micros window;  // at the least
  int trials;
};

inline void fail_once(Ensemble& ensemble, Book& book, const Failure& failure) {
  const std::size_t leader = ensemble.leader();
  Writers writers(ensemble, book);
  writers.run(seconds(0.4));
  writers.start_clock();
  ensemble.process(leader).send(failure.signal);
  writers.run(failure.window);
  for (int i = 0; i < 200 && writers.silent_for() > seconds(0.2); ++i) writers.run(seconds(0.1));
  book.note("failover." + failure.name, static_cast<double>(writers.longest_gap()) / 1000);

  if (failure.signal == SIGSTOP) {
    ensemble.process(leader).send(SIGCONT);
  } else if (ensemble.process(leader).ends_within(seconds(5))) {
    ensemble.start(leader);
  } else {
    book.complain("the leader did not end within 5 seconds of " + failure.name);
    ensemble.process(leader).kill();
    ensemble.start(leader);
  }
  ensemble.until_ready();
  writers.expect_all_answered("failover by " + failure.name);
}

inline void measure_failover(Ensemble& ensemble, Book& book) {
  const std::array<Failure, 3> failures{{{SIGKILL, "kill", seconds(1), 10},
                                         {SIGTERM, "term", seconds(1), 5},
                                         {SIGSTOP, "stop", seconds(2), 3}}};
  for (const Failure& failure : failures) {
    for (int i = 0; i < failure.trials; ++i) fail_once(ensemble, book, failure);
  }
}

}  // namespace bench
