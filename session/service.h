#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "session/commands.h"
#include "session/image.h"
#include "session/session_table.h"
#include "session/transaction.h"
#include "session/watches.h"
#include "wire/forms.h"
#include "wire/replies.h"
#include "wire/result.h"
#include "znode/operations.h"
#include "znode/pending_tree.h"
#include "znode/tree.h"

namespace session {

struct ServiceOptions {
  Watches::Options watches = {};
  std::size_t reply_bytes_max = std::size_t{16} << 20;  // `maxReplyBytes`
  // The limit of the replicated state: see Service::memory. Judged by plans only.
  std::size_t state_bytes_max = std::numeric_limits<std::size_t>::max();
  std::size_t sessions_max = std::numeric_limits<std::size_t>::max();
  znode::ReapingRules reaping = {};
};

// Whether the reply to a transaction's client is built: only on the server that has the client.
enum class BuildReply : std::uint8_t { no, yes };

// The result of applying one transaction on one server.
struct Applied {
  wire::Zxid zxid;
  wire::SessionId session;  // the session that asked for it; for OpenSession, the new session
  Owner owner;              // the connection that asked for it
  std::uint64_t tag = 0;    // the tag of the command; 0: no request waits
  // EmptyReply for OpenSession, MoveSession and CloseSession. Without BuildReply::yes it may lack
  // the results of a multi.
  wire::ReplyBody reply;

  // The change of the session's owner by this transaction.
  enum class SessionChange : std::uint8_t { none, opened, moved, closed, expired };
  SessionChange session_change = SessionChange::none;
  std::optional<Owner> former_owner;  // of a session that was moved, closed or expired

  // Set if this transaction records a refused write, for a session that keeps results. Then `reply`
  // is meaningless.
  std::optional<Refusal> refusal;

  // For the watches on this server, in order; sent before the reply. Empty if `apply` had a sink.
  std::vector<Delivery> events;
  std::vector<wire::SessionId> lagging;  // see Watches::fire
};

// The result of a read.
struct Answer {
  // Events of the watch that this read set, since the watch's `from`. They are sent to the same
  // session before the reply. The stat in the reply includes these changes.
  std::vector<wire::WatchEvent> events;
  wire::ReplyBody reply;

  bool operator==(const Answer&) const = default;
};

// The replicated state machine. Every server applies the same transactions in the same order, with
// the same result. Only the leader plans.
class Service {
 public:
  using Options = ServiceOptions;

  // `options` of this server alone; `known`: the levels at which this program can run.
  explicit Service(const Options& options = {}, wire::LevelRange known = wire::known_levels);

  // Plans a command: checks it against the state once all outstanding plans are applied, and
  // returns the bytes of a transaction. A refusal changes nothing. Precondition: this server leads,
  // and has applied everything that was committed before it led. `now` (milliseconds since 1970)
  // becomes the time of the transaction: see StampClock.
  [[nodiscard]] znode::PlanResult<wire::Bytes> plan(const Command& command, wire::TimeMs now);
  // Plans a change of the ensemble's level. Precondition, besides those of `plan`: every server
  // of the ensemble can run at `level`. An error says why the level cannot be changed now.
  [[nodiscard]] wire::Result<wire::Bytes> plan_level(wire::Level level, wire::TimeMs now);
  // Drops the outstanding plans and ends the countdowns, because this server does not lead any
  // more.
  void forget_plans();
  // Whether the session is not open any more once all outstanding plans are applied. After the plan
  // of a CloseSession it may still be open: then the plan is a part of its end, and the command
  // must be planned again.
  [[nodiscard]] bool ends(wire::SessionId session) const {
    return !pending_sessions_.find(session);
  }
  // The number of plans that are not applied yet.
  [[nodiscard]] std::size_t outstanding() const { return plans_.size(); }

  // Applies a committed transaction. `bytes` is the result of a leader's `plan`. `zxid` must be
  // above all applied ones. If plans are outstanding, the transaction must be the oldest of them.
  // Unimplemented for bytes of a newer program, and for a level at which this one cannot run;
  // MarshallingError for bytes that are no transaction, RuntimeInconsistency for a transaction of
  // another state. After an error the state is not to be used any more: only `become` may follow.
  // The events go to `sink`, if there is one, once the state is that after the transaction.
  [[nodiscard]] wire::Result<Applied> apply(wire::Zxid zxid, std::string_view bytes,
                                            BuildReply build = BuildReply::yes,
                                            const EventSink& sink = {});

