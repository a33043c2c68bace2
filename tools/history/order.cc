#include <algorithm>
#include <map>

#include "tools/history/checks.h"

namespace history {
namespace {

struct Seen {
  Zxid zxid = 0, own = 0;  // the greatest received, and the greatest in a reply to a write
  std::int64_t number = -1;
  Time returned = 0;
};

bool wants_linearizable(const Operation& operation) {
  return operation.op() == "sync" || (operation.request.contains("consistency") &&
                                      operation.request.at("consistency") == "linearizable");
}

}  // namespace

void check_order(const History& history, const Frontier& frontier, Report& report) {
  // The replies and connections of each session, in the order of arrival.
  std::map<std::string, std::vector<std::pair<std::size_t, const Operation*>>> replies_of;
  std::map<std::string, std::vector<std::pair<std::size_t, const Connect*>>> connected;
  for (const Operation& operation : history.operations) {
    if (operation.outcome != Outcome::unknown) {
      replies_of[operation.session].emplace_back(operation.line, &operation);
    }
  }
  for (const Connect& connect : history.connects) {
    if (!connect.refused()) {
      connected[connect.reply.at("session")].emplace_back(connect.line, &connect);
    }
  }
  for (auto& [session, replies] : replies_of) {
    std::ranges::sort(replies);
    Seen seen;
    auto connect = connected[session].begin();
    for (const auto& [line, operation] : replies) {
      for (; connect != connected[session].end() && connect->first < line; ++connect) {
        const Zxid zxid = zxid_of(connect->second->reply.at("zxid"));
        if (zxid < seen.zxid) {
          report.add_violation("session-monotonic", "line " + std::to_string(connect->first) +
                                                        ": session " + session + " is resumed at " +
                                                        hex(zxid) + ", after it has seen " +
                                                        hex(seen.zxid));
        }
        seen.zxid = std::max(seen.zxid, zxid);
      }
      if (operation->number <= seen.number) {
        report.add_violation("fifo", describe(*operation) + ", request " +
                                         std::to_string(operation->number) +
                                         " of its session, got its reply after request " +
                                         std::to_string(seen.number));
      }
      const Zxid zxid = operation->zxid();
      if (zxid < seen.own) {
        report.add_violation("read-your-writes",
                             describe(*operation) + " got its reply at " + hex(zxid) +
                                 ", after a write of the session at " + hex(seen.own));
      } else if (zxid < seen.zxid) {
        report.add_violation("session-monotonic", describe(*operation) + " got its reply at " +
                                                      hex(zxid) + ", after the session had seen " +
                                                      hex(seen.zxid));
      }
      if (wants_linearizable(*operation) && operation->outcome == Outcome::ok &&
          zxid < frontier.before(operation->invoked)) {
        report.add_violation("linearizable", describe(*operation) + " got its reply at " +
                                                 hex(zxid) +
                                                 ", but was sent after a client had seen " +
                                                 hex(frontier.before(operation->invoked)));
      }
      seen.number = std::max(seen.number, operation->number);
      seen.zxid = std::max(seen.zxid, zxid);
      if (!steps_of(*operation).empty()) seen.own = std::max(seen.own, zxid);
    }
  }
}

}  // namespace history
