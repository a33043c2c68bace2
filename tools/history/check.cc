#include <algorithm>

#include "tools/history/checks.h"

namespace history {

Frontier::Frontier(const History& history) {
  for (const Operation& operation : history.operations) {
    if (operation.zxid() != 0) told_.emplace_back(operation.returned, operation.zxid());
  }
  for (const Connect& connect : history.connects) {
    if (connect.reply.contains("zxid")) {
      told_.emplace_back(connect.returned, zxid_of(connect.reply.at("zxid")));
    }
  }
  for (const Event& event : history.events) {
    told_.emplace_back(event.at, zxid_of(event.event.at("zxid")));
  }
  std::ranges::sort(told_);
  Zxid greatest = 0;
  for (auto& [time, zxid] : told_) zxid = greatest = std::max(greatest, zxid);
}

Zxid Frontier::before(Time time) const {
  const auto next = std::ranges::lower_bound(told_, time, {}, &std::pair<Time, Zxid>::first);
  return next == told_.begin() ? 0 : std::prev(next)->second;
}

std::vector<Step> steps_of(const Operation& operation) {
  std::vector<Step> steps;
  const auto add = [&](const nlohmann::json& request) {
    const std::string op = request.at("op");
    if (op == "create" || op == "set" || op == "delete" || op == "check") {
      steps.push_back({&request, op, request.at("path")});
    }
  };
  if (operation.op() == "multi") {
    for (const nlohmann::json& request : operation.request.at("ops")) add(request);
  } else {
    add(operation.request);
  }
  return steps;
}

bool names(const nlohmann::json& create, const std::string& path) {
  const auto& asked = create.at("path").get_ref<const std::string&>();
  if (!create.value("sequential", false)) return path == asked;
  return path.size() == asked.size() + 10 && path.starts_with(asked) &&
         path.find_first_not_of("0123456789", asked.size()) == std::string::npos;
}

Report check(const History& history) {
  Report report;
  report.faults = history.faults;
  report.operations = history.operations.size();
  for (const Operation& operation : history.operations) {
    report.unknown += operation.outcome == Outcome::unknown ? 1 : 0;
    report.refusals += operation.outcome == Outcome::refused ? 1 : 0;
    const bool writes = operation.outcome == Outcome::ok && !steps_of(operation).empty();
    report.acknowledged_writes += writes ? 1 : 0;
  }
  report.events = history.events.size();

  Timeline timeline(history, report);
  const Frontier frontier(history);
  check_writes(history, timeline, frontier, report);
  check_sessions(history, timeline, report);
  check_order(history, frontier, report);
  check_reads(history, timeline, frontier, report);
  check_watches(history, timeline, report);
  check_by_search(history, report);
  return report;
}

}  // namespace history
