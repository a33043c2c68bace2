#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/recipes/recipe_actions.h"
#include "wire/bytes.h"
#include "wire/error.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "wire/zxid.h"

namespace zabkeeper {

// The data of a Presence's node: "<id> <owner>\n<data>".
struct PresenceData {
  std::string id;
  std::string owner;
  wire::Bytes data;

  bool operator==(const PresenceData&) const = default;
};
[[nodiscard]] wire::Bytes bytes_of(const PresenceData& presence);
// Nothing if these are not the data of a Presence's node.
[[nodiscard]] std::optional<PresenceData> presence_in(std::string_view bytes);

struct PresenceOptions {
  // The node; or, with `sequential`, its parent: then the name of the node is the owner, `-`, and a
  // number.
  std::string path;
  bool sequential = false;
  // Who is present. A process that is started again has the same owner as before. Without a
  // newline; with `sequential`, a valid name.
  std::string owner;
  std::string id;  // 32 lower-case hex digits, random, another one for each Presence
  wire::Bytes data = {};
  std::optional<wire::Acl> acl = {};  // of the node, and of missing parents; none: open
};

// The node exists, since the transaction `czxid`.
struct Present {
  std::string path;
  wire::Zxid czxid;
  bool operator==(const Present&) const = default;
};
// Another client has deleted the node. It is created again: `Present` follows.
struct Absent {
  bool operator==(const Absent&) const = default;
};
// The node has the data of the last `update`.
struct Updated {
  bool operator==(const Updated&) const = default;
};
// The node has the data that it had before.
struct UpdateRefused {
  wire::Error error;
  bool operator==(const UpdateRefused&) const = default;
};
// At the path is a node of another owner, or one that no Presence has made (then `owner` is empty).
// The Presence waits until that node is deleted.
struct Occupied {
  std::string owner;
  bool operator==(const Occupied&) const = default;
};
// The last action. The node does not exist (any more), unless `failed` has the error of a refused
// deletion: then the node stays until the session ends.
struct PresenceEnded {
  enum class How : std::uint8_t {
    removed,       // after `end`
    superseded,    // a later Presence of the same owner has taken over
    session_lost,  // the node goes with the session
    failed,
  };
  How how = How::removed;
  std::optional<wire::Error> error = {};  // with `failed`

  bool operator==(const PresenceEnded&) const = default;
};

using PresenceAction =
    std::variant<Ask, Pause, Present, Absent, Updated, UpdateRefused, Occupied, PresenceEnded>;
using PresenceActions = std::vector<PresenceAction>;

// One ephemeral node that exists as long as the session, from `begin` to `PresenceEnded`. It says
// that its owner is there: a member of a group, an instance of a service. A pure value, as
// Acquisition is.
//
// Guarantees, with any number of lost connections, server failures and moves of the session:
// - This Presence has one node at most at any zxid.
// - A node that a former session of the same owner has left is replaced at once, in one
//   transaction: nobody sees the owner absent in between.
// - No node of another owner is deleted, and none of a later Presence of the same owner.
// - Of two that have the same owner, the one that creates its node later stays. The other one ends.
// - The node is deleted at the end, if clients may delete it.
//
// Not guaranteed:
// - The client may believe that it is present after its session has expired.
// - If another client deletes the node, it is missing until the client has learnt that.
// - A client that may not read its node is not told that it was deleted.
// - Below level 3 of the ensemble, a take-over, an update and the removal are refused, because they
//   have conditions.
class Presence {
 public:
  // Aborts if the owner or the id is not as described.
  explicit Presence(PresenceOptions options);

  // Begins. Only once.
  [[nodiscard]] PresenceActions begin();
  // The data of the node from now on: `Updated` or `UpdateRefused` follow, or `Present`.
  [[nodiscard]] PresenceActions update(wire::Bytes data);
  // Removes the node. Nothing happens after `PresenceEnded`.
  [[nodiscard]] PresenceActions end();

  // As of Acquisition; `zxid` is that of the reply, and is not used.
  [[nodiscard]] PresenceActions replied(std::uint64_t number,
                                        const wire::Result<wire::ReplyBody>& result,
                                        wire::Zxid zxid);
  [[nodiscard]] PresenceActions received(std::uint64_t number, const wire::WatchEvent& event);
  [[nodiscard]] PresenceActions connection_lost();
  [[nodiscard]] PresenceActions session_lost();
  [[nodiscard]] PresenceActions again();

  [[nodiscard]] bool is_present() const { return phase_ == Phase::present; }
  [[nodiscard]] bool has_ended() const { return phase_ == Phase::ended; }

 private:
  enum class Phase : std::uint8_t {
    idle,
    looking,  // for the node, and for those of former sessions
    creating,
    waiting,  // until a node of another owner is gone
    present,
    removing,
    ended,
  };
  using Result = wire::Result<wire::ReplyBody>;
  struct Former {
    std::string path;
    wire::Zxid czxid;
  };

  // Each of these begins a phase.
  void look(PresenceActions& actions);
  void create(PresenceActions& actions);
  void wait(std::string owner, wire::Zxid czxid, PresenceActions& actions);
  void become_present(std::string path, wire::Zxid czxid, PresenceActions& actions);
  void remove(PresenceActions& actions);
  void end(PresenceEnded ended, PresenceActions& actions);

  void on_result(const Result& result, PresenceActions& actions);
  void list(std::optional<std::string> after, PresenceActions& actions);
  void on_looked(const Result& result, PresenceActions& actions);
  void on_listed(const wire::ChildrenReply& page, PresenceActions& actions);
  // What is at `path` if it has the owner; returns whether the search is over.
  [[nodiscard]] bool on_own(const PresenceData& found, const std::string& path, wire::Zxid czxid,
                            PresenceActions& actions);
  void on_not_found(PresenceActions& actions);
  void on_created(const Result& result, PresenceActions& actions);
  void on_removed(const Result& result, PresenceActions& actions);
  void watch(PresenceActions& actions);
  void on_watched(const Result& result, PresenceActions& actions);
  void set(PresenceActions& actions);
  void on_set(const Result& result, PresenceActions& actions);
  void on_gone(PresenceActions& actions);
  void fail(wire::Error error, PresenceActions& actions);
  [[nodiscard]] wire::Condition guard() const;
  [[nodiscard]] wire::Bytes bytes() const;
  std::uint64_t ask(wire::Request request, PresenceActions& actions,
                    std::vector<wire::Condition> conditions = {});

  PresenceOptions options_;
  Phase phase_ = Phase::idle;
  std::uint64_t last_ = 0;         // number of an Ask
  std::uint64_t outstanding_ = 0;  // the Ask of the phase; 0: none
  std::uint64_t watch_ = 0;        // the Ask whose watch counts
  std::uint64_t watching_ = 0;     // the same, while it is not answered
  std::uint64_t setting_ = 0;      // the Ask of new data
  std::vector<Former> former_;
  std::string path_;      // of the node, or of the node that is waited for
  wire::Zxid czxid_;      // the same
  wire::Bytes sent_;      // the data of the last create or set
  wire::Bytes accepted_;  // the data of the node
  bool has_looked_ = false;
  bool may_exist_ = false;  // a create was sent, and it is not known whether it was carried out
  bool has_been_present_ = false;
  bool is_leaving_ = false;
};

}  // namespace zabkeeper
