#include <algorithm>
#include <set>

#include "tools/history/checks.h"

namespace history {
namespace {

using nlohmann::json;

// The kind of an event, and its path.
using Notice = std::pair<std::string, std::string>;
using Expected = std::map<Zxid, std::set<Notice>>;

struct Watch {
  std::size_t operation = 0;
  std::string path, scope;  // node, children, subtree; or "read " and the op of a read
  bool once = false;
  bool past = false;  // the request has `from`
  Zxid from = 0;
};

class Watches {
 public:
  Watches(const History& history, const Timeline& timeline, Report& report)
      : history_(history), timeline_(timeline), report_(report) {}

  void check() {
    for (const auto& [connection, messages] : history_.messages) {
      for (const Message& message : messages) {
        if (!message.operation) continue;
        if (const std::optional<Watch> watch = watch_of(*message.operation)) {
          report_.watches += 1;
          follow(*watch, messages);
        }
      }
      check_unknown_watches(messages);
    }
  }

 private:
  [[nodiscard]] std::optional<Watch> watch_of(std::size_t index) const {
    const Operation& operation = history_.operations[index];
    if (operation.outcome != Outcome::ok) return std::nullopt;
    const json& request = operation.request;
    const std::string op = request.at("op");
    Watch watch{index, request.value("path", ""), "", false, false, operation.zxid()};
    if (op == "watch") {
      watch.scope = request.value("scope", "node");
      watch.once = request.value("once", false);
      if (request.contains("from")) {
        watch.past = true;
        watch.from = zxid_of(request.at("from"));
      }
    } else if (request.value("watch", false)) {
      watch.scope = "read " + op;
      watch.once = true;
    } else {
      return std::nullopt;
    }
    if (!timeline_.covers(watch.path)) return std::nullopt;
    return watch;
  }

  // The events that a watch must receive after `watch.from`.
  [[nodiscard]] Expected expected_of(const Watch& watch) const {
    Expected expected;
    const std::string below = watch.path + "/";
    const bool node = watch.scope == "node" || watch.scope == "read exists";
    const bool deep = watch.scope == "subtree" || watch.scope == "read count";
    const bool family = watch.scope == "children" || watch.scope == "read children";
    const auto& all = timeline_.changes();
    const auto add = [&](const std::string& path, const std::vector<Change>& changes) {
      const bool self = path == watch.path;
      if (family && !self && path.find('/', below.size()) != std::string::npos) return;
      auto change = std::upper_bound(changes.begin(), changes.end(), watch.from,
                                     [](Zxid z, const Change& c) { return z < c.zxid; });
      for (; change != changes.end(); ++change) {
        const bool is = change->after.exists;
        const bool created = is && change->after.czxid == change->zxid;
        const std::string kind = !is ? "deleted" : created ? "created" : "changed";
        if (family && self) {
          if (!is) expected[change->zxid].emplace("deleted", path);
        } else if (family) {
          if (!is || created) expected[change->zxid].emplace("children", watch.path);
        } else if (watch.scope == "read count") {
          if (!is || created) expected[change->zxid].emplace(kind, path);
        } else if (watch.scope == "read get") {
          if (!created) expected[change->zxid].emplace(kind, path);
        } else {
          expected[change->zxid].emplace(kind, path);
        }
      }
    };
    if (const auto self = all.find(watch.path); self != all.end()) add(self->first, self->second);
    if (!node && watch.scope != "read get" && (deep || family)) {
      for (auto i = all.lower_bound(below); i != all.end() && i->first.starts_with(below); ++i) {
        add(i->first, i->second);
      }
    }
    return expected;
  }

