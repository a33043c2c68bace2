#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/limits.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/changes.h"
#include "znode/numbered_children.h"
#include "znode/pending_tree.h"
#include "znode/reply_budget.h"
#include "znode/tree.h"
#include "znode/txn.h"

// The operations, one file each. `plan` checks a request against the pending tree, and may refuse
// it. If it accepts, it records the changes in the draft and returns the transaction. `apply`
// carries a transaction out and cannot refuse. `read` checks a request and answers it at once.
namespace znode {

// The client that makes a request.
struct Caller {
  wire::SessionId session = {};
  Identities identities = {};
};

// Bounds on the work of one transaction: while it is applied, a server does nothing else, and a
// creation or deletion takes about 3 µs. Requests beyond them are refused with TooLarge. A session
// may have more ephemeral nodes if an earlier program created them; it ends in parts.
inline constexpr std::size_t created_nodes_max = 10'000;  // by one request, with missing parents
inline constexpr std::size_t deleted_nodes_max = 10'000;  // by the deletions of one request
inline constexpr std::size_t ephemerals_per_session_max = 10'000;

// The zxid and the time of a transaction.
struct Moment {
  wire::Zxid zxid;
  wire::TimeMs time = 0;
};

// create.cc
[[nodiscard]] wire::Result<CreateTxn> plan(const wire::CreateRequest& request, const Caller& caller,
                                           Draft& draft);
wire::CreateReply apply(const CreateTxn& txn, const Moment& now, Tree& tree, Changes& changes);

// set.cc
[[nodiscard]] wire::Result<SetTxn> plan(const wire::SetRequest& request, const Caller& caller,
                                        Draft& draft);
wire::SetReply apply(const SetTxn& txn, const Moment& now, Tree& tree, Changes& changes);

// remove.cc
[[nodiscard]] wire::Result<DeleteTxn> plan(const wire::DeleteRequest& request, const Caller& caller,
                                           Draft& draft);
wire::EmptyReply apply(const DeleteTxn& txn, const Moment& now, Tree& tree, Changes& changes);
// All ephemeral nodes of a session.
[[nodiscard]] CleanupTxn plan_cleanup(wire::SessionId session, Draft& draft);
// Some of them, if the session has more than one transaction deletes; none if it does not.
[[nodiscard]] std::optional<DeleteManyTxn> plan_part_of_cleanup(wire::SessionId session,
                                                                Draft& draft);
wire::EmptyReply apply(const CleanupTxn& txn, const Moment& now, Tree& tree, Changes& changes);
wire::EmptyReply apply(const DeleteManyTxn& txn, const Moment& now, Tree& tree, Changes& changes);

// reap.cc: deletes the containers and TTL nodes that are due, see Countdowns. At most 1000 nodes;
// later calls plan the others.
[[nodiscard]] DeleteManyTxn plan_reaping(Draft& draft);

// conditions.cc: whether all conditions hold, on the draft. NoAuth if the caller may not read one
// of their nodes, ConditionFailed for the first that does not hold. A test of a zxid that is not
// known yet, because a plan before this one is outstanding, does not hold.
[[nodiscard]] wire::Result<void> judge(const std::vector<wire::Condition>& conditions,
                                       const Caller& caller, const Draft& draft);
[[nodiscard]] wire::Result<CheckTxn> plan(const wire::CheckRequest& request, const Caller& caller,
                                          Draft& draft);

// set_acl.cc, get_acl.cc
[[nodiscard]] wire::Result<SetAclTxn> plan(const wire::SetAclRequest& request, const Caller& caller,
                                           Draft& draft);
wire::AclReply apply(const SetAclTxn& txn, const Moment& now, Tree& tree, Changes& changes);
[[nodiscard]] wire::Result<wire::AclReply> read(const wire::GetAclRequest& request,
                                                const Caller& caller, const Tree& tree);

// get.cc, exists.cc, children.cc, count.cc, ephemerals.cc. The plans are for reads within a multi.
// A reply that is larger than the budget is TooLarge. A list of children ends early instead, with
// `more`, when it is read or applied; a plan refuses it. A list by numbers uses `numbered`, an
// index of the children. Without it, each child is looked at: TooLarge beyond the bound of
// ReplyBudget::sort.
[[nodiscard]] wire::Result<wire::GetRequest> plan(const wire::GetRequest& request,
                                                  const Caller& caller, Draft& draft,
                                                  ReplyBudget& budget);
wire::GetReply apply(const wire::GetRequest& request, const Tree& tree);
[[nodiscard]] wire::Result<ChildrenTxn> plan(const wire::ChildrenRequest& request,
                                             const Caller& caller, Draft& draft,
                                             ReplyBudget& budget);
wire::ChildrenReply apply(const ChildrenTxn& txn, const Tree& tree, ReplyBudget& budget);
[[nodiscard]] wire::Result<wire::GetReply> read(const wire::GetRequest& request,
                                                const Caller& caller, const Tree& tree,
                                                ReplyBudget& budget);
[[nodiscard]] wire::Result<wire::ExistsReply> read(const wire::ExistsRequest& request,
                                                   const Caller& caller, const Tree& tree);
[[nodiscard]] wire::Result<wire::ChildrenReply> read(const wire::ChildrenRequest& request,
                                                     const Caller& caller, const Tree& tree,
                                                     ReplyBudget& budget,
                                                     const NumberedChildren* numbered = nullptr);
[[nodiscard]] wire::Result<wire::CountReply> read(const wire::CountRequest& request,
                                                  const Caller& caller, const Tree& tree);
[[nodiscard]] wire::Result<wire::EphemeralsReply> read(const wire::EphemeralsRequest& request,
                                                       const Caller& caller, const Tree& tree,
                                                       ReplyBudget& budget);

// quota_checks.cc: NoAuth unless the caller may set the ACL and the quota of the node. The root is
// open to everybody, so ADMIN on it is not enough: its ACL and its quota can lock everybody out.
[[nodiscard]] wire::Result<void> check_admin(std::string_view path, const PendingNode& node,
                                             const Caller& caller);
// QuotaExceeded if a subtree that contains `path` would exceed its hard limits after it grew by
// `growth`. Limits do not bind the super identity.
[[nodiscard]] wire::Result<void> check_quotas(std::string_view path, const Usage& growth,
                                              const Caller& caller, const Draft& draft);
// Whether the caller may change the quota node `path`, which needs ADMIN on the limited node:
// NoAuth if not, BadArguments if `path` is not below /zookeeper/quota.
[[nodiscard]] wire::Result<void> check_quota_change(std::string_view path, const Caller& caller,
                                                    const Draft& draft);
// The same for all quota nodes below `path`.
[[nodiscard]] wire::Result<void> check_quota_changes_below(std::string_view path,
                                                           const Caller& caller,
                                                           const Draft& draft);
// BadArguments if the draft sets limits of the root that leave no room: then nobody could write.
[[nodiscard]] wire::Result<void> check_root_limits(std::string_view path, const QuotaLimits& limits,
                                                   const Draft& draft);
// The limits in `data`, for the limits node `path`. Checks the path, the caller and the data.
[[nodiscard]] wire::Result<std::shared_ptr<const QuotaLimits>> plan_limits(std::string_view path,
                                                                           std::string_view data,
                                                                           const Caller& caller,
                                                                           const Draft& draft);

// Why a request became no transaction.
struct Refusal {
  wire::Error error;                      // for a multi, the error of the operation that failed
  std::optional<wire::MultiReply> multi;  // for a multi, the error of each operation

