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

// What anybody had been told by when. A transaction that is asked for later has a greater zxid,
// and a linearizable read that is asked for later sees at least as much.
class Frontier {
 public:
  explicit Frontier(const History& history);
  // The greatest zxid told strictly before `time`.
  [[nodiscard]] Zxid before(Time time) const;

 private:
  std::vector<std::pair<Time, Zxid>> told_;  // both rise
};

// One write of an operation: itself, or one of a multi.
struct Step {
  const nlohmann::json* request;
  std::string op, path;
};
std::vector<Step> steps_of(const Operation& operation);
// Whether `path` is what a create asked for, with its number if it is sequential.
bool names(const nlohmann::json& create, const std::string& path);

// Every change has one cause and every acknowledged write its change, in the order of real time;
// versions, parents, multis and sequence numbers are right. Fills in who did what.
void check_writes(const History& history, Timeline& timeline, const Frontier& frontier,
                  Report& report);
// Ephemeral nodes live as long as their sessions, and sessions as long as their clients.
// After check_writes.
void check_sessions(const History& history, const Timeline& timeline, Report& report);
// Replies come in order, time never runs backwards for a session, and linearizable reads see
// everything told before.
void check_order(const History& history, const Frontier& frontier, Report& report);
// Every read, and every refusal, is what the changes up to its zxid make it.
void check_reads(const History& history, const Timeline& timeline, const Frontier& frontier,
                 Report& report);
// Every watch is told of every change that it asked for, once, in order, and before any reply that
// reflects it.
void check_watches(const History& history, const Timeline& timeline, Report& report);
// Believes no zxid: searches for an order of the operations on a znode (on several, where multis
// join them) that real time allows and that explains the replies.
void check_by_search(const History& history, Report& report);

// All of them.
Report check(const History& history);

}  // namespace history
