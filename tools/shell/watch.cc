#include <chrono>
#include <csignal>
#include <list>
#include <optional>
#include <utility>

#include "tools/shell/child.h"
#include "tools/shell/print.h"
#include "tools/shell/requests.h"
#include "tools/shell/signals.h"
#include "tools/shell/watching.h"
#include "wire/json.h"

namespace shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The limit of events that wait for a program that is too slow.
constexpr std::size_t waiting_bytes_max = std::size_t{64} << 20;
constexpr std::size_t parallel_max = 64;

wire::WatchRequest request_for(const Watch& watch, const std::string& path) {
  return {path, watch.scope, false, /*with_data=*/true, watch.from};
}

Launch launch_for(const Watch& watch, const std::string& path, const wire::WatchEvent& event) {
  std::string text;
  wire::json::write(wire::ServerMessage(event), text);
  return {watch.program,
          {"ZABKEEPER_EVENT=" + std::string(wire::name(event.kind)),
           "ZABKEEPER_EVENT_PATH=" + (event.path.empty() ? path : event.path),
           "ZABKEEPER_EVENT_ZXID=" + wire::to_hex(event.zxid)},
          text + '\n',
          Place::own_group};
}

// The programs that run for events, at most so many at a time.
class EventPrograms {
 public:
  explicit EventPrograms(std::size_t max) : max_(max) {}

  [[nodiscard]] bool has_room() const { return running_.size() < max_; }
  [[nodiscard]] bool empty() const { return running_.empty(); }
  void start(const Launch& launch, const wire::WatchEvent& event) {
    running_.push_back({Child(launch), event});
  }
  void signal(int number) {
    for (const Running& each : running_) each.child.signal_even_if_stopped(number);
  }
  // Calls the function for each program that has ended, with its event and its exit code.
  template <typename Function>
  void reap(Function on_end) {
    std::erase_if(running_, [&](Running& each) {
      const std::optional<int> code = each.child.exit_code();
      if (code) on_end(each.event, *code);
      return code.has_value();
    });
  }

 private:
  struct Running {
    Child child;
    wire::WatchEvent event;
  };

  std::size_t max_;
  std::list<Running> running_;
};

}  // namespace

void Runner::on(const Watch& watch) {
  const std::string path = absolute(watch.path);
  if (!watch.program.empty()) return run_for_events(watch, path);
  Watching watching(client_(), request_for(watch, path), {});
  const zabkeeper::Client::AnyReply reply = watching.begin();
  if (reply.result.has_error()) {
    throw Refused{reply.result.error(), path, Effect::read, reply.zxid};
  }
  if (json_) print_json(wire::Reply{{}, reply.zxid, {}, reply.result});
  out_.flush();
  remark("watching " + path);

  std::size_t seen = 0;
  while (!interrupted && (watch.count == 0 || seen < watch.count)) {
    const auto event = watching.take(milliseconds(100));
    if (!event) continue;
    if (event->has_error()) throw Refused{event->error(), path};
    ++seen;
    if (json_) {
      print_json(**event);
    } else {
      out_ << event_text(**event) << '\n';
    }
    out_.flush();
  }
  if (settings_.mode == Mode::interactive) watching.end();
}

void Runner::run_for_events(const Watch& watch, const std::string& path) {
  (void)find_program(watch.program.front());
  Signals signals;
  const auto wakeup = signals.wakeup();
  Watching watching(client_(), request_for(watch, path),
                    {waiting_bytes_max, [wakeup] { wakeup->wake(); }});
  const zabkeeper::Client::AnyReply reply = watching.begin();
  if (reply.result.has_error()) {
    throw Refused{reply.result.error(), path, Effect::read, reply.zxid};
  }
  remark("watching " + path);

  EventPrograms programs(watch.parallel ? parallel_max : 1);
  std::size_t seen = 0;
  bool is_ending = false;
  const auto report = [&](const wire::WatchEvent& event, int code) {
    if (code == exit_ok) return;
    err_ << watch.program.front() << ": exit code " << code << " for " << wire::name(event.kind)
         << ' ' << event.path << " of " << wire::to_hex(event.zxid) << '\n';
    if (!watch.exit_on_error) return;
    if (!std::exchange(is_ending, true)) exit_code_ = code;
  };
  std::optional<zabkeeper::Error> failure;
  for (;;) {
    programs.reap(report);
    while (const auto caught = signals.next()) {
      programs.signal(caught->number);
      is_ending = true;
      exit_code_ = caught->number == SIGINT ? exit_ok : 128 + caught->number;
      note_signal(caught->number);
    }
    if (watch.count != 0 && seen == watch.count) is_ending = true;
    if (is_ending && programs.empty()) break;
    if (!is_ending && programs.has_room()) {
      const auto event = watching.take(milliseconds(0));
      if (event && event->has_error()) {
        failure = event->error();
        is_ending = true;
        continue;
      }
      if (event) {
        ++seen;
        try {
          programs.start(launch_for(watch, path, **event), **event);
        } catch (const CannotRun& failed) {
          err_ << failed.what() << '\n';
          report(**event, failed.exit_code());
        }
        continue;
      }
    }
    // The loop must run again soon: `take` also sets a lost watch again.
    wakeup->wait_until(steady_clock::now() + milliseconds(500));
  }
  if (settings_.mode == Mode::interactive) watching.end();
  if (failure) {
    err_ << watch.program.front() << " has got the events up to here; go on with --from "
         << wire::to_hex(watching.position()) << '\n';
    throw Refused{*failure, path};
  }
}

}  // namespace shell
