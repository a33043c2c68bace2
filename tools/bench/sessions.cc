#include "tools/bench/sessions.h"

#include <string_view>

#include "tools/bench/connection.h"
#include "tools/bench/event_loop.h"
#include "tools/bench/reply_text.h"
#include "tools/bench/request.h"
#include "tools/bench/session_group.h"

namespace bench {
namespace {

constexpr std::size_t opening_at_once = 64;

void ignore(std::string_view) {}

}  // namespace

void measure_session_creation(Ensemble& ensemble, Measurements& measurements) {
  static constexpr std::size_t count = 1000;
  EventLoop loop;
  SessionGroup sessions(ensemble, measurements, loop, ignore);
  const double cpu = ensemble.cpu_micros();
  const Micros begin = now();
  sessions.open(count, opening_at_once);
  const auto passed = static_cast<double>(now() - begin);
  measurements.record("sessions.rate", count * 1e6 / passed);
  measurements.record("sessions.cpu", (ensemble.cpu_micros() - cpu) / count);
}

void measure_memory(Ensemble& ensemble, Measurements& measurements) {
  static constexpr std::size_t count = 10'000;
  const double empty = ensemble.resident_bytes();
  for (std::size_t i = 0; i < Ensemble::size; ++i) {
    measurements.record("memory.empty", ensemble.process(i).resident_bytes() / 1e6);
  }
  EventLoop loop;
  SessionGroup sessions(ensemble, measurements, loop, ignore);
  sessions.open(count, opening_at_once);
  loop.run_for(seconds(1));
  measurements.record("memory.session", (ensemble.resident_bytes() - empty) / 1024 / count);
}

void measure_fan_out(Ensemble& ensemble, Measurements& measurements, const std::string& name,
                     std::size_t watchers, int rounds) {
  EventLoop loop;
  std::size_t replies = 0;
  std::size_t events = 0;
  SessionGroup sessions(ensemble, measurements, loop, [&](std::string_view text) {
    if (is_error(text)) {
      measurements.warn("error " + std::string(field(text, "error")), field(text, "message"));
    }
    (is_event(text) ? events : replies) += 1;
  });
  sessions.open(watchers, opening_at_once);
  sessions.send_to_all(R"({"id":1,"op":"watch","path":"/bench/0000","scope":"node"})");
  loop.run_until([&] { return replies == watchers; }, "the replies to all watches", seconds(10));

  bool answered = false;
  Connection setter(loop, ensemble.port(ensemble.leader()), connect_request(),
                    [&](std::string_view) { answered = true; });
  loop.run_until([&] { return setter.open(); }, "a session for the setter", seconds(5));
  Request request = Request::set();
  for (int i = 0; i < rounds; ++i) {
    events = 0;
    answered = false;
    const double cpu = ensemble.cpu_micros();
    const Micros begin = now();
    setter.send_text(request.text(Request::first_id, 0));
    loop.run_until([&] { return events == watchers && answered; }, "all events of a set",
                   seconds(10));
    measurements.record(name, static_cast<double>(now() - begin) / 1000);
    measurements.record(name + ".cpu",
                        (ensemble.cpu_micros() - cpu) / static_cast<double>(watchers));
  }
  // An event that comes twice would arrive now.
  loop.run_for(seconds(0.1));
  if (events != watchers) measurements.warn("an event came twice");
}

}  // namespace bench