  // Answers a read from this server's state, and sets the watch that it asks for. `id` becomes the
  // id of the watch's events, `encoding` the encoding of their data. Returns SessionExpired if the
  // session is not open; a local session is always open. Returns Unimplemented for a request that
  // is not a read (see command_body_of), and Overloaded for one that has an `awaited_index`.
  [[nodiscard]] wire::Result<Answer> read(const znode::Caller& caller, const wire::RequestId& id,
                                          const wire::Request& request,
                                          wire::Encoding encoding = wire::Encoding::text_if_utf8);

  // What a read waits for: becomes true once the children of a node are indexed by their numbers.
  // Null if the read can be answered now. The caller continues with `index_turns`, and asks again
  // at the end and at each tick; until it has read, it keeps what it got.
  [[nodiscard]] std::shared_ptr<const bool> awaited_index(const znode::Caller& caller,
                                                          const wire::Request& request);

  // Whether a create may ask for a turn: its client may list the siblings, and there is room for
  // the watch, which is reserved under `id` until `tell_turn`.
  [[nodiscard]] wire::Result<void> reserve_turn(const znode::Caller& caller,
                                                const wire::RequestId& id, std::string_view path,
                                                const wire::TurnOptions& options);
  // The create is about to be answered. Sets `turn` of its reply, if it has succeeded, and the
  // watch where it is not the node's turn. `turn` stays unset if the name has no number, or if
  // nothing was reserved and there is no permission or no room now. Returns events to send after
  // the reply: `deleted`, if the node is gone already.
  [[nodiscard]] std::vector<wire::WatchEvent> tell_turn(const znode::Caller& caller,
                                                        const wire::RequestId& id,
                                                        wire::Result<wire::ReplyBody>& reply,
                                                        const wire::TurnOptions& options);
  // Continues the work for turns that is not due to a transaction: see Watches. Returns the
  // sessions that lag from now on.
  std::vector<wire::SessionId> index_turns(const EventSink& sink);
  std::vector<wire::SessionId> tick_turns(const EventSink& sink);

  // Begins to count how long containers and TTL nodes are kept, because this server leads. Until
  // forget_plans(). `now`: what time it is.
  void begin_countdowns(wire::TimeMs now) { tree_.countdowns().begin(reaping_, now); }
  // A tick has passed.
  void tick() { tree_.countdowns().tick(); }
  // Whether containers or TTL nodes are due for deletion by ReapNodes.
  [[nodiscard]] bool reap_due() const { return tree_.countdowns().is_due(); }

  // Begins an image of the replicated state as of applied(): of the changes since the last image,
  // or of everything if there was none. Precondition: no image is being collected.
  void begin_image();
  // Adds up to `max` records of the image to `out`, and also records that were encoded early
  // because they were about to change. Transactions may be applied between calls. Returns true if
  // the image is complete.
  [[nodiscard]] bool collect_image(std::size_t max, std::vector<Record>& out);
  // Replaces the state by that of `restored`, which is at least as recent. Removes all watches: no
  // events were sent for the transactions in between. Preconditions: no plan is outstanding, no
  // image is being collected.
  void become(Service&& restored);

  [[nodiscard]] wire::Zxid applied() const { return applied_; }
  // The level of the ensemble, as of applied(). Replicated.
  [[nodiscard]] wire::Level level() const { return level_; }
  // The greatest level that this server knows of: also one that is planned and not in force yet.
  [[nodiscard]] wire::Level greatest_level() const { return std::max(level_, planned_level_); }
  [[nodiscard]] const wire::LevelRange& known_levels() const { return known_; }
  // The versions that this server writes in its plans. Plans after a planned change to a lower
  // level are already written at that level.
  [[nodiscard]] wire::Forms forms() const {
    return wire::forms_at(std::min(level_, planned_level_));
  }
  // The time of the last transaction applied.
  [[nodiscard]] wire::TimeMs time() const { return time_; }
  // The digest of the replicated state: equal on all servers with the same applied().
  [[nodiscard]] std::uint64_t digest() const;
  // An estimate of the memory of the replicated state: the tree, the sessions and their results.
  [[nodiscard]] std::uint64_t memory() const {
    return static_cast<std::uint64_t>(tree_.memory()) + sessions_.memory();
  }
  [[nodiscard]] std::uint64_t memory_max() const { return state_bytes_max_; }
  // Replaces `state_bytes_max` of the options.
  void set_memory_max(std::size_t bytes) { state_bytes_max_ = bytes; }
  // The code of a refusal for lack of memory: Overloaded; before level 2 Throttled, because program
  // 0.1 does not know Overloaded.
  [[nodiscard]] wire::ErrorCode code_of_overload() const {
    return knows_own_codes() ? wire::ErrorCode::overloaded : wire::ErrorCode::throttled;
  }
  [[nodiscard]] const SessionTable& sessions() const { return sessions_; }
  [[nodiscard]] const znode::Tree& tree() const { return tree_; }
  // The watches on this server. If a connection ends and still owns its session, the caller must
  // call `watches().remove_session`. Transactions that move or end a session remove its watches.
  [[nodiscard]] Watches& watches() { return watches_; }
  [[nodiscard]] const Watches& watches() const { return watches_; }

