#include "tools/bench/rows.h"

#include <thread>

namespace bench {
namespace {

using Limit = std::function<double(const Measurements&)>;

// The rate at which all processors would be busy.
Limit processors(const std::string& name) {
  return [=](const Measurements& measured) {
    const double own = measured.has(name + ".own") ? measured[name + ".own"] : 0;
    return static_cast<double>(std::thread::hardware_concurrency()) * 1e6 /
           (measured[name + ".cpu"] + own);
  };
}

// The time of `syncs` syncs, while all servers sync, plus `round_trips` round trips.
Limit time_of(double syncs, double round_trips) {
  return [=](const Measurements& measured) {
    return syncs * measured["raw.sync3"] + round_trips * measured["raw.loopback"];
  };
}

Limit milliseconds(const Limit& micros) {
  return [=](const Measurements& measured) { return micros(measured) / 1000; };
}

// So often a second, a write can follow a write at the leader.
Limit writes_in_a_row() {
  return [](const Measurements& measured) { return 1e6 / measured["W1.leader.p50"]; };
}

Limit fan_out(const std::string& name) {
  return [=](const Measurements& measured) {
    return measured["raw." + name] + milliseconds(time_of(1, 2))(measured);
  };
}

}  // namespace

std::vector<Row> rows() {
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
      {"client.p50", "C++ client, one get at a time, p50", "us", "the lean client: R1 p50",
       [](const Measurements& measured) { return measured["R1.p50"]; }},
      {"client.rate", "C++ client, 64 gets outstanding", "/s"},
      {"client.own", "  its own processor time", "us/op"},
      {"client.events", "C++ client, events of 1,000 watches", "/s"},
      {"lock.1", "lock cycles, 1 contender", "/s", "1 / (W1 at the leader, p50)",
       writes_in_a_row()},
      {"lock.10", "lock cycles, 10 contenders", "/s", "1 / (W1 at the leader, p50)",
       writes_in_a_row()},
      {"lock.50", "lock cycles, 50 contenders", "/s", "1 / (W1 at the leader, p50)",
       writes_in_a_row()},
      {"election.p50", "resignation to the next leader, p50", "us", "3 x W1 at the leader, p50",
       [](const Measurements& measured) { return 3 * measured["W1.leader.p50"]; }},
      {"barrier.50", "double barrier, 50 clients, generations", "/s"},
      {"barrier.100", "double barrier, 100 clients, generations", "/s"},
      {"barrier.200", "double barrier, 200 clients, generations", "/s"},
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
       [](const Measurements&) { return 600.0; }},
      {"memory.empty", "RSS of an empty server", "MB"},
      {"memory.session", "RSS per idle session, three servers", "KiB"},
  };
}

}  // namespace bench
