#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/history/history.h"
#include "tools/history/report.h"
#include "tools/history/timeline.h"

namespace history {

// The greatest zxid that any client had received, at each time. A write that is requested later has
// a greater zxid, and a linearizable read that is requested later sees at least that zxid.
class Frontier {
 public:
  explicit Frontier(const History& history);
  // The greatest zxid that was received strictly before `time`.
  [[nodiscard]] Zxid before(Time time) const;

 private:
  std::vector<std::pair<Time, Zxid>> received_;  // both rise
};

// One write of an operation: the operation itself, or one op of a multi.
struct Step {
  const nlohmann::json* request;
  std::string op, path;
};
std::vector<Step> steps_of(const Operation& operation);
// Whether a create can have created `path`: the requested path, with a number if it is sequential.
bool can_create(const nlohmann::json& create, const std::string& path);

// Every change has one cause, and every acknowledged write has its change, in the order of real
// time. Versions, parents, multis and sequence numbers are right. Sets Change::by in the timeline.
void check_writes(const History& history, Timeline& timeline, const Frontier& frontier,
                  Report& report);
// Ephemeral nodes exist as long as their sessions, and sessions last as long as their clients use
// them. Must be called after check_writes.
void check_sessions(const History& history, const Timeline& timeline, Report& report);
// Replies come in order, a session never sees an earlier state than before, and linearizable reads
// see everything that any client had received before.
void check_order(const History& history, const Frontier& frontier, Report& report);
// The reply to every read, and every refusal, agrees with the changes up to its zxid.
void check_reads(const History& history, const Timeline& timeline, const Frontier& frontier,
                 Report& report);
// Every watch receives every change that it watches, once, in order, and before any reply that
// reflects the change.
void check_watches(const History& history, const Timeline& timeline, Report& report);
// Uses no zxid: searches for an order of the operations on a znode (or on several, if multis
// connect them) that agrees with real time and explains the replies.
void check_by_search(const History& history, Report& report);

// All checks.
Report check(const History& history);

}  // namespace history
