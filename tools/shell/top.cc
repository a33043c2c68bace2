#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include "tools/shell/busy_paths.h"
#include "tools/shell/print.h"
#include "tools/shell/requests.h"
#include "tools/shell/watching.h"
#include "wire/json_text.h"
#include "wire/utf8.h"

// The command that shows which paths are busy.
namespace shell {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using TopObject = wire::ObjectWriter<wire::json::JsonSyntax>;

constexpr std::size_t top_waiting_bytes_max = std::size_t{64} << 20;

void add_counts(const BusyPaths::Counts& counts, TopObject& object) {
  object.integer("events", counts.events());
  object.integer("created", counts.created);
  object.integer("changed", counts.changed);
  object.integer("deleted", counts.deleted);
}

std::string report_json(const BusyPaths::Report& report, milliseconds time) {
  std::string text;
  {
    TopObject object(text);
    object.integer("ms", time.count());
    object.integer("events", report.events);
    object.boolean("complete", report.is_complete);
    object.list("paths", report.lines, [](const BusyPaths::Line& line, std::string& out) {
      TopObject fields(out);
      fields.string("path", line.path);
      add_counts(line.counts, fields);
    });
  }
  return text + '\n';
}

std::string report_text(const std::string& path, const BusyPaths::Report& report,
                        milliseconds time) {
  std::string text =
      path + ": " + count_text(report.events, "event") + " in " + seconds_text(time) + " s" +
      (report.is_complete ? "" : ", and some that the servers do not know any more") + '\n';
  std::vector<Row> rows{{"EVENTS", "CREATED", "CHANGED", "DELETED", "PATH"}};
  for (const auto& [name, counts] : report.lines) {
    rows.push_back({std::to_string(counts.events()), std::to_string(counts.created),
                    std::to_string(counts.changed), std::to_string(counts.deleted), name});
  }
  return text + table(rows, {true, true, true, true, false});
}

// A terminal that shows the newest report.
class Screen {
 public:
  explicit Screen(Output& out) : out_(out) {
    const char* const term = std::getenv("TERM");
    const bool can_paint = term != nullptr && std::string_view(term) != "dumb";
    is_painted_ = out.is_terminal() && can_paint &&
                  ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size_) == 0 && size_.ws_row > 0 &&
                  size_.ws_col > 0;
  }

  [[nodiscard]] bool is_painted() const { return is_painted_; }
  // Paints the lines and columns of the text that fit.
  void paint(std::string_view text) {
    (void)::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size_);
    out_.write_raw("\x1b[H\x1b[2J");
    for (int row = 1; row < size_.ws_row && !text.empty(); ++row) {
      const std::size_t end = text.find('\n');
      out_ << beginning(text.substr(0, end)) << '\n';
      text.remove_prefix(end + 1);
    }
    out_.flush();
  }

 private:
  [[nodiscard]] std::string_view beginning(std::string_view line) const {
    std::size_t bytes = 0;
    for (int column = 0; column < size_.ws_col && bytes < line.size(); ++column) {
      bytes += wire::character_size(line[bytes]);
    }
    return line.substr(0, bytes);
  }

  Output& out_;
  winsize size_{};
  bool is_painted_ = false;
};

}  // namespace

void Runner::on(const Top& top) {
  const std::string path = absolute(top.path);
  Watching watching(client_(), {path, wire::WatchScope::subtree, false, /*with_data=*/false, {}},
                    {top_waiting_bytes_max});
  const zabkeeper::Client::AnyReply reply = watching.begin();
  if (reply.result.has_error()) {
    throw Refused{reply.result.error(), path, Effect::read, reply.zxid};
  }
  Screen screen(out_);
  const bool is_painted = screen.is_painted() && !json_;
  err_ << "watching " << path << '\n';

  BusyPaths paths({path, top.depth, !top.each});
  auto began = steady_clock::now();
  for (std::size_t reports = 0; !interrupted && (top.count == 0 || reports < top.count);) {
    const auto now = steady_clock::now();
    if (now < began + top.interval) {
      const auto left = std::chrono::ceil<milliseconds>(began + top.interval - now);
      const auto event = watching.take(std::min(left, milliseconds(100)));
      if (event && event->has_error()) throw Refused{event->error(), path};
      if (event) paths.add(**event);
      continue;
    }
    const auto time = std::chrono::round<milliseconds>(now - std::exchange(began, now));
    const BusyPaths::Report report = paths.take(top.rows);
    if (json_) {
      out_ << report_json(report, time);
    } else if (is_painted) {
      screen.paint(report_text(path, report, time));
    } else {
      out_ << (reports > 0 ? "\n" : "") << report_text(path, report, time);
    }
    out_.flush();
    ++reports;
  }
  if (settings_.mode == Mode::interactive) watching.end();
}

}  // namespace shell
