#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "session/commands.h"
#include "session/image.h"
#include "session/session_table.h"
#include "session/transaction.h"
#include "session/watches.h"
#include "wire/replies.h"
#include "wire/result.h"
#include "znode/operations.h"
#include "znode/pending_tree.h"
#include "znode/tree.h"

namespace session {

// What one transaction came to, on one server.
struct Applied {
  wire::Zxid zxid;
  wire::SessionId session;  // whose transaction it was; the new one's id for OpenSession
  Owner owner;              // the connection that asked
  std::uint64_t tag = 0;    // what it asked under; 0: nobody waits
  wire::ReplyBody reply;    // to OpenSession, MoveSession and CloseSession: EmptyReply

  // A session that began to be, or ended to be, owned by a connection through this transaction.
  enum class SessionChange : std::uint8_t { none, opened, moved, closed, expired };
  SessionChange session_change = SessionChange::none;
  std::optional<Owner> former_owner;  // of a moved or ended session

  // Why it came to nothing, of a session that keeps that too; then `reply` says nothing.
  std::optional<Refusal> refusal;

  std::vector<Delivery> events;  // for the watches set on this server, in order; before the reply
};

// What a read came to.
struct Answer {
  // Of the watch that the read set: what happened since its `from`. They go to the read's own
  // session, before the reply, whose stat reflects them already.
  std::vector<wire::WatchEvent> events;
  wire::ReplyBody reply;

  bool operator==(const Answer&) const = default;
};

// The replicated state machine: everything that a replica is, as a value. Transactions are applied
// everywhere in the same order with the same result; what is planned is planned on the leader
// alone.
class Service {
 public:
  explicit Service(Watches::Bounds bounds = {});

  // Judges a command against the state as it will be once everything planned before it is applied,
  // and turns it into a transaction. A refusal changes nothing. To be asked only of a leader that
  // has applied all that was committed before it led. `now` becomes the time of the transaction; it
  // never runs backwards.
  [[nodiscard]] znode::Judged<wire::Bytes> plan(const Command& command, wire::TimeMs now);
  // The plans that were not applied yet never will be, as plans: this server leads no more.
  void forget_plans();
  // Plans that wait to be applied.
  [[nodiscard]] std::size_t outstanding() const { return plans_.size(); }

  // `bytes` is what some leader's `plan` made. `zxid` is above every one applied before. While
  // plans are outstanding, the transaction is the oldest of them.
  Applied apply(wire::Zxid zxid, std::string_view bytes);

  // Answers a read from this server's state. Sets the one-shot watch or the watch that it asks for;
  // `id` is the one under which events will come, `encoding` that of their data. SessionExpired
  // where the session is not open; a local one always is.
  // Anything that is no read (see order_of) is Unimplemented here.
  [[nodiscard]] wire::Result<Answer> read(const znode::Caller& caller, const wire::RequestId& id,
                                          const wire::Request& request,
                                          wire::Encoding encoding = wire::Encoding::text_if_utf8);

  // Whether there are containers or TTL nodes to be taken away with ReapNodes.
  [[nodiscard]] bool reap_due(wire::TimeMs now) const { return tree_.is_due(now); }

  // Begins an image of all that is replicated, as of applied(): of what has changed since the one
  // before, or of everything if there was none. None is being taken.
  void begin_image();
  // Adds up to `max` records of it to `out`, and those that could not wait, while transactions are
  // applied in between. True once all are out.
  [[nodiscard]] bool collect_image(std::size_t max, std::vector<Record>& out);
  // From now on this is what `restored` is, further on than this was: nobody was told of what lies
  // between, no watch is set, and no image is being taken. No plan is outstanding.
  void become(Service&& restored);

  [[nodiscard]] wire::Zxid applied() const { return applied_; }
  // Of the newest transaction planned or applied; those to come have no earlier one.
  [[nodiscard]] wire::TimeMs time() const { return now_; }
  // Of all that is replicated, as of applied(): equal on every server that has applied as much.
  [[nodiscard]] std::uint64_t digest() const;
  [[nodiscard]] const SessionTable& sessions() const { return sessions_; }
  [[nodiscard]] const znode::Tree& tree() const { return tree_; }
  // A connection that ends takes its session's watches with it, if it still owns the session:
  // `watches().remove_session`. A session that moves or ends loses them by the transaction.
  [[nodiscard]] Watches& watches() { return watches_; }
  [[nodiscard]] const Watches& watches() const { return watches_; }

 private:
  friend class Restoration;
  Service(znode::Tree& tree, SessionTable sessions, const ImageHeader& header,
          Watches::Bounds bounds);

  // By what a plan is known again when it is applied.
  struct Plan {
    wire::SessionId session;
    Owner owner;
    std::uint64_t tag = 0;
    wire::TimeMs time = 0;

    bool operator==(const Plan&) const = default;
  };
  using Body = decltype(Transaction::body);

  // Plans one kind of order, noting in `draft` what it does to the tree.
  znode::Judged<Body> judge(const Command& command, const OpenSession& order, znode::Draft& draft);
  znode::Judged<Body> judge(const Command& command, const MoveSession& order, znode::Draft& draft);
  znode::Judged<Body> judge(const Command& command, const CloseSession& order, znode::Draft& draft);
  znode::Judged<Body> judge(const Command& command, const ReapNodes& order, znode::Draft& draft);
  template <class Request>
  znode::Judged<Body> judge(const Command& command, const Request& request, znode::Draft& draft);
  // The session is open and will be when this is applied, and the command comes from its owner.
  [[nodiscard]] wire::Result<void> check_owner(const Command& command) const;

  // The transaction's plan, if it was planned here, is not outstanding any more.
  void settle(const Transaction& transaction);
  void carry_out(const OpenTxn& txn, const Transaction& transaction, Applied& applied);
  void carry_out(const MoveTxn& txn, const Transaction& transaction, Applied& applied);
  void carry_out(const CloseTxn& txn, const Transaction& transaction, Applied& applied);
  void carry_out(const RefuseTxn& txn, const Transaction& transaction, Applied& applied);
  void carry_out(const znode::Txn& txn, const Transaction& transaction, Applied& applied);
  void keep(const Transaction& transaction, const Applied& applied);

  wire::Zxid applied_;
  wire::TimeMs now_ = 0;  // of the newest transaction planned or applied
  znode::Tree tree_;
  znode::PendingTree pending_tree_{tree_};
  SessionTable sessions_;
  PendingSessions pending_sessions_{sessions_};
  std::deque<Plan> plans_;  // the oldest first; as many as pending_tree_ has outstanding
  Watches watches_;
  std::optional<Record> image_header_;  // of an image whose first part was not collected yet
};

}  // namespace session
