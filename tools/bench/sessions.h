#pragma once

#include "tools/bench/crowd.h"

namespace bench {

inline constexpr auto unheard = [](std::string_view) {};

// What it takes to open sessions, many at once.
inline void measure_session_creation(Ensemble& ensemble, Book& book) {
  static constexpr std::size_t count = 1000;
  static constexpr std::size_t at_once = 64;
  Loop loop;
  Crowd crowd(ensemble, book, loop, unheard);
  const double cpu = ensemble.cpu_micros();
  const Micros begin = now();
  crowd.open(count, at_once);
  const auto passed = static_cast<double>(now() - begin);
  book.note("sessions.rate", count * 1e6 / passed);
  book.note("sessions.cpu", (ensemble.cpu_micros() - cpu) / count);
}

// What servers need that nobody uses, and what each idle session adds. Wants servers that have done
// nothing yet: memory that was in use before would be used again.
inline void measure_memory(Ensemble& ensemble, Book& book) {
  static constexpr std::size_t count = 10'000;
  const double empty = ensemble.resident_bytes();
  for (std::size_t i = 0; i < Ensemble::size; ++i) {
    book.note("memory.empty", ensemble.process(i).resident_bytes() / 1e6);
  }
  Loop loop;
  Crowd crowd(ensemble, book, loop, unheard);
  crowd.open(count, 64);
  for (const Micros end = now() + seconds(1); now() < end;) loop.turn(10);
  book.note("memory.session", (ensemble.resident_bytes() - empty) / 1024 / count);
}

// From a set to the last of the events that it causes, under `name`.
inline void measure_fan_out(Ensemble& ensemble, Book& book, const std::string& name,
                            std::size_t watchers, int rounds) {
  Loop loop;
  std::size_t replies = 0;
  std::size_t events = 0;
  Crowd crowd(ensemble, book, loop, [&](std::string_view text) {
    if (text.find("\"error\"") != std::string_view::npos)
      book.complain("error " + std::string(field(text, "error")), field(text, "message"));
    if (text.find("\"event\"") != std::string_view::npos) {
      events += 1;
    } else {
      replies += 1;
    }
  });
  crowd.open(watchers, 64);
  crowd.say_all(R"({"id":1,"op":"watch","path":"/bench/0000","scope":"node"})");
  loop.until([&] { return replies == watchers; }, "replies to all watches", seconds(10));

  bool answered = false;
  Connection setter(loop, ensemble.port(ensemble.leader()), connect_request(),
                    [&](std::string_view) { answered = true; });
  loop.until([&] { return setter.open(); }, "a session for the setter", seconds(5));
  Request request = Request::set();
  for (int i = 0; i < rounds; ++i) {
    events = 0;
    answered = false;
    const double cpu = ensemble.cpu_micros();
    const Micros begin = now();
    setter.say(request.text(Request::first_id, 0));
    loop.until([&] { return events == watchers && answered; }, "all events of a set", seconds(10));
    book.note(name, static_cast<double>(now() - begin) / 1000);
    book.note(name + ".cpu", (ensemble.cpu_micros() - cpu) / static_cast<double>(watchers));
  }
  // One more than there should be would come now.
  for (const Micros end = now() + seconds(0.1); now() < end;) loop.turn(10);
  if (events != watchers) book.complain("an event came twice");
}

}  // namespace bench