  // The client's reply: `multi` if there is one, else `error`.
  [[nodiscard]] wire::Result<wire::ReplyBody> reply() const;

  bool operator==(const Refusal&) const = default;
};
template <typename T>
using PlanResult = boost::system::result<T, Refusal>;

// The bounds of one multi, as a whole.
struct MultiBounds {
  // The size of the reply, at most, as a ReplyBudget counts.
  std::size_t reply_bytes = std::numeric_limits<std::uint32_t>::max();
  // A larger reply is not kept for `dedup`.
  std::size_t kept_bytes = std::numeric_limits<std::size_t>::max();
  // The identities of the caller are in the transaction once for each list that needs them, and not
  // once for all.
  bool repeats_identities = false;
};

// multi.cc: plans the operations of `branch` in order; those of `ops` if there is but one branch.
// Each one sees the changes of the earlier ones. An operation that makes the transaction or the
// reply too large is refused with TooLarge.
[[nodiscard]] PlanResult<MultiTxn> plan(const wire::MultiRequest& request, const Caller& caller,
                                        Draft& draft, const MultiBounds& bounds = {},
                                        std::optional<wire::Branch> branch = {});
// Without `wants_reply` the results of the reads are left out: nothing is built for them.
wire::MultiReply apply(const MultiTxn& txn, const Moment& now, Tree& tree, Changes& changes,
                       bool wants_reply = true);
// Whether the request has operations, and all of them are reads.
[[nodiscard]] bool only_reads(const wire::MultiRequest& request);
// The reply to a multi that only reads, without a transaction. A read that makes it too large fails
// with TooLarge.
[[nodiscard]] wire::MultiReply read(const wire::MultiRequest& request, const Caller& caller,
                                    const Tree& tree, ReplyBudget& budget);

// Applies any transaction and returns the reply to its client; see the multi's for `wants_reply`.
wire::ReplyBody apply(const Txn& txn, const Moment& now, Tree& tree, Changes& changes,
                      bool wants_reply = true);

[[noreturn]] void throw_exception_from_error(const Refusal& refusal,
                                             const boost::source_location& at);

}  // namespace znode