  void follow(Watch watch, const std::vector<Message>& messages) {
    const Operation& asked = history_.operations[watch.operation];
    const json& id = asked.request.at("id");
    Expected expected = expected_of(watch);
    bool set = watch.past, replied = false;
    for (const Message& message : messages) {
      if (message.event) {
        const Event& event = history_.events[*message.event];
        if (!set || event.event.at("watch") != id) continue;
        if (event.event.at("event") == "resync") {
          if (watch.once) return;
          watch.from = zxid_of(event.event.at("zxid"));
          expected = expected_of(watch);
        } else if (!match(watch, asked, event, expected)) {
          return;
        }
        if (watch.once) return expect_none_more(asked, id, messages, message.line);
        continue;
      }
      const Operation& operation = history_.operations[*message.operation];
      const bool its_own = *message.operation == watch.operation;
      set = set || its_own;
      replied = replied || its_own;
      if (operation.op() == "unwatch" && operation.request.at("watch") == id) return;
      if (!replied || operation.reply.contains("error")) continue;
      if (!none_due(asked, expected, operation)) return;
    }
  }

  // An event must be the next one that is due.
  bool match(const Watch& watch, const Operation& asked, const Event& event, Expected& expected) {
    const Zxid zxid = zxid_of(event.event.at("zxid"));
    if (!timeline_.known(watch.from, zxid)) return false;
    const Notice notice{event.event.at("event"), event.event.at("path")};
    const std::string what = "line " + std::to_string(event.line) + ": " + notice.first + " " +
                             notice.second + " of " + hex(zxid) + ", for " + describe(asked);
    if (expected.empty() || zxid < expected.begin()->first) {
      report_.add_violation("watch-phantom",
                            what + ": there was no such change, or the event came before");
      return false;
    }
    if (zxid > expected.begin()->first) {
      report_.add_violation(
          "watch-gap", what + ": the event of " + hex(expected.begin()->first) + " is missing");
      return false;
    }
    if (expected.begin()->second.erase(notice) == 0) {
      report_.add_violation("watch-phantom", what + ": the transaction made no such change");
      return false;
    }
    if (expected.begin()->second.empty()) expected.erase(expected.begin());
    return true;
  }

  bool none_due(const Operation& asked, const Expected& expected, const Operation& reply) {
    if (expected.empty() || expected.begin()->first > reply.zxid()) return true;
    if (!timeline_.known(expected.begin()->first - 1, reply.zxid())) return false;
    report_.add_violation("watch-order", describe(reply) + " got its reply at " +
                                             hex(reply.zxid()) + " before the event of " +
                                             hex(expected.begin()->first) + " for " +
                                             describe(asked));
    return false;
  }

  void expect_none_more(const Operation& asked, const json& id,
                        const std::vector<Message>& messages, std::size_t line) {
    for (const Message& message : messages) {
      if (message.line <= line) continue;
      // From here on the id belongs to another watch.
      if (message.operation && &history_.operations[*message.operation] != &asked &&
          history_.operations[*message.operation].request.value("id", json{}) == id) {
        return;
      }
      if (!message.event || history_.events[*message.event].event.at("watch") != id) continue;
      report_.add_violation("watch-phantom", "line " + std::to_string(message.line) +
                                                 ": a second event for " + describe(asked) +
                                                 ", a one-shot watch");
      return;
    }
  }

  void check_unknown_watches(const std::vector<Message>& messages) {
    std::set<json> known;
    for (const Message& message : messages) {
      if (message.operation)
        known.insert(history_.operations[*message.operation].request.value("id", json{}));
    }
    // A watch whose reply was lost with the connection may have been set.
    for (const Operation& operation : history_.operations) {
      if (operation.outcome == Outcome::unknown)
        known.insert(operation.request.value("id", json{}));
    }
    for (const Message& message : messages) {
      if (!message.event) continue;
      const Event& event = history_.events[*message.event];
      if (known.contains(event.event.at("watch"))) continue;
      report_.add_violation("watch-phantom", "line " + std::to_string(event.line) +
                                                 ": an event for a watch that no client has set");
      return;
    }
  }

  const History& history_;
  const Timeline& timeline_;
  Report& report_;
};

}  // namespace

void check_watches(const History& history, const Timeline& timeline, Report& report) {
  Watches(history, timeline, report).check();
}

}  // namespace history
