#include "session/service.h"

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "wire/contradiction.h"
#include "wire/ensure.h"
#include "wire/zxid.h"
#include "znode/hash.h"
#include "znode/path.h"

namespace session {
namespace {

using wire::Error;
using wire::ErrorCode;

Refusal refuse(Error error) { return {std::move(error), std::nullopt}; }
Refusal refuse(Refusal refusal) { return refusal; }

Error not_open(wire::SessionId session) {
  return {ErrorCode::session_expired, "session " + wire::to_hex(session.value) + " is not open"};
}

// Whether the session keeps this refusal as the result of its write. A write that does not come
// from the session's owner, or comes after the session's end, is not a write of the session.
bool is_kept(const Command& command, const Refusal& refusal) {
  const ErrorCode code = refusal.error.code;
  return command.number && code != ErrorCode::session_expired && code != ErrorCode::session_moved;
}

// Answers reads, and removes watches. It does not set watches.
struct Reader {
  const znode::Caller& caller;
  const wire::RequestId& id;
  const znode::Tree& tree;
  Watches& watches;

  using Reply = wire::Result<wire::ReplyBody>;

  template <class Result>
  static Reply widen(Result result) {
    if (!result) return std::move(result).error();
    return wire::ReplyBody(*std::move(result));
  }

  Reply operator()(const wire::GetRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::ExistsRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::ChildrenRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::CountRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::GetAclRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::EphemeralsRequest& request) {
    return wire::ReplyBody(znode::read(request, caller, tree));
  }
  // Only for a multi of reads. All of them see the same state.
  Reply operator()(const wire::MultiRequest& request) {
    return wire::ReplyBody(znode::read(request, caller, tree));
  }
  // The caller has made sure that this server has caught up.
  Reply operator()(const wire::SyncRequest& request) {
    if (auto valid = znode::validate(request.path); !valid) return valid.error();
    return wire::ReplyBody(wire::EmptyReply{});
  }
  Reply operator()(const wire::WatchRequest& request) {
    auto exists = znode::read(wire::ExistsRequest{request.path, {}}, caller, tree);
    if (!exists) return exists.error();
    return wire::ReplyBody(wire::WatchReply{id, exists->stat});
  }
  Reply operator()(const wire::UnwatchRequest& request) {
    if (auto removed = watches.remove(caller.session, request.watch); !removed)
      return removed.error();
    return wire::ReplyBody(wire::EmptyReply{});
  }
  template <class Request>
  Reply operator()(const Request&) {
    return Error{ErrorCode::unimplemented, "this request is not supported"};
  }
};

}  // namespace

Service::Service(Watches::Bounds bounds, wire::LevelRange known)
    : known_(known), watches_(bounds) {}

Service::Service(znode::Tree& tree, SessionTable sessions, const ImageHeader& header,
                 Watches::Bounds bounds, wire::LevelRange known)
    : known_(known),
      level_(header.level),
      planned_level_(header.level),
      applied_(header.zxid),
      now_(header.time),
      sessions_(std::move(sessions)),
      watches_(bounds) {
  tree_.swap(tree);
  watches_.begin_after(applied_);
}

void Service::become(Service&& restored) {
  ensure(plans_.empty() && restored.applied_ >= applied_,
         "the state never goes back to an earlier one");
  level_ = planned_level_ = restored.level_;
  applied_ = restored.applied_;
  now_ = restored.now_;
  tree_.swap(restored.tree_);
  sessions_ = std::move(restored.sessions_);
  watches_.begin_after(applied_);
  image_header_.reset();
}

znode::PlanResult<wire::Bytes> Service::plan(const Command& command, wire::TimeMs now) {
  znode::Draft draft(pending_tree_, std::max(now_, now));
  znode::PlanResult<Body> body =
      std::visit([&](const auto& each) { return plan_body(command, each, draft); }, command.body);
  if (!body && !is_kept(command, body.error())) return std::move(body).error();

  Transaction transaction{command.session, command.owner, command.tag, draft.now(), {},
                          command.number};
  if (body) {
    transaction.body = *std::move(body);
    return add_plan(transaction, std::move(draft));
  }
  transaction.body = RefuseTxn{std::move(body).error()};
  return add_plan(transaction, znode::Draft(pending_tree_, draft.now()));
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

  znode::Draft draft(pending_tree_, std::max(now_, now));
  wire::Bytes bytes = add_plan({{}, {}, 0, draft.now(), LevelTxn{level}}, std::move(draft));
  planned_level_ = level;
  return bytes;
}

wire::Bytes Service::add_plan(const Transaction& transaction, znode::Draft&& draft) {
  now_ = transaction.time;
  pending_tree_.add(std::move(draft));
  plans_.push_back({transaction.session, transaction.owner, transaction.tag, now_});
  wire::Bytes bytes;
  encode(transaction, forms(), bytes);
  return bytes;
}

void Service::forget_plans() {
  pending_tree_.clear();
  pending_sessions_.clear();
  plans_.clear();
  planned_level_ = level_;
}

znode::PlanResult<Service::Body> Service::plan_body(const Command&, const OpenSession& body,
                                                    znode::Draft&) {
  return Body(OpenTxn{body.secret_hash, body.timeout_ms, body.results_max});
}

znode::PlanResult<Service::Body> Service::plan_body(const Command& command, const MoveSession& body,
                                                    znode::Draft&) {
  const std::optional<Session> session = pending_sessions_.find(command.session);
  if (!session) return refuse(not_open(command.session));
  if (!equal_secrets(session->secret_hash, body.secret_hash)) {
    return refuse(Error{ErrorCode::auth_failed,
                        "wrong password for session " + wire::to_hex(command.session.value)});
  }

  pending_sessions_.move(command.session, command.owner);
  return Body(MoveTxn{body.timeout_ms, body.results_max});
}

znode::PlanResult<Service::Body> Service::plan_body(const Command& command,
                                                    const CloseSession& body, znode::Draft& draft) {
  if (!pending_sessions_.find(command.session)) return refuse(not_open(command.session));
  if (!body.expired) {
    if (auto owner = check_owner(command); !owner) return refuse(owner.error());
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
  auto txn = znode::plan(request, {command.session, command.identities}, draft);
  if (!txn) return refuse(std::move(txn).error());
  return Body(znode::Txn(*std::move(txn)));
}

wire::Result<void> Service::check_owner(const Command& command) const {
  const std::optional<Session> session = pending_sessions_.find(command.session);
  if (!session) return not_open(command.session);
  if (session->owner == command.owner) return {};
  return Error{ErrorCode::session_moved, "session " + wire::to_hex(command.session.value) +
                                             " has moved to another connection"};
}

wire::Result<Applied> Service::apply(wire::Zxid zxid, std::string_view bytes) {
  ensure(zxid > applied_, "transactions are applied in the order of their zxids");
  wire::Result<Transaction> decoded = decode_transaction(bytes, wire::forms_at(known_.greatest));
  if (!decoded) return decoded.error();
  const Transaction transaction = *std::move(decoded);
  const auto* level = std::get_if<LevelTxn>(&transaction.body);
  if (level != nullptr && !known_.contains(level->level)) {
    return Error{ErrorCode::unimplemented,
                 "it raises the ensemble to " + wire::to_string(level->level) +
                     ", and this program can run at " + wire::to_string(known_)};
  }

  const wire::Zxid former = std::exchange(applied_, zxid);
  now_ = std::max(now_, transaction.time);
  Applied applied{.zxid = zxid,
                  .session = transaction.session,
                  .owner = transaction.owner,
                  .tag = transaction.tag,
                  .reply = {},
                  .former_owner = {},
                  .refusal = {},
                  .events = {}};
  try {
    std::visit([&](const auto& body) { carry_out(body, transaction, applied); }, transaction.body);
    if (transaction.number) keep_result(transaction, applied);
  } catch (const wire::Contradiction& contradiction) {
    applied_ = former;
    return Error{ErrorCode::runtime_inconsistency,
                 std::string("it contradicts the state of this server: ") + contradiction.what()};
  }
  drop_plan(transaction);
  return applied;
}

void Service::drop_plan(const Transaction& transaction) {
  if (plans_.empty()) return;
  const Plan plan{transaction.session, transaction.owner, transaction.tag, transaction.time};
  ensure(plans_.front() == plan, "a leader applies its plans in order");

  plans_.pop_front();
  pending_tree_.applied();
  if (std::holds_alternative<MoveTxn>(transaction.body) ||
      std::holds_alternative<CloseTxn>(transaction.body)) {
    pending_sessions_.applied(transaction.session);
  }
}

void Service::carry_out(const OpenTxn& txn, const Transaction& transaction, Applied& applied) {
  applied.session = {applied.zxid.bits()};
  applied.session_change = Applied::SessionChange::opened;
  sessions_.open(applied.session,
                 {txn.secret_hash, txn.timeout_ms, transaction.owner, txn.results_max});
  watches_.fire(applied.zxid, {});
}

void Service::carry_out(const MoveTxn& txn, const Transaction& transaction, Applied& applied) {
  applied.session_change = Applied::SessionChange::moved;
  applied.former_owner = sessions_.move(transaction.session, transaction.owner, txn);
  // The watches belonged to the former connection. The new connection sets its own.
  watches_.remove_session(transaction.session);
  watches_.fire(applied.zxid, {});
}

void Service::carry_out(const CloseTxn& txn, const Transaction& transaction, Applied& applied) {
  applied.session_change =
      txn.expired ? Applied::SessionChange::expired : Applied::SessionChange::closed;
  applied.former_owner = sessions_.close(transaction.session);
  watches_.remove_session(transaction.session);

  znode::Changes changes;
  znode::apply(znode::CleanupTxn{transaction.session, txn.ephemerals},
               {applied.zxid, transaction.time}, tree_, changes);
  applied.events = watches_.fire(applied.zxid, std::move(changes).finish(tree_));
}

void Service::carry_out(const RefuseTxn& txn, const Transaction&, Applied& applied) {
  applied.refusal = txn.refusal;
  watches_.fire(applied.zxid, {});
}

void Service::carry_out(const LevelTxn& txn, const Transaction&, Applied& applied) {
  level_ = planned_level_ = txn.level;
  watches_.fire(applied.zxid, {});
}

// Written at the replicated level: the bytes are equal on all servers.
void Service::keep_result(const Transaction& transaction, const Applied& applied) {
  const wire::Forms forms = wire::forms_at(level_);
  sessions_.keep(
      transaction.session, *transaction.number,
      applied.refusal ? encode_outcome(*applied.refusal, forms) : encode_outcome(applied.reply));
}

// At level 0 without the level, as version 0.1 has it.
std::uint64_t Service::digest() const {
  const std::uint64_t state = znode::hash_of(std::array{tree_.digest(), sessions_.digest()});
  return level_ == wire::Level{} ? state
                                 : znode::hash_of(std::array{state, std::uint64_t{level_.value}});
}

void Service::carry_out(const znode::Txn& txn, const Transaction& transaction, Applied& applied) {
  znode::Changes changes;
  applied.reply = znode::apply(txn, {applied.zxid, transaction.time}, tree_, changes);
  applied.events = watches_.fire(applied.zxid, std::move(changes).finish(tree_));
}

wire::Result<Answer> Service::read(const znode::Caller& caller, const wire::RequestId& id,
                                   const wire::Request& request, wire::Encoding encoding) {
  if (!sessions_.find(caller.session) && !is_local(caller.session)) return not_open(caller.session);
  auto reply = std::visit(Reader{caller, id, tree_, watches_}, request);
  if (!reply) return std::move(reply).error();

  Answer answer{.events = {}, .reply = *std::move(reply)};
  if (std::optional<Watch> watch = watch_of(request)) {
    watch->encoding = encoding;
    auto missed = watches_.add(caller.session, id, *std::move(watch), caller.identities);
    if (!missed) return std::move(missed).error();
    answer.events = *std::move(missed);
  }
  return answer;
}

void Service::begin_image() {
  const wire::Forms forms = wire::forms_at(level_);
  image_header_ = encode(ImageHeader{applied_, now_, digest(), tree_.size(), level_});
  tree_.tracker().begin(forms.node);
  sessions_.begin_image(forms.session);
}

bool Service::collect_image(std::size_t max, std::vector<Record>& out) {
  if (image_header_) out.push_back(*std::exchange(image_header_, std::nullopt));
  std::vector<SessionRecord> sessions;
  const bool has_sessions = sessions_.collect_image(max, sessions);
  for (SessionRecord& session : sessions) out.push_back(to_record(std::move(session)));
  std::vector<znode::NodeRecord> nodes;
  const bool has_nodes = !tree_.tracker().is_collecting() || tree_.tracker().collect(max, nodes);
  for (znode::NodeRecord& node : nodes) out.push_back(to_record(std::move(node)));
  return has_sessions && has_nodes;
}

}  // namespace session
