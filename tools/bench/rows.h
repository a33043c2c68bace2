#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tools/bench/book.h"

namespace bench {

// A line of the table: a figure, and what the machine itself would allow.
struct Row {
  std::string name;  // in the book
  std::string what;
  std::string unit;
  std::string leans_on = "";
  std::function<double(const Book&)> limit = {};
};

// What all processors could do if this measurement left none of them idle.
inline std::function<double(const Book&)> processors(const std::string& name) {
  return [=](const Book& book) {
    const double own = book.has(name + ".own") ? book[name + ".own"] : 0;
    return static_cast<double>(std::thread::hardware_concurrency()) * 1e6 /
           (book[name + ".cpu"] + own);
  };
}

inline std::function<double(const Book&)> time_of(double syncs, double round_trips) {
  return [=](const Book& book) {
    return syncs * book["raw.sync3"] + round_trips * book["raw.loopback"];
  };
}

inline std::function<double(const Book&)> milliseconds(std::function<double(const Book&)> micros) {
  return [=](const Book& book) { return micros(book) / 1000; };
}

inline std::function<double(const Book&)> fan_out(const std::string& name) {
  return [=](const Book& book) { return book["raw." + name] + milliseconds(time_of(1, 2))(book); };
}

inline std::vector<Row> rows() {
  const std::string write = "fdatasync x3 + 2 round trips";
  const std::string far_write = "fdatasync x3 + 3 round trips";
  const std::string busy = "no processor idle";
  const std::string election = "2 fdatasync x3 + 4 round trips";
  return {
      {"machine.busy", "processors busy with something else", "%"},
      {"machine.stolen", "processor time stolen by the host", "%"},
      {"raw.sync", "fdatasync of a 1-KiB append", "us"},
      {"raw.sync3", "fdatasync, three files at once", "us"},
      {"raw.loopback", "loopback round trip", "us"},
      {"raw.watchers.1000", "one message to 1,000 sockets", "ms"},
      {"raw.watchers.10000", "one message to 10,000 sockets", "ms"},
      {"W1.leader.p50", "W1 set, one outstanding, leader, p50", "us", write, time_of(1, 2)},
      {"W1.leader.p99", "  p99", "us"},
      {"W1.leader.cpu", "  servers' processor time", "us/op"},
      {"W1.follower.p50", "W1 set, one outstanding, follower, p50", "us", far_write, time_of(1, 3)},
      {"W1.follower.p99", "  p99", "us"},
      {"W2.rate", "W2 set, 64 connections, 1024 outstanding", "/s", busy, processors("W2")},
      {"W2.p50", "  p50", "us"},
      {"W2.p99", "  p99", "us"},
      {"W2.cpu", "  servers' processor time", "us/op"},
      {"W2.own", "  generator's processor time", "us/op"},
      {"W2.batch", "  replies in a frame", ""},
      {"R1.p50", "R1 get, one outstanding, p50", "us", "1 round trip", time_of(0, 1)},
      {"R1.p99", "  p99", "us"},
      {"R2.rate", "R2 get, 64 connections, 1024 outstanding", "/s", busy, processors("R2")},
      {"R2.p50", "  p50", "us"},
      {"R2.p99", "  p99", "us"},
      {"R2.cpu", "  servers' processor time", "us/op"},
      {"R2.own", "  generator's processor time", "us/op"},
      {"R2.batch", "  replies in a frame", ""},
      {"L1.leader.p50", "linearizable get, leader, p50", "us", "2 round trips", time_of(0, 2)},
      {"L1.follower.p50", "linearizable get, follower, p50", "us", "3 round trips", time_of(0, 3)},
      {"sessions.rate", "sessions created, 64 at once", "/s", busy, processors("sessions")},
      {"sessions.cpu", "  servers' processor time", "us/op"},
      {"watchers.1000", "set to the last of 1,000 events", "ms", "W1 + 1,000 sockets",
       fan_out("watchers.1000")},
      {"watchers.1000.cpu", "  servers' processor time", "us/event"},
      {"watchers.10000", "set to the last of 10,000 events", "ms", "W1 + 10,000 sockets",
       fan_out("watchers.10000")},
      {"watchers.10000.cpu", "  servers' processor time", "us/event"},
      {"failover.kill", "write gap, kill -9 of the leader", "ms", election,
       milliseconds(time_of(2, 4))},
      {"failover.term", "write gap, SIGTERM of the leader", "ms", election,
       milliseconds(time_of(2, 4))},
      {"failover.stop", "write gap, SIGSTOP of the leader", "ms", "syncLimit, 600 ms",
       [](const Book&) { return 600.0; }},
      {"memory.empty", "RSS of an empty server", "MB"},
      {"memory.session", "RSS per idle session, three servers", "KiB"},
  };
}

}  // namespace bench
