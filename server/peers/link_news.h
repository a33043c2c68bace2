#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/logging/reported_reasons.h"
#include "zab/ensemble.h"

namespace server {

// Decides which changes of links are logged. A link that is lost and made again and again would
// fill the log: then a loss is logged once in ten minutes for each reason, and the link after it.
// But the log never says for long that a server is linked while it is not. Reads no clock.
class LinkNews {
 public:
  using TimePoint = ReportedReasons::TimePoint;

  // After a link that lasted so long, the next loss is logged at once.
  static constexpr std::chrono::minutes lasting{1};
  // A loss that is not logged at once is logged after this time, unless the server is linked again.
  static constexpr std::chrono::seconds patience{30};

  // The server is linked with a program that is described so. Returns whether to log it: not if the
  // log says so already.
  [[nodiscard]] bool linked(zab::ServerId server, const std::string& program, TimePoint now);
  // The link is lost. Returns the end of the line if it is to be logged now: see `repeated`.
  [[nodiscard]] std::optional<std::string> lost(zab::ServerId server, const std::string& reason,
                                                TimePoint now);

  struct Loss {
    zab::ServerId server;
    std::string reason;
  };
  // The losses to be logged now, each once, because they last.
  [[nodiscard]] std::vector<Loss> overdue(TimePoint now);

 private:
  struct Unlogged {
    TimePoint at;
    std::string reason;
  };
  struct State {
    TimePoint linked_at;
    std::string logged;  // the program, if the log says that the server is linked; else empty
    std::optional<Unlogged> loss;
  };

  std::map<zab::ServerId, State> states_;
  ReportedReasons reasons_;
};

}  // namespace server
