#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "session/not_open.h"
#include "session/results.h"
#include "session/service.h"
#include "wire/error.h"
#include "wire/limits.h"
#include "wire/zxid.h"

// The leader's half of Service: commands become transactions, or are refused.
namespace session {
namespace {

using wire::Error;
using wire::ErrorCode;

Refusal refuse(Error error) { return {std::move(error), std::nullopt}; }
Refusal refuse(Refusal refusal) { return refusal; }

// Whether the session keeps this refusal as the result of its write, if it fits into a transaction.
// A write that does not come from the session's owner, or comes after the session's end, is not a
// write of the session.
bool is_kept(const Command& command, const Refusal& refusal) {
  const ErrorCode code = refusal.error.code;
  return command.number && code != ErrorCode::session_expired && code != ErrorCode::session_moved;
}

// A part of the end of a session. No client waits for the outcome of a part.
bool is_part_of_end(const Command& command, const decltype(Transaction::body)& body) {
  return std::holds_alternative<CloseSession>(command.body) &&
         !std::holds_alternative<CloseTxn>(body);
}

// One part in so many of the state is reserved for new sessions.
constexpr std::size_t sessions_part = 64;

// The rest of the message of a refusal that is kept in a short form.
constexpr std::string_view short_form =
    ": the tree and the sessions are full, so no more of the message is kept";

Error state_full(ErrorCode code, std::size_t bytes_max) {
  return {code,
          "the tree and the sessions are full: they take the " + std::to_string(bytes_max) +
              " bytes that memoryLimitBytes leaves them. Nothing was done. Delete nodes, or raise "
              "memoryLimitBytes on every server"};
}

Error too_large(std::size_t bytes) {
  return {ErrorCode::too_large, "the request would be a transaction of " + std::to_string(bytes) +
                                    " bytes, more than the " +
                                    std::to_string(wire::transaction_bytes_max) +
                                    " that are possible: divide it into smaller requests"};
}

}  // namespace

znode::PlanResult<wire::Bytes> Service::plan(const Command& command, wire::TimeMs now) {
  znode::Draft draft(pending_tree_, now);
  znode::PlanResult<Body> body =
      std::visit([&](const auto& each) { return plan_body(command, each, draft); }, command.body);
  Transaction transaction{command.session, command.owner, command.tag, draft.now(), {},
                          command.number};
  wire::Bytes bytes;
  const Growth growth = body ? growth_of(command, draft) : Growth{};
  if (body) {
    if (auto room = check_room(command, growth); !room) body = refuse(room.error());
  }
  if (body) {
    transaction.body = *std::move(body);
    if (is_part_of_end(command, transaction.body)) {
      transaction.owner = nobody;
      transaction.tag = 0;
    }
    encode(transaction, forms(), bytes);
    if (bytes.size() <= wire::transaction_bytes_max) {
      add_plan(transaction, std::move(draft), growth);
      return bytes;
    }
    body = refuse(too_large(bytes.size()));
    bytes.clear();
  }
  if (!is_kept(command, body.error())) return std::move(body).error();
  RefuseTxn& kept = transaction.body.emplace<RefuseTxn>(body.error());
  const std::optional<Growth> kept_growth = fit_refusal(command, kept.refusal);
  if (!kept_growth) return std::move(body).error();
  encode(transaction, forms(), bytes);
  if (bytes.size() > wire::transaction_bytes_max) return std::move(kept.refusal);
  add_plan(transaction, znode::Draft(pending_tree_, draft.now()), *kept_growth);
  return bytes;
}

// If a refusal is not kept, its write was not done, and is judged again if it is sent again.
std::optional<Service::Growth> Service::fit_refusal(const Command& command,
                                                    Refusal& refusal) const {
  const std::size_t reserve = state_bytes_max_ / sessions_part;
  const Growth whole = growth_of(command.session, refusal);
  if (has_room(command, whole, reserve)) return whole;
  refusal.error.message = std::string(wire::name(refusal.error.code)).append(short_form);
  refusal.multi.reset();
  const Growth growth = growth_of(command.session, refusal);
  // The other half of the reserve stays for new sessions.
  if (has_room(command, growth, reserve / 2)) return growth;
  return std::nullopt;
}

wire::Result<wire::Bytes> Service::plan_level(wire::Level level, wire::TimeMs now) {
  const auto refuse = [](std::string why) {
    return Error{ErrorCode::bad_arguments, std::move(why)};
  };
  if (!known_.contains(level)) {
    return refuse("this program cannot run at " + wire::to_string(level) + ", but at " +
                  wire::to_string(known_));
  }
  if (planned_level_ != level_) {
    return refuse("a change to " + wire::to_string(planned_level_) + " is under way");
  }
  if (level == level_) return refuse("the ensemble is at " + wire::to_string(level) + " already");

  znode::Draft draft(pending_tree_, now);
  const Transaction transaction{{}, {}, 0, draft.now(), LevelTxn{level}};
  wire::Bytes bytes;
  encode(transaction, forms(), bytes);
  add_plan(transaction, std::move(draft), {});
  planned_level_ = level;
  return bytes;
}

// Of the kept results of writes only those of multis count: the others are small. Those of refusals
// count too.
Service::Growth Service::growth_of(const Command& command, const znode::Draft& draft) const {
  if (std::holds_alternative<OpenSession>(command.body)) {
    return {static_cast<std::int64_t>(SessionTable::session_memory), 1};
  }
  Growth growth{draft.growth()};
  if (command.number && draft.reply_bytes() <= Results::bytes_max) {
    growth.bytes += static_cast<std::int64_t>(draft.reply_bytes());
  }
  return growth;
}

Service::Growth Service::growth_of(wire::SessionId session, const Refusal& refusal) const {
  const std::optional<Session> found = pending_sessions_.find(session);
  if (!found || found->results_max == 0) return {};
  const std::size_t outcome = encode_outcome(refusal, {}, forms()).size();
  const bool is_first = sessions_.results(session) == nullptr;
  return {static_cast<std::int64_t>(Results::memory_of(outcome) +
                                    (is_first ? Results::memory_of_none : 0))};
}

bool Service::has_room(const Command& command, const Growth& growth, std::size_t reserve) const {
  if (growth.bytes <= 0 || command.identities.is_super()) return true;
  const std::int64_t wanted = static_cast<std::int64_t>(memory()) + planned_.bytes + growth.bytes;
  return wanted <= 0 || static_cast<std::uint64_t>(wanted) <= state_bytes_max_ - reserve;
}

wire::Result<void> Service::check_room(const Command& command, const Growth& growth) const {
  // New sessions have a reserve, so that a client can still connect and delete nodes.
  const std::size_t reserve = growth.sessions == 0 ? state_bytes_max_ / sessions_part : 0;
  if (has_room(command, growth, reserve)) return {};
  return state_full(code_of_overload(), state_bytes_max_);
}

void Service::add_plan(const Transaction& transaction, znode::Draft&& draft, const Growth& growth) {
  pending_tree_.add(std::move(draft));
  plans_.push_back(
      {{transaction.session, transaction.owner, transaction.tag, transaction.time}, growth});
  planned_.bytes += growth.bytes;
  planned_.sessions += growth.sessions;
}

void Service::forget_plans() {
  pending_tree_.clear();
  pending_sessions_.clear();
  plans_.clear();
  planned_ = {};
  planned_level_ = level_;
  tree_.countdowns().end();
}

znode::PlanResult<Service::Body> Service::plan_body(const Command& command, const OpenSession& body,
                                                    znode::Draft&) {
  if (sessions_.size() + planned_.sessions >= sessions_max_ && !command.identities.is_super()) {
    return refuse(Error{
        knows_own_codes() ? ErrorCode::too_many_sessions : code_of_overload(),
        "the ensemble has maxSessions=" + std::to_string(sessions_max_) + " sessions already"});
  }
  return Body(OpenTxn{body.secret_hash, body.timeout_ms, body.results_max});
}

znode::PlanResult<Service::Body> Service::plan_body(const Command& command, const MoveSession& body,
                                                    znode::Draft&) {
  const std::optional<Session> session = pending_sessions_.find(command.session);
  if (!session || session->owner == nobody) return refuse(not_open(command.session));
  if (!equal_secrets(session->secret_hash, body.secret_hash)) {
    return refuse(Error{ErrorCode::auth_failed,
                        "wrong password for session " + wire::to_hex(command.session.value)});
  }

  pending_sessions_.move(command.session, command.owner);
  return Body(MoveTxn{body.timeout_ms, body.results_max});
}

znode::PlanResult<Service::Body> Service::plan_body(const Command& command,
                                                    const CloseSession& body, znode::Draft& draft) {
  const std::optional<Session> session = pending_sessions_.find(command.session);
  if (!session) return refuse(not_open(command.session));
  if (!body.expired) {
    if (auto owner = check_owner(command); !owner) return refuse(owner.error());
  }
  // An expired session is taken from its client before any of its nodes are deleted. So the client
  // cannot use the session between two parts, even if the leader changes.
  if (body.expired && session->owner != nobody &&
      pending_tree_.ephemerals_at_most(command.session) > znode::ephemerals_per_session_max) {
    pending_sessions_.move(command.session, nobody);
    return Body(MoveTxn{session->timeout_ms, session->results_max});
  }
  if (auto part = znode::plan_part_of_cleanup(command.session, draft)) {
    return Body(znode::Txn(*std::move(part)));
  }
  pending_sessions_.close(command.session);
  return Body(CloseTxn{body.expired, znode::plan_cleanup(command.session, draft).count});
}

znode::PlanResult<Service::Body> Service::plan_body(const Command&, const ReapNodes&,
                                                    znode::Draft& draft) {
  znode::DeleteManyTxn txn = znode::plan_reaping(draft);
  if (txn.paths.empty()) return refuse(Error{ErrorCode::no_node, "no node is due"});
  return Body(znode::Txn(std::move(txn)));
}

// Next: znode::plan, for a create in znode/create.cc.
template <class Request>
znode::PlanResult<Service::Body> Service::plan_body(const Command& command, const Request& request,
                                                    znode::Draft& draft) {
  if (auto owner = check_owner(command); !owner) return refuse(owner.error());
  if (least_version(command) > forms().command) return refuse(needs_newer_level());
  const znode::Caller caller{command.session, command.identities};
  const wire::Result<void> met = znode::judge(command.conditions, caller, draft);
  std::optional<wire::Branch> branch;
  if constexpr (std::is_same_v<Request, wire::MultiRequest>) {
    if (request.otherwise) branch = met ? wire::Branch::ops : wire::Branch::otherwise;
  }
  if (!met && (!branch || met.error().code != ErrorCode::condition_failed)) {
    return refuse(met.error());
  }
  auto txn = [&] {
    if constexpr (std::is_same_v<Request, wire::MultiRequest>) {
      return znode::plan(request, caller, draft, multi_bounds(command), branch);
    } else {
      return znode::plan(request, caller, draft);
    }
  }();
  if (!txn) return refuse(std::move(txn).error());
  return Body(znode::Txn(*std::move(txn)));
}

// A kept result is part of the replicated state, so its size is bounded. At a level without
// receipts, a multi with a larger reply is refused.
znode::MultiBounds Service::multi_bounds(const Command& command) const {
  const wire::Forms forms = this->forms();
  znode::MultiBounds bounds;
  bounds.reply_bytes = reply_bytes_max_;
  bounds.repeats_identities = forms.tree_transaction < 3;
  const std::optional<Session> session = pending_sessions_.find(command.session);
  if (!command.number || !session || session->results_max == 0) return bounds;
  bounds.kept_bytes = Results::bytes_max;
  if (forms.outcome < 2) bounds.reply_bytes = std::min(bounds.reply_bytes, bounds.kept_bytes);
  return bounds;
}

wire::Result<void> Service::check_owner(const Command& command) const {
  const std::optional<Session> session = pending_sessions_.find(command.session);
  if (!session) return not_open(command.session);
  if (session->owner == command.owner) return {};
  return Error{ErrorCode::session_moved, "session " + wire::to_hex(command.session.value) +
                                             " has moved to another connection"};
}

}  // namespace session
