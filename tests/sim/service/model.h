#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "session/transaction.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "zab/history.h"
#include "znode/countdowns.h"

namespace sim {

// A znode in the simplest form.
struct Znode {
  wire::Bytes data;
  wire::Stat stat;             // dataLength and numChildren too
  std::int32_t creations = 0;  // of children, ever
  wire::Acl acl = wire::open_acl();

  bool operator==(const Znode&) const = default;
};

// One change of one node by a transaction, as watches report it.
struct ZnodeChange {
  wire::EventKind kind{};
  std::string path;
  std::optional<wire::Bytes> data;
  std::optional<wire::Stat> stat;
  wire::Acl acl = wire::open_acl();
};

class Model;

// The model's tree as of one zxid, with changes on top.
class View {
 public:
  View(const Model& model, wire::Zxid at) : model_(model), at_(at) {}

  // The zxid and time of the following changes.
  void begin(wire::Zxid zxid, wire::TimeMs time) {
    zxid_ = zxid;
    time_ = time;
  }
  [[nodiscard]] wire::TimeMs time() const { return time_; }

  [[nodiscard]] std::optional<Znode> find(const std::string& path) const;
  // Names, in order.
  [[nodiscard]] std::vector<std::string> children(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> below(const std::string& path) const;
  [[nodiscard]] std::vector<std::string> ephemerals(wire::SessionId session) const;

  void create(const std::string& path, Znode node);
  void set(const std::string& path, const wire::Bytes& data);
  void set_acl(const std::string& path, const wire::Acl& acl);
  void erase(const std::string& path, bool parent_stays = true);
  void erase_subtree(const std::string& path);

  [[nodiscard]] const std::map<std::string, std::optional<Znode>>& changed_nodes() const {
    return nodes_;
  }
  // The changes with the final data, stat and ACL. As long as a node exists, it has at most one
  // change of each kind.
  [[nodiscard]] std::vector<ZnodeChange> changes() const;

 private:
  [[nodiscard]] std::vector<std::string> paths_under(const std::string& prefix) const;
  Znode at(const std::string& path) const;

  const Model& model_;
  wire::Zxid at_;
  wire::Zxid zxid_;
  wire::TimeMs time_ = 0;
  std::map<std::string, std::optional<Znode>> nodes_;
  std::vector<ZnodeChange> recorded_;
};

// Performs a request on a view and returns the reply: a second, independent implementation of the
// operations. A failed multi is a reply; the caller must drop the view then.
[[nodiscard]] wire::Result<wire::ReplyBody> perform(const wire::Request& request,
                                                    wire::SessionId session, View& view);
// The same, with its conditions.
[[nodiscard]] wire::Result<wire::ReplyBody> perform(const wire::ClientRequest& request,
                                                    wire::SessionId session, View& view);

struct ModelSession {
  wire::Zxid opened;
  wire::Zxid closed;  // zero: open
  bool expired = false;
  std::int64_t timeout_ms = 0;
  std::map<wire::Zxid, session::Owner> owners;  // by the zxid since which they own it
  // The transaction of each numbered write, if the session uses dedup.
  std::map<std::int64_t, wire::Zxid> numbers;
};

// A transaction with its reply and changes.
struct Event {
  session::Transaction txn;
  wire::Result<wire::ReplyBody> reply = wire::ReplyBody{};
  std::vector<ZnodeChange> changes;
};

// The state after each committed transaction. Throws a Violation for an invalid transaction.
class Model {
 public:
  // `rules`: those of every server.
  explicit Model(const znode::ReapingRules& rules = {});

  const Event& commit(const zab::Txn& txn);

  [[nodiscard]] wire::Zxid last() const { return last_; }
  [[nodiscard]] const std::map<wire::Zxid, Event>& events() const { return events_; }
  [[nodiscard]] View at(wire::Zxid zxid) const { return {*this, zxid}; }
  // The state directly before that transaction.
  [[nodiscard]] View before(wire::Zxid zxid) const;
  [[nodiscard]] const Znode* find(const std::string& path, wire::Zxid at) const;
  [[nodiscard]] const std::map<wire::SessionId, ModelSession>& sessions() const {
    return sessions_;
  }
  // Whether the session is open and has this owner after `at`.
  [[nodiscard]] bool owns(wire::SessionId session, session::Owner owner, wire::Zxid at) const;
  // The time at which this node is due for deletion: a container or a TTL node without children.
  // None if it is kept. `counted`: since when its leader counts; containers are kept longer then.
  [[nodiscard]] std::optional<wire::TimeMs> due(const Znode& node, wire::TimeMs counted) const;
  [[nodiscard]] wire::Level level() const { return level_; }  // of the ensemble
  [[nodiscard]] wire::Level level_at(wire::Zxid zxid) const;
  // The transaction that last ended a level above this one; zero if there was none.
  [[nodiscard]] wire::Zxid last_above(wire::Level level) const;
  // The present numbers of nodes and open sessions.
  [[nodiscard]] std::size_t node_count() const { return node_count_; }
  [[nodiscard]] std::size_t session_count() const;

 private:
  friend class View;
  struct Version {
    wire::Zxid zxid;
    std::optional<Znode> node;
  };

  class Replay;

  wire::Result<wire::ReplyBody> carry_out(const session::Transaction& txn, wire::Zxid zxid,
                                          View& view);
  void check_author(const session::Transaction& txn, wire::Zxid zxid) const;

  znode::ReapingRules rules_;
  std::map<std::string, std::vector<Version>> paths_;  // all versions of all nodes ever
  std::map<wire::Zxid, Event> events_;
  std::map<wire::SessionId, ModelSession> sessions_;
  wire::Zxid last_;
  std::size_t node_count_ = 0;
  wire::Level level_;
  std::map<wire::Zxid, wire::Level> levels_;  // by the zxid from which on each is in force
  std::map<wire::Level, wire::Zxid> level_ended_at_;
};

// Whether the ACL grants everybody this permission.
[[nodiscard]] bool allows(const wire::Acl& acl, wire::Perm perm);

// "/a" of "/a/b", "/" of "/a".
[[nodiscard]] std::string parent_path(const std::string& path);

// Throws a Violation of `replay` about this transaction.
[[noreturn]] void fail_replay(wire::Zxid zxid, const std::string& what);

}  // namespace sim
