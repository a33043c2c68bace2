#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "wire/reply_size.h"
#include "znode/operations.h"
#include "znode/refuse.h"

namespace znode {
namespace {

using wire::Error;
using wire::ErrorCode;

Refusal refuse_all(std::size_t count, std::size_t failed, Error error,
                   std::optional<wire::Branch> branch = {}) {
  const std::string because = ": operation " + std::to_string(failed) + " of the multi failed";
  wire::MultiReply reply;
  reply.failed = failed;
  reply.branch = branch;
  for (std::size_t i = 0; i < count; ++i) {
    if (i == failed) {
      reply.results.emplace_back(error);
    } else {
      reply.results.emplace_back(Error{ErrorCode::runtime_inconsistency,
                                       (i < failed ? "rolled back" : "not attempted") + because});
    }
  }
  return {std::move(error), std::move(reply)};
}

template <typename Op>
constexpr bool is_read = std::is_same_v<Op, wire::GetRequest> || std::is_same_v<Op, ChildrenTxn> ||
                         std::is_same_v<Op, wire::ChildrenRequest>;

// The bytes that an operation adds to a transaction, about.
struct TransactionBytes {
  bool repeats_identities;

  static constexpr std::size_t fixed = 64;
  static std::size_t of(const std::vector<std::string>& texts) {
    std::size_t bytes = 0;
    for (const std::string& text : texts) bytes += sizeof(std::string) + text.size();
    return bytes;
  }
  static std::size_t of(const wire::Acl& acl) {
    std::size_t bytes = 0;
    for (const wire::AclEntry& entry : acl) {
      bytes += sizeof entry + entry.scheme.size() + entry.id.size();
    }
    return bytes;
  }

