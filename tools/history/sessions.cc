#include <algorithm>
#include <map>
#include <set>

#include "tools/history/checks.h"

namespace history {
namespace {

const std::string no_session(16, '0');

struct End {
  Zxid zxid = 0;
  Time seen = never;
  std::size_t line = 0;
};

class Sessions {
 public:
  Sessions(const History& history, const Timeline& timeline, Report& report)
      : history_(history), timeline_(timeline), report_(report) {}

  void check() {
    find_ends();
    report_.session_ends += ends_.size();
    for (const auto& [session, end] : ends_) check_nothing_left(session, end.zxid, end.line);
    for (const Connect& connect : history_.connects) check_connect(connect);
    for (const Operation& operation : history_.operations) check_operation(operation);
    for (const auto& [path, changes] : timeline_.changes()) {
      for (const Change& change : changes) check_effect(path, change);
    }
  }

 private:
  // An ephemeral node that no request deleted was deleted by the end of its session.
  void find_ends() {
    for (const auto& [path, changes] : timeline_.changes()) {
      for (std::size_t i = 1; i < changes.size(); ++i) {
        const Change& change = changes[i];
        const State& was = changes[i - 1].after;
        if (change.after.exists || change.by != no_operation || !was.exists ||
            was.owner == no_session || !timeline_.known(changes[i - 1].zxid, change.zxid)) {
          continue;
        }
        auto [end, first] =
            ends_.try_emplace(was.owner, End{change.zxid, change.seen, change.line});
        end->second.seen = std::min(end->second.seen, change.seen);
        if (end->second.zxid == change.zxid) continue;
        report_.add_violation("ephemeral", "line " + std::to_string(change.line) + ": " + path +
                                               " of " + was.owner + " is deleted by " +
                                               hex(change.zxid) + ", another one was deleted by " +
                                               hex(end->second.zxid));
      }
    }
  }

  void check_nothing_left(const std::string& session, Zxid zxid, std::size_t line) {
    for (const auto& [path, changes] : timeline_.changes()) {
      const std::optional<State> state = timeline_.at(path, zxid);
      if (state && state->exists && state->owner == session) {
        report_.add_violation("ephemeral", "line " + std::to_string(line) + ": session " + session +
                                               " has ended by " + hex(zxid) + ", but " + path +
                                               " still exists");
      }
    }
  }

  void check_connect(const Connect& connect) {
    const std::string line = "line " + std::to_string(connect.line) + ": ";
    if (connect.refused()) {
      if (connect.reply.at("error") == "SessionExpired" && connect.reply.contains("zxid")) {
        check_nothing_left(connect.wanted_session, zxid_of(connect.reply.at("zxid")), connect.line);
      }
      return;
    }
    timeouts_[connect.reply.at("session")] = connect.reply.at("timeoutMs").get<Time>() * 1'000'000;
    if (connect.wanted_session.empty()) return;
    if (connect.reply.at("session") != connect.wanted_session || !connect.reply.at("resumed")) {
      report_.add_violation("session", line + "the client asked for session " +
                                           connect.wanted_session +
                                           " and got another one without an error");
    }
    const auto end = ends_.find(connect.wanted_session);
    if (end != ends_.end() && zxid_of(connect.reply.at("zxid")) >= end->second.zxid) {
      report_.add_violation("session", line + "session " + connect.wanted_session +
                                           " is resumed after its end by " + hex(end->second.zxid));
    }
  }

  void check_operation(const Operation& operation) {
    const auto end = ends_.find(operation.session);
    if (operation.op() == "close") {
      if (operation.outcome == Outcome::ok) {
        check_nothing_left(operation.session, operation.zxid(), operation.line);
      }
      return;
    }
    if (end == ends_.end() || operation.outcome == Outcome::unknown || asked_to_close(operation)) {
      return;
    }
    if (operation.zxid() > end->second.zxid && operation.op() != "ping") {
      report_.add_violation("session",
                            describe(operation) + " got its reply at " + hex(operation.zxid()) +
                                ", after the end of its session by " + hex(end->second.zxid));
    }
    // A session must not expire within its timeout after a request. A third of the timeout is
    // tolerance, because servers count it in ticks.
    const Time until = operation.invoked + timeouts_[operation.session] * 2 / 3;
    if (end->second.seen < until) {
      report_.add_violation("early-expiry",
                            describe(operation) + " was sent " +
                                std::to_string((end->second.seen - operation.invoked) / 1'000'000) +
                                " ms before the end of its session was received; its timeout is " +
                                std::to_string(timeouts_[operation.session] / 1'000'000));
    }
  }

  bool asked_to_close(const Operation& of) {
    if (closed_.empty()) {
      closed_.insert("");
      for (const Operation& operation : history_.operations) {
        if (operation.op() == "close") closed_.insert(operation.session);
      }
    }
    return closed_.contains(of.session);
  }

  void check_effect(const std::string& path, const Change& change) {
    if (change.by == no_operation) return;
    const Operation& operation = history_.operations[change.by];
    const auto end = ends_.find(operation.session);
    if (end == ends_.end() || change.zxid <= end->second.zxid) return;
    report_.add_violation("session", describe(operation) + " changed " + path + " by " +
                                         hex(change.zxid) + ", after its session ended by " +
                                         hex(end->second.zxid));
  }

  const History& history_;
  const Timeline& timeline_;
  Report& report_;
  std::map<std::string, End> ends_;
  std::map<std::string, Time> timeouts_;
  std::set<std::string> closed_;
};

}  // namespace

void check_sessions(const History& history, const Timeline& timeline, Report& report) {
  Sessions(history, timeline, report).check();
}

}  // namespace history
