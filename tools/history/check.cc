#include <algorithm>

#include "tools/history/checks.h"

namespace history {

Frontier::Frontier(const History& history) {
  for (const Operation& operation : history.operations) {
    if (operation.zxid() != 0) received_.emplace_back(operation.returned, operation.zxid());
  }
  for (const Connect& connect : history.connects) {
    if (connect.reply.contains("zxid")) {
      received_.emplace_back(connect.returned, zxid_of(connect.reply.at("zxid")));
    }
  }
  for (const Event& event : history.events) {
    received_.emplace_back(event.at, zxid_of(event.event.at("zxid")));
  }
  std::ranges::sort(received_);
  Zxid greatest = 0;
  for (auto& [time, zxid] : received_) zxid = greatest = std::max(greatest, zxid);
}

Zxid Frontier::before(Time time) const {
  const auto next = std::ranges::lower_bound(received_, time, {}, &std::pair<Time, Zxid>::first);
  return next == received_.begin() ? 0 : std::prev(next)->second;
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

bool can_create(const nlohmann::json& create, const std::string& path) {
  const auto& requested = create.at("path").get_ref<const std::string&>();
  if (!create.value("sequential", false)) return path == requested;
  return path.size() == requested.size() + 10 && path.starts_with(requested) &&
         path.find_first_not_of("0123456789", requested.size()) == std::string::npos;
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