  std::size_t operator()(const CreateTxn& op) const {
    return fixed + op.path.size() + of(op.parents) + op.data.size() + of(op.acl.list());
  }
  std::size_t operator()(const SetTxn& op) const {
    return fixed + op.path.size() + of(op.parents) + op.data.size();
  }
  std::size_t operator()(const DeleteTxn& op) const { return fixed + op.path.size(); }
  std::size_t operator()(const CheckTxn&) const { return fixed; }
  std::size_t operator()(const wire::GetRequest& op) const { return fixed + op.path.size(); }
  std::size_t operator()(const ChildrenTxn& op) const {
    std::size_t bytes = fixed + op.request.path.size();
    for (const auto* name : {&op.request.after, &op.request.before}) {
      if (*name) bytes += (*name)->size();
    }
    if (!repeats_identities) return bytes;
    for (const wire::Identity& each : op.identities.list()) {
      bytes += fixed + each.scheme.size() + each.id.size();
    }
    return bytes;
  }
};

// The bytes of a ReplyBudget that the results of the writes take. A read takes its own.
struct ReplyBytes {
  std::size_t operator()(const CreateTxn& op) const {
    return wire::item_bytes_max + wire::stat_bytes_max + wire::text_bytes_max(op.path);
  }
  std::size_t operator()(const SetTxn&) const {
    return wire::item_bytes_max + wire::stat_bytes_max;
  }
  std::size_t operator()(const auto&) const { return wire::item_bytes_max; }
};

Error transaction_too_large() {
  return {ErrorCode::too_large, "the multi would be a transaction of more than " +
                                    std::to_string(wire::transaction_bytes_max) +
                                    " bytes: do less in one"};
}

}  // namespace

PlanResult<MultiTxn> plan(const wire::MultiRequest& request, const Caller& caller, Draft& draft,
                          const MultiBounds& bounds, std::optional<wire::Branch> branch) {
  const auto& ops = branch == wire::Branch::otherwise ? *request.otherwise : request.ops;
  MultiTxn txn;
  txn.branch = branch;
  txn.ops.reserve(ops.size());
  ReplyBudget budget(bounds.reply_bytes);
  const TransactionBytes bytes_of{bounds.repeats_identities};
  std::size_t bytes = 0;
  std::size_t written = 0;
  std::size_t listed = 0;  // of the budget, by children
  const auto plan_op = [&](const auto& op) -> wire::Result<MultiTxnOp> {
    using Op = std::remove_cvref_t<decltype(op)>;
    const std::size_t taken_before = budget.taken();
    auto planned = [&] {
      if constexpr (is_read<Op>) {
        // Before version 3 no bound is applied: what this multi writes may be in each list.
        const bool is_bounded = !bounds.repeats_identities || std::is_same_v<Op, wire::GetRequest>;
        if (!is_bounded && !budget.take(written)) {
          return decltype(plan(op, caller, draft, budget))(reply_too_large(bounds.reply_bytes));
        }
        return plan(op, caller, draft, budget);
      } else {
        return plan(op, caller, draft);
      }
    }();
    if (!planned) return std::move(planned).error();
    if (std::is_same_v<Op, wire::ChildrenRequest>) {
      listed += budget.taken() - taken_before - wire::stat_bytes_max;
    }
    bytes += bytes_of(*planned);
    if constexpr (requires { planned->data; })
      written += planned->path.size() + planned->data.size();
    if (bytes > wire::transaction_bytes_max) return transaction_too_large();
    if (!budget.take(ReplyBytes()(*planned))) return reply_too_large(bounds.reply_bytes);
    return MultiTxnOp(std::move(*planned));
  };
  for (std::size_t i = 0; i < ops.size(); ++i) {
    wire::Result<MultiTxnOp> planned = std::visit(plan_op, ops[i]);
    if (!planned) return refuse_all(ops.size(), i, std::move(planned).error(), branch);
    txn.ops.push_back(*std::move(planned));
  }
  draft.set_reply_bytes(budget.taken());
  txn.keeps_receipt = budget.taken() > bounds.kept_bytes;
  // The lists get what the other results leave: they may be longer when the multi is applied.
  const std::size_t others = budget.taken() - listed;
  const std::size_t bound =
      txn.keeps_receipt ? bounds.reply_bytes : std::min(bounds.reply_bytes, bounds.kept_bytes);
  txn.list_bytes_max = static_cast<std::uint32_t>(bound - others);
  return txn;
}

wire::MultiReply apply(const MultiTxn& txn, const Moment& now, Tree& tree, Changes& changes,
                       bool wants_reply) {
  wire::MultiReply reply;
  reply.branch = txn.branch;
  if (wants_reply) reply.results.reserve(txn.ops.size());
  ReplyBudget budget(txn.list_bytes_max);
  const auto apply_op = [&](const auto& op) -> wire::OpReply {
    using Op = std::remove_cvref_t<decltype(op)>;
    if constexpr (std::is_same_v<Op, CheckTxn>) {
      return wire::EmptyReply{};
    } else if constexpr (std::is_same_v<Op, wire::GetRequest>) {
      return apply(op, tree);
    } else if constexpr (std::is_same_v<Op, ChildrenTxn>) {
      return apply(op, tree, budget);
    } else {
      return apply(op, now, tree, changes);
    }
  };
  const auto reads = [](const auto& op) { return is_read<std::remove_cvref_t<decltype(op)>>; };
  for (const MultiTxnOp& op : txn.ops) {
    if (!wants_reply && std::visit(reads, op)) continue;
    wire::OpReply result = std::visit(apply_op, op);
    if (wants_reply) reply.results.emplace_back(std::move(result));
  }
  return reply;
}

bool only_reads(const wire::MultiRequest& request) {
  return !request.ops.empty() && !request.otherwise &&
         std::ranges::all_of(request.ops, [](const wire::MultiOp& op) {
           return std::holds_alternative<wire::GetRequest>(op) ||
                  std::holds_alternative<wire::ChildrenRequest>(op);
         });
}

wire::MultiReply read(const wire::MultiRequest& request, const Caller& caller, const Tree& tree,
                      ReplyBudget& budget) {
  wire::MultiReply reply;
  for (const wire::MultiOp& op : request.ops) {
    wire::Result<wire::OpReply> result = std::visit(
        [&](const auto& each) -> wire::Result<wire::OpReply> {
          if constexpr (is_read<std::remove_cvref_t<decltype(each)>>) {
            if (!budget.take(wire::item_bytes_max)) return reply_too_large(budget.bytes_max());
            auto read = znode::read(each, caller, tree, budget);
            if (!read) return std::move(read).error();
            return wire::OpReply(*std::move(read));
          } else {
            return Error{ErrorCode::not_read_only, "not a read"};
          }
        },
        op);
    if (!result) {
      return *refuse_all(request.ops.size(), reply.results.size(), std::move(result).error()).multi;
    }
    reply.results.push_back(std::move(result));
  }
  return reply;
}

wire::ReplyBody apply(const Txn& txn, const Moment& now, Tree& tree, Changes& changes,
                      bool wants_reply) {
  if (const auto* multi = std::get_if<MultiTxn>(&txn)) {
    return apply(*multi, now, tree, changes, wants_reply);
  }
  return std::visit(
      [&](const auto& each) -> wire::ReplyBody { return apply(each, now, tree, changes); }, txn);
}

wire::Result<wire::ReplyBody> Refusal::reply() const {
  if (multi) return wire::ReplyBody(*multi);
  return error;
}

void throw_exception_from_error(const Refusal& refusal, const boost::source_location& at) {
  wire::throw_exception_from_error(refusal.error, at);
}

}  // namespace znode