 private:
  friend class Restoration;
  Service(znode::Tree& tree, SessionTable sessions, const ImageHeader& header,
          const Options& options, wire::LevelRange known);

  // Identifies a plan when it is applied.
  struct Plan {
    wire::SessionId session;
    Owner owner;
    std::uint64_t tag = 0;
    wire::TimeMs time = 0;

    bool operator==(const Plan&) const = default;
  };
  // The growth of the state by a plan.
  struct Growth {
    std::int64_t bytes = 0;
    std::size_t sessions = 0;
  };
  struct Outstanding {
    Plan plan;
    Growth growth;
  };
  using Body = decltype(Transaction::body);

  // Plans one kind of command, and records its changes of the tree in `draft`.
  znode::PlanResult<Body> plan_body(const Command& command, const OpenSession& body,
                                    znode::Draft& draft);
  znode::PlanResult<Body> plan_body(const Command& command, const MoveSession& body,
                                    znode::Draft& draft);
  znode::PlanResult<Body> plan_body(const Command& command, const CloseSession& body,
                                    znode::Draft& draft);
  znode::PlanResult<Body> plan_body(const Command& command, const ReapNodes& body,
                                    znode::Draft& draft);
  template <class Request>
  znode::PlanResult<Body> plan_body(const Command& command, const Request& request,
                                    znode::Draft& draft);
  [[nodiscard]] bool knows_own_codes() const {
    return std::min(level_, planned_level_) >= wire::Level{2};
  }
  [[nodiscard]] znode::MultiBounds multi_bounds(const Command& command) const;
  // Whether the command comes from the session's owner, and the session is open and will still be
  // open when the command is applied.
  [[nodiscard]] wire::Result<void> check_owner(const Command& command) const;

  // Shortens the refusal of a numbered write if there is no room to keep it whole. Returns the
  // growth by the refusal; none if there is no room even then.
  [[nodiscard]] std::optional<Growth> fit_refusal(const Command& command, Refusal& refusal) const;
  // The growth by a command whose changes of the tree are in `draft`, or by a refusal that the
  // session keeps.
  [[nodiscard]] Growth growth_of(const Command& command, const znode::Draft& draft) const;
  [[nodiscard]] Growth growth_of(wire::SessionId session, const Refusal& refusal) const;
  // Whether so much of the limit stays free after this growth. The super identity has no limit.
  [[nodiscard]] bool has_room(const Command& command, const Growth& growth,
                              std::size_t reserve) const;
  // An error if the state has no room for this growth. A command that lets nothing grow always has
  // room, and so has the super identity.
  [[nodiscard]] wire::Result<void> check_room(const Command& command, const Growth& growth) const;

  // Adds a plan.
  void add_plan(const Transaction& transaction, znode::Draft&& draft, const Growth& growth);
  // Removes the transaction's plan from the outstanding ones, if it was planned here.
  void drop_plan(const Transaction& transaction);
  // Each returns the changes of nodes.
  using Changes = std::vector<znode::Change>;
  Changes carry_out(const OpenTxn& txn, const Transaction& transaction, Applied& applied);
  Changes carry_out(const MoveTxn& txn, const Transaction& transaction, Applied& applied);
  Changes carry_out(const CloseTxn& txn, const Transaction& transaction, Applied& applied);
  Changes carry_out(const RefuseTxn& txn, const Transaction& transaction, Applied& applied);
  Changes carry_out(const znode::Txn& txn, const Transaction& transaction, BuildReply build,
                    Applied& applied);
  Changes carry_out(const LevelTxn& txn, const Transaction& transaction, Applied& applied);
  void keep_result(const Transaction& transaction, const Applied& applied);

  std::size_t reply_bytes_max_;
  std::size_t state_bytes_max_;
  std::size_t sessions_max_;
  znode::ReapingRules reaping_;
  wire::LevelRange known_;
  wire::Level level_;
  wire::Level planned_level_;  // that of the newest plan which changes it; level_ if there is none
  wire::Zxid applied_;
  wire::TimeMs time_ = 0;
  znode::Tree tree_;
  znode::PendingTree pending_tree_{tree_};
  SessionTable sessions_;
  PendingSessions pending_sessions_{sessions_};
  std::deque<Outstanding> plans_;  // oldest first; as many as pending_tree_.outstanding()
  Growth planned_;                 // of all of them
  Watches watches_;
  std::optional<Record> image_header_;  // of the current image, until its first part is collected
};

}  // namespace session
