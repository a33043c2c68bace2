#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/recipes/recipe_actions.h"
#include "client-lib/recipes/tree_content.h"
#include "wire/error.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "wire/zxid.h"

namespace zabkeeper {

struct FollowOptions {
  std::string path;
  bool only_node = false;        // without what is below it
  std::uint32_t page_max = 500;  // children of one request, at least 1
  std::size_t reads_max = 8;     // requests that are outstanding while the tree is read, at least 1
  // Beyond these the follower fails with TooLarge. `bytes_max` is of all paths and data.
  std::size_t nodes_max = 1'000'000;
  std::size_t bytes_max = std::size_t{256} << 20;
};

// A node was created or set. Without `node`: it is gone.
struct TreeChange {
  std::string path;
  std::optional<TreeNode> node;

  bool operator==(const TreeChange&) const = default;
};
// One transaction, or all that differs after a gap: then each node at most once. The content is the
// tree at `zxid`. Told once when the tree has been read, then after each change.
struct TreeChanged {
  wire::Zxid zxid;
  std::vector<TreeChange> changes;

  bool operator==(const TreeChanged&) const = default;
};
// Versions may be missing here. The next TreeChanged says what differs from the content before.
struct TreeGap {
  bool operator==(const TreeGap&) const = default;
};
// This node was left out, and what is below it, when the tree was read.
struct Unreadable {
  std::string path;
  bool operator==(const Unreadable&) const = default;
};
// The last action: the tree cannot be followed. The content stays as it was told last.
struct FollowerFailed {
  wire::Error error;
  bool operator==(const FollowerFailed&) const = default;
};

using FollowerAction = std::variant<Ask, Pause, TreeChanged, TreeGap, Unreadable, FollowerFailed>;
using FollowerActions = std::vector<FollowerAction>;

// A node, or a node and everything below it, kept current in memory. A pure value, as Acquisition
// is.
//
// Guarantees, with any number of lost connections, server failures, moves and ends of sessions:
// - After a step, `content` is exactly the tree at the zxid of the last TreeChanged of the step.
//   Transactions are told as a whole.
// - From the first TreeChanged on, every version of every node is told, in the order of the
//   transactions, or one TreeGap where the server does not know the changes since the connection
//   was lost, or had no room for their events.
// - After a gap, the data of a node are sent again only if it was changed, or stands in a page of
//   which more than a quarter was changed. A node that is as before is not told.
// - The node may be missing: its creation is a change as any other.
//
// Not guaranteed:
// - The present tree may be another one: events take time. The last transaction is told after one
//   more read, because events do not say which one is the last of its transaction.
// - Changes of ACLs cause no events. So a node that becomes readable is missing until its next
//   change or the next gap, and a node that becomes unreadable stays as it was, even if deleted.
// - The statistics of quotas (`zookeeper_stats`) change without events.
// - A client that may not read the node itself follows nothing: FollowerFailed.
class TreeFollower {
 public:
  explicit TreeFollower(FollowOptions options) : options_(std::move(options)) {}

  // Begins. Only once.
  [[nodiscard]] FollowerActions begin();
  // As of Observer. Of the zxids of replies and events none may be smaller than an earlier one,
  // in the next session either: connect with `lastZxid`.
  [[nodiscard]] FollowerActions replied(std::uint64_t number,
                                        const wire::Result<wire::ReplyBody>& result,
                                        wire::Zxid zxid);
  [[nodiscard]] FollowerActions received(std::uint64_t number, const wire::WatchEvent& event);
  [[nodiscard]] FollowerActions connection_lost();
  // The session has ended, and its watches with it. The follower continues in the next one.
  // Outstanding requests get no reply.
  [[nodiscard]] FollowerActions session_lost();
  [[nodiscard]] FollowerActions again();

  // The tree at `zxid`. Empty before the first TreeChanged.
  [[nodiscard]] const TreeNodes& content() const { return content_.nodes(); }
  [[nodiscard]] wire::Zxid zxid() const { return content_zxid_; }
  // Whether all that is known is told: the tree is read, the watch is set, no event waits.
  [[nodiscard]] bool is_following() const {
    return has_told_ && !reading_ && watch_ != 0 && watching_ == 0 && events_.empty();
  }

 private:
  using Result = wire::Result<wire::ReplyBody>;
  struct Read {
    std::string path;
    bool is_list = false;              // of the children; else of the node itself
    std::optional<std::string> after;  // of a list
    bool with_data = true;             // of a list; without: compare the zxids first
  };

  void watch(FollowerActions& actions);
  void on_watched(const Result& result, wire::Zxid zxid, FollowerActions& actions);
  void on_gap(wire::Zxid zxid, FollowerActions& actions);
  void confirm(FollowerActions& actions);
  void on_confirmed(const Result& result, wire::Zxid zxid, FollowerActions& actions);
  // All events up to `zxid` have come.
  void advance(wire::Zxid zxid, FollowerActions& actions);
  void tell_transaction(FollowerActions& actions);
  // Sends what can be sent now.
  void proceed(FollowerActions& actions);
  void fail(wire::Error error, FollowerActions& actions);
  void check_bounds(FollowerActions& actions);
  [[nodiscard]] bool is_to_pause(const Result& result, FollowerActions& actions);
  void forget_outstanding();
  void ask(wire::Request request, FollowerActions& actions);

  // tree_reading.cc
  void begin_reading();
  void send(Read read, FollowerActions& actions);
  void on_read(Read read, const Result& result, wire::Zxid zxid, FollowerActions& actions);
  void on_node(const Read& read, const wire::GetReply& node);
  void on_page(Read read, const wire::ChildrenReply& page, FollowerActions& actions);
  [[nodiscard]] bool is_changed(const std::string& path, const wire::Stat& stat) const;
  [[nodiscard]] bool is_to_read_again(const Read& read, const wire::ChildrenReply& page) const;
  void on_child(const Read& read, const wire::Child& child, FollowerActions& actions);
  void read_below(const std::string& path, const wire::Stat& stat);
  void on_refused(const Read& read, const wire::Error& error, FollowerActions& actions);
  void end_reading(FollowerActions& actions);

  FollowOptions options_;
  std::uint64_t last_ = 0;        // number of an Ask
  std::uint64_t watch_ = 0;       // the Ask of the watch whose events count
  std::uint64_t watching_ = 0;    // the same, while it is not answered
  std::uint64_t confirming_ = 0;  // the Ask of the read that shows that a transaction is complete
  TreeContent content_;
  wire::Zxid content_zxid_;
  wire::Zxid known_;  // all events up to this one have come, and are not in `events_`
  std::deque<wire::WatchEvent> events_;  // after `known_`
  std::size_t event_bytes_ = 0;
  bool has_told_ = false;
  // While the tree is read: it is right at `known_` where it has been read. It begins as a copy of
  // the content.
  std::optional<TreeContent> reading_;
  std::vector<Read> to_read_;            // the last one first
  std::map<std::uint64_t, Read> reads_;  // not answered
  bool is_paused_ = false;
  bool is_without_session_ = false;
  bool has_failed_ = false;
};

}  // namespace zabkeeper
