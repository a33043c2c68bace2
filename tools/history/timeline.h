#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/history/history.h"
#include "tools/history/report.h"

namespace history {

constexpr std::size_t no_operation = static_cast<std::size_t>(-1);

// A znode at one moment.
struct State {
  bool exists = false;
  Zxid czxid = 0, mzxid = 0;
  std::int64_t version = 0;
  std::string owner;  // "0000000000000000": persistent
  std::string data;

  bool operator==(const State&) const = default;
};

// The effect of one transaction on one znode.
struct Change {
  Zxid zxid = 0;
  State after;
  Time seen = never;              // when the first client received it
  std::size_t line = 0;           // of that client's event or reply
  bool streamed = false;          // an audit received it
  std::size_t by = no_operation;  // the operation that did it
};

// The effects of all transactions, by znode and in the order of zxid. They come from audits, which
// are watches with data on the whole subtree that the load uses; and from the replies to writes.
// Between two audits there may be gaps, in which only the replies to writes are known.
class Timeline {
 public:
  // Reports audits that contradict each other, and replies that contradict the audits.
  Timeline(const History& history, Report& report);

  [[nodiscard]] bool covers(const std::string& path) const;
  // Whether all changes in (after, up_to] are known.
  [[nodiscard]] bool known(Zxid after, Zxid up_to) const;

  // The state at a zxid; nothing if there may be changes that no client recorded.
  [[nodiscard]] std::optional<State> at(const std::string& path, Zxid zxid) const;
  // The last recorded change up to a zxid; null if there is none.
  [[nodiscard]] const Change* last(const std::string& path, Zxid zxid) const;

  // By path, each in the order of zxid.
  [[nodiscard]] const std::map<std::string, std::vector<Change>>& changes() const {
    return changes_;
  }
  [[nodiscard]] std::map<std::string, std::vector<Change>>& changes() { return changes_; }

  // The paths of all children that ever existed.
  [[nodiscard]] std::vector<std::string> children_ever(const std::string& path) const;

  [[nodiscard]] Zxid start() const { return start_; }
  [[nodiscard]] Zxid end() const { return covered_.empty() ? 0 : covered_.back().second; }

 private:
  void follow_audits(const History& history, Report& report);
  void add_replies(const History& history, Report& report);
  void add_reply(const Operation& operation, std::size_t index, const nlohmann::json& request,
                 const nlohmann::json& reply, Report& report);
  void merge_cover(std::vector<std::pair<Zxid, Zxid>> pieces);

  std::string root_;  // of the audits
  Zxid start_ = 0;
  std::vector<std::pair<Zxid, Zxid>> covered_;  // (after, up to], in order, disjoint
  std::map<std::string, std::vector<Change>> changes_;
};

std::string parent_of(const std::string& path);
State state_of(const nlohmann::json& stat, std::string data);

}  // namespace history
