#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/changes.h"
#include "znode/pending_tree.h"
#include "znode/tree.h"
#include "znode/txn.h"

// The operations, one file each. A plan judges a request against the tree as it will be, may
// refuse, and notes in the draft what it would do; an apply does it and cannot refuse. A read
// judges and answers at once.
namespace znode {

// Who asks.
struct Caller {
  wire::SessionId session = {};
  Identities identities = {};
};

// What would take too long in one step is refused with TooLarge.
inline constexpr std::size_t deleted_nodes_max = 100'000;          // of one transaction
inline constexpr std::size_t ephemerals_per_session_max = 50'000;  // they go in one transaction

// The place and the time of a transaction.
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
wire::EmptyReply apply(const CleanupTxn& txn, const Moment& now, Tree& tree, Changes& changes);
wire::EmptyReply apply(const DeleteManyTxn& txn, const Moment& now, Tree& tree, Changes& changes);

// reap.cc: containers that lost their last child, and nodes that outlived their ttl, as of the
// draft's time.
[[nodiscard]] DeleteManyTxn plan_reaping(Draft& draft);

// check.cc
[[nodiscard]] wire::Result<CheckTxn> plan(const wire::CheckRequest& request, const Caller& caller,
                                          Draft& draft);

// set_acl.cc, get_acl.cc
[[nodiscard]] wire::Result<SetAclTxn> plan(const wire::SetAclRequest& request, const Caller& caller,
                                           Draft& draft);
wire::AclReply apply(const SetAclTxn& txn, const Moment& now, Tree& tree, Changes& changes);
[[nodiscard]] wire::Result<wire::AclReply> read(const wire::GetAclRequest& request,
                                                const Caller& caller, const Tree& tree);

// get.cc, exists.cc, children.cc, count.cc, ephemerals.cc. The plans are for reads within a multi.
[[nodiscard]] wire::Result<wire::GetRequest> plan(const wire::GetRequest& request,
                                                  const Caller& caller, Draft& draft);
wire::GetReply apply(const wire::GetRequest& request, const Tree& tree);
[[nodiscard]] wire::Result<ChildrenTxn> plan(const wire::ChildrenRequest& request,
                                             const Caller& caller, Draft& draft);
wire::ChildrenReply apply(const ChildrenTxn& txn, const Tree& tree);
[[nodiscard]] wire::Result<wire::GetReply> read(const wire::GetRequest& request,
                                                const Caller& caller, const Tree& tree);
[[nodiscard]] wire::Result<wire::ExistsReply> read(const wire::ExistsRequest& request,
                                                   const Caller& caller, const Tree& tree);
[[nodiscard]] wire::Result<wire::ChildrenReply> read(const wire::ChildrenRequest& request,
                                                     const Caller& caller, const Tree& tree);
[[nodiscard]] wire::Result<wire::CountReply> read(const wire::CountRequest& request,
                                                  const Caller& caller, const Tree& tree);
[[nodiscard]] wire::EphemeralsReply read(const wire::EphemeralsRequest& request,
                                         const Caller& caller, const Tree& tree);

// limiting.cc: QuotaExceeded where a subtree with `path` in it would have more than it may.
[[nodiscard]] wire::Result<void> check_quotas(std::string_view path, const Usage& growth,
                                              const Draft& draft);
// Whether the caller may change what /zookeeper/quota has at `path`: with ADMIN on the limited
// node. BadArguments where `path` is not below it.
[[nodiscard]] wire::Result<void> check_quota_change(std::string_view path, const Caller& caller,
                                                    const Draft& draft);
// What `data` at `path` would limit.
[[nodiscard]] wire::Result<std::shared_ptr<const QuotaLimits>> plan_limits(std::string_view path,
                                                                           std::string_view data,
                                                                           const Caller& caller,
                                                                           const Draft& draft);

// Why a request became no transaction, as its client is told.
struct Refusal {
  wire::Error error;                      // of a multi: that of its first failing operation
  std::optional<wire::MultiReply> multi;  // the reply, where a multi was judged and failed

  // What the client gets.
  [[nodiscard]] wire::Result<wire::ReplyBody> reply() const;

  bool operator==(const Refusal&) const = default;
};
template <typename T>
using Judged = boost::system::result<T, Refusal>;

// multi.cc: the operations are judged in order, each seeing what the earlier ones would do.
[[nodiscard]] Judged<MultiTxn> plan(const wire::MultiRequest& request, const Caller& caller,
                                    Draft& draft);
wire::MultiReply apply(const MultiTxn& txn, const Moment& now, Tree& tree, Changes& changes);
// Whether it has operations, and none of them changes or checks anything.
[[nodiscard]] bool only_reads(const wire::MultiRequest& request);
// Of such a multi, without a transaction.
[[nodiscard]] wire::MultiReply read(const wire::MultiRequest& request, const Caller& caller,
                                    const Tree& tree);

// Any transaction.
wire::ReplyBody apply(const Txn& txn, const Moment& now, Tree& tree, Changes& changes);

[[noreturn]] void throw_exception_from_error(const Refusal& refusal,
                                             const boost::source_location& at);

}  // namespace znode
