#include <algorithm>
#include <utility>
#include <variant>

#include "znode/operations.h"

namespace znode {
namespace {

using wire::Error;
using wire::ErrorCode;

Refusal refuse_all(std::size_t count, std::size_t failed, Error error) {
  const std::string because = ": operation " + std::to_string(failed) + " of the multi failed";
  wire::MultiReply reply;
  reply.failed = failed;
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

wire::OpReply apply(const CheckTxn&, const Moment&, Tree&, Changes&) { return wire::EmptyReply{}; }

wire::OpReply apply(const wire::GetRequest& request, const Moment&, Tree& tree, Changes&) {
  return znode::apply(request, tree);
}

wire::OpReply apply(const ChildrenTxn& txn, const Moment&, Tree& tree, Changes&) {
  return znode::apply(txn, tree);
}

}  // namespace

PlanResult<MultiTxn> plan(const wire::MultiRequest& request, const Caller& caller, Draft& draft) {
  MultiTxn txn;
  txn.ops.reserve(request.ops.size());
  for (std::size_t i = 0; i < request.ops.size(); ++i) {
    wire::Result<MultiTxnOp> planned_op = std::visit(
        [&](const auto& op) -> wire::Result<MultiTxnOp> {
          auto planned = plan(op, caller, draft);
          if (!planned) return std::move(planned).error();
          return MultiTxnOp(std::move(*planned));
        },
        request.ops[i]);
    if (!planned_op) return refuse_all(request.ops.size(), i, std::move(planned_op).error());
    txn.ops.push_back(std::move(*planned_op));
  }
  return txn;
}

wire::MultiReply apply(const MultiTxn& txn, const Moment& now, Tree& tree, Changes& changes) {
  wire::MultiReply reply;
  reply.results.reserve(txn.ops.size());
  for (const MultiTxnOp& op : txn.ops) {
    reply.results.emplace_back(std::visit(
        [&](const auto& each) -> wire::OpReply { return apply(each, now, tree, changes); }, op));
  }
  return reply;
}

bool only_reads(const wire::MultiRequest& request) {
  return !request.ops.empty() && std::ranges::all_of(request.ops, [](const wire::MultiOp& op) {
    return std::holds_alternative<wire::GetRequest>(op) ||
           std::holds_alternative<wire::ChildrenRequest>(op);
  });
}

wire::MultiReply read(const wire::MultiRequest& request, const Caller& caller, const Tree& tree) {
  wire::MultiReply reply;
  for (const wire::MultiOp& op : request.ops) {
    wire::Result<wire::OpReply> result = std::visit(
        [&](const auto& each) -> wire::Result<wire::OpReply> {
          if constexpr (requires { znode::read(each, caller, tree); }) {
            auto read = znode::read(each, caller, tree);
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

wire::ReplyBody apply(const Txn& txn, const Moment& now, Tree& tree, Changes& changes) {
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
