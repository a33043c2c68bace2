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

namespace sim {

// A znode as simply as it can be said.
struct Znode {
  wire::Bytes data;
  wire::Stat stat;             // dataLength and numChildren too
  std::int32_t creations = 0;  // of children, ever
  wire::Acl acl = wire::open_acl();

  bool operator==(const Znode&) const = default;
};

// What one transaction did to one node, as watches tell it.
struct ZnodeChange {
  wire::EventKind kind{};
  std::string path;
  std::optional<wire::Bytes> data;
  std::optional<wire::Stat> stat;
  wire::Acl acl = wire::open_acl();
};

class Model;

// The model's tree as of one zxid, and what is done to it.
class View {
 public:
  View(const Model& model, wire::Zxid at) : model_(model), at_(at) {}

  // Of what is done from now on.
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
  void erase(const std::string& path, bool of_a_parent_that_stays = true);
  void erase_subtree(const std::string& path);

  [[nodiscard]] const std::map<std::string, std::optional<Znode>>& done() const { return done_; }
  // With what the transaction left behind, each kind once while a node stays.
  [[nodiscard]] std::vector<ZnodeChange> changes() const;

 private:
  [[nodiscard]] std::vector<std::string> paths_under(const std::string& prefix) const;
  Znode at(const std::string& path) const;

  const Model& model_;
  wire::Zxid at_;
  wire::Zxid zxid_;
  wire::TimeMs time_ = 0;
  std::map<std::string, std::optional<Znode>> done_;
  std::vector<ZnodeChange> told_;
};

// What a request comes to on a view: the operations once more, written without a look at the real
// ones. A multi that fails is a reply that says so; whoever asks drops the view then.
[[nodiscard]] wire::Result<wire::ReplyBody> perform(const wire::Request& request,
                                                    wire::SessionId session, View& view);

struct ModelSession {
  wire::Zxid opened;
  wire::Zxid closed;  // zero: open
  bool expired = false;
  std::int64_t timeout_ms = 0;
  std::map<wire::Zxid, session::Owner> owners;  // since when
  // Of a session that may ask again: the transaction of each number.
  std::map<std::int64_t, wire::Zxid> numbers;
};

// What one transaction came to.
struct Event {
  session::Transaction txn;
  wire::Result<wire::ReplyBody> reply = wire::ReplyBody{};
  std::vector<ZnodeChange> changes;
};

// Everything that the committed transactions mean, at every zxid there was. A transaction that
// could not be is a Violation.
class Model {
 public:
  Model();

  const Event& commit(const zab::Txn& txn);

  [[nodiscard]] wire::Zxid last() const { return last_; }
  [[nodiscard]] const std::map<wire::Zxid, Event>& events() const { return events_; }
  [[nodiscard]] View at(wire::Zxid zxid) const { return {*this, zxid}; }
  // As of just before that transaction.
  [[nodiscard]] View before(wire::Zxid zxid) const;
  [[nodiscard]] const Znode* find(const std::string& path, wire::Zxid at) const;
  [[nodiscard]] const std::map<wire::SessionId, ModelSession>& sessions() const {
    return sessions_;
  }
  // Whether the session is open and this its owner, once `at` is applied.
  [[nodiscard]] bool owns(wire::SessionId session, session::Owner owner, wire::Zxid at) const;
  // Since when a node may be taken away that is as this one: an empty container, one whose time is
  // up.
  [[nodiscard]] std::optional<wire::TimeMs> due(const Znode& node) const;
  // How many nodes and open sessions there are now.
  [[nodiscard]] std::size_t node_count() const { return nodes_; }
  [[nodiscard]] std::size_t session_count() const;

 private:
  friend class View;
  struct Version {
    wire::Zxid zxid;
    std::optional<Znode> node;
  };

  wire::Result<wire::ReplyBody> carry_out(const session::Transaction& txn, wire::Zxid zxid,
                                          View& view);
  void check_author(const session::Transaction& txn, wire::Zxid zxid) const;

  std::map<std::string, std::vector<Version>> paths_;  // all that ever were
  std::map<wire::Zxid, Event> events_;
  std::map<wire::SessionId, ModelSession> sessions_;
  wire::Zxid last_;
  wire::TimeMs time_ = 0;
  std::size_t nodes_ = 0;
};

[[nodiscard]] bool allows(const wire::Acl& acl, wire::Perm perm);

}  // namespace sim
