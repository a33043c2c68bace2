#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/copying.h"
#include "tools/shell/mirroring.h"
#include "tools/shell/print.h"
#include "tools/shell/requests.h"
#include "tools/shell/watching.h"

// The command that keeps one subtree equal to another.
namespace shell {
namespace {

using std::chrono::milliseconds;
using wire::ErrorCode;

// The limit of events that wait while the copy is written.
constexpr std::size_t mirrored_bytes_max = std::size_t{64} << 20;
constexpr std::size_t paths_of_update_max = 256;
constexpr milliseconds retry_pause{500};

constexpr std::string_view name_of_action(Mirroring::Action action) {
  constexpr std::array<std::string_view, 3> names{"create", "set", "delete"};
  return names[static_cast<std::size_t>(action)];
}

// Whether the same request may succeed a little later.
bool is_passing(ErrorCode code) {
  constexpr std::array codes{
      ErrorCode::connection_loss, ErrorCode::operation_timeout, ErrorCode::session_expired,
      ErrorCode::session_moved,   ErrorCode::not_ready,         ErrorCode::server_behind,
      ErrorCode::throttled,       ErrorCode::overloaded,        ErrorCode::not_read_only};
  return std::ranges::find(codes, code) != codes.end();
}

std::string relative_to(const std::string& top, const std::string& path) {
  if (path.empty() || path == top) return std::string(top_of_subtree);
  return path.substr(top == "/" ? 1 : top.size() + 1);
}

// The nodes that have changed, each once, in the order of their last events: a node that is gone
// comes after those that were below it.
struct Changed {
  std::vector<std::string> paths;  // in the order of the events
  bool is_incomplete = false;      // the servers do not know all events

  [[nodiscard]] std::vector<std::string> each_once() const {
    std::vector<std::string> once;
    std::set<std::string_view> seen;
    for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
      if (seen.insert(*path).second) once.push_back(*path);
    }
    std::ranges::reverse(once);
    return once;
  }
};

// Waits for a change, and takes all that have arrived until then.
Changed take_changes(Watching& watching, const std::string& top, const std::string& place) {
  Changed changed;
  milliseconds wait{100};
  while (changed.paths.size() < paths_of_update_max) {
    const auto event = watching.take(std::exchange(wait, milliseconds(0)));
    if (!event) break;
    if (event->has_error()) throw Refused{event->error(), place};
    if ((*event)->kind == wire::EventKind::resync) {
      changed.is_incomplete = true;
    } else {
      changed.paths.push_back(relative_to(top, (*event)->path));
    }
  }
  return changed;
}

void pause_before_retry() {
  for (milliseconds left = retry_pause; left > milliseconds(0) && !interrupted;
       left -= milliseconds(50)) {
    std::this_thread::sleep_for(milliseconds(50));
  }
}

}  // namespace

void Runner::on(const Mirror& command) try {
  std::unique_ptr<zabkeeper::Client> client_from, client_to;
  const auto side_of = [&](const Location& location,
                           std::unique_ptr<zabkeeper::Client>& other) -> Mirroring::Side {
    if (location.servers.empty()) return {client_(), absolute(location.path), {}};
    other = settings_.open_client(location.servers);
    return {*other, absolute(location.path), location.servers};
  };
  const Mirroring::Side from = side_of(command.from, client_from);
  const Mirroring::Side to = side_of(command.to, client_to);
  if (from.servers == to.servers) {
    expect_apart(from.top, to.top);
    expect_apart(to.top, from.top);
  }
  const std::string place = from.servers + from.top;

  Mirroring mirroring(
      from, to,
      {command.deletes, !command.no_acls, command.parents, command.dry_run,
       [this](Mirroring::Action action, const std::string& path) {
         out_ << (json_ ? json_line({{"action", name_of_action(action)}, {"path", path}})
                        : std::string(name_of_action(action)) + ' ' + path + '\n');
       },
       [this](const std::string& path) {
         err_ << path << ": has nodes that the original does not have, and stays; --delete deletes "
              << "such nodes\n";
       }});
  const auto equalize = [&] {
    Omissions of_original(err_);
    Omissions of_copy(err_);
    mirroring.equalize(of_original, of_copy);
    exit_code_ = std::max(of_original.finish(), of_copy.finish());
    out_.flush();
  };
  if (command.once || command.dry_run) return equalize();

  Watching watching(from.client, {from.top, wire::WatchScope::subtree, false, false, {}},
                    {mirrored_bytes_max});
  const zabkeeper::Client::AnyReply reply = watching.begin();
  if (reply.result.has_error()) {
    throw Refused{reply.result.error(), place, Effect::read, reply.zxid};
  }
  // Attempts that fail for a while are repeated: a mirror outlives servers and elections.
  const auto persist = [&](const auto& attempt) {
    for (bool is_first = true; !interrupted; is_first = false) {
      try {
        return attempt();
      } catch (const Refused& refused) {
        if (!is_passing(refused.error.code)) throw;
        if (is_first) err_ << error_text(refused.error, refused.path) << "; trying again\n";
      }
      pause_before_retry();
    }
  };
  persist(equalize);
  remark(place + " is mirrored; following its changes");
  while (!interrupted) {
    const Changed changed = take_changes(watching, from.top, place);
    if (changed.is_incomplete) {
      persist(equalize);
    } else if (!changed.paths.empty()) {
      persist([&] { mirroring.update(changed.each_once()); });
      out_.flush();
    }
  }
  if (settings_.mode == Mode::interactive) watching.end();
} catch (const Interrupted&) {
  if (command.once || command.dry_run) throw;
  out_.flush();
}

}  // namespace shell
