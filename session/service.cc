#include "session/service.h"

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "session/not_open.h"
#include "wire/contradiction.h"
#include "wire/ensure.h"
#include "wire/zxid.h"
#include "znode/hash.h"
#include "znode/path.h"
#include "znode/sibling.h"

namespace session {
namespace {

using wire::Error;
using wire::ErrorCode;

// Whether only a receipt is kept as the result of the write.
bool keeps_receipt(const Transaction& transaction) {
  const auto* txn = std::get_if<znode::Txn>(&transaction.body);
  const auto* multi = txn ? std::get_if<znode::MultiTxn>(txn) : nullptr;
  return multi != nullptr && multi->keeps_receipt;
}

// A turn shows how many siblings a node has, so it needs the permission that their list needs.
wire::Result<void> may_list(std::string_view parent, const znode::Caller& caller,
                            const znode::Tree& tree) {
  const znode::Node* node = tree.find(parent);
  if (node == nullptr || znode::allows(node->acl(), caller.identities, wire::Perm::read)) return {};
  return Error{ErrorCode::no_auth,
               "a turn among the children of " + std::string(parent) + " needs the permission r"};
}

// Answers reads, and removes watches. It sets no watches but those of turns.
struct Reader {
  const znode::Caller& caller;
  const wire::RequestId& id;
  const znode::Tree& tree;
  Watches& watches;
  znode::ReplyBudget budget;

  using Reply = wire::Result<wire::ReplyBody>;

  template <class Result>
  static Reply widen(Result result) {
    if (!result) return std::move(result).error();
    return wire::ReplyBody(*std::move(result));
  }

  Reply operator()(const wire::GetRequest& request) {
    return widen(znode::read(request, caller, tree, budget));
  }
  Reply operator()(const wire::ExistsRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::ChildrenRequest& request) {
    return widen(znode::read(request, caller, tree, budget));
  }
  Reply operator()(const wire::CountRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::GetAclRequest& request) {
    return widen(znode::read(request, caller, tree));
  }
  Reply operator()(const wire::EphemeralsRequest& request) {
    return widen(znode::read(request, caller, tree, budget));
  }
  // Only for a multi of reads. All of them see the same state.
  Reply operator()(const wire::MultiRequest& request) {
    return wire::ReplyBody(znode::read(request, caller, tree, budget));
  }
  // The caller has made sure that this server has caught up.
  Reply operator()(const wire::SyncRequest& request) {
    if (auto valid = znode::validate(request.path); !valid) return valid.error();
    return wire::ReplyBody(wire::EmptyReply{});
  }
  Reply operator()(const wire::WatchRequest& request) {
    if (request.scope == wire::WatchScope::turn) return watch_turn(request);
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

  // Sets the watch too: whether it is needed, and what it is told, must be one decision.
  Reply watch_turn(const wire::WatchRequest& request) {
    auto exists = znode::read(wire::ExistsRequest{request.path, {}}, caller, tree);
    if (!exists) return exists.error();
    if (!exists->stat) {
      return Error{ErrorCode::no_node, request.path + " does not exist"};
    }
    if (!znode::sibling_of(znode::name_of(request.path))) {
      return Error{ErrorCode::bad_arguments,
                   "path: the name of " + request.path + " does not end in ten digits"};
    }
    if (auto allowed = may_list(znode::parent_of(request.path), caller, tree); !allowed) {
      return allowed.error();
    }
    auto checked = watches.check_turn(caller.session, id, request.path, request.turn, tree, false);
    if (!checked) return checked.error();
    const bool turn =
        watches.ask_turn(caller.session, id, request.path, request.turn, caller.identities, tree);
    return wire::ReplyBody(wire::WatchReply{id, exists->stat, turn});
  }
};

}  // namespace

Service::Service(const Options& options, wire::LevelRange known)
    : reply_bytes_max_(options.reply_bytes_max),
      state_bytes_max_(options.state_bytes_max),
      sessions_max_(options.sessions_max),
      reaping_(options.reaping),
      known_(known),
      tree_(options.watches.hash_key),
      watches_(options.watches) {}

Service::Service(znode::Tree& tree, SessionTable sessions, const ImageHeader& header,
                 const Options& options, wire::LevelRange known)
    : reply_bytes_max_(options.reply_bytes_max),
      state_bytes_max_(options.state_bytes_max),
      sessions_max_(options.sessions_max),
      reaping_(options.reaping),
      known_(known),
      level_(header.level),
      planned_level_(header.level),
      applied_(header.zxid),
      time_(header.time),
      sessions_(std::move(sessions)),
      watches_(options.watches) {
  tree_.swap(tree);
  watches_.begin_after(applied_);
}

void Service::become(Service&& restored) {
  ensure(plans_.empty() && restored.applied_ >= applied_,
         "the state never goes back to an earlier one");
  level_ = planned_level_ = restored.level_;
  applied_ = restored.applied_;
  time_ = restored.time_;
  tree_.swap(restored.tree_);
  sessions_ = std::move(restored.sessions_);
  watches_.begin_after(applied_);
  image_header_.reset();
}

wire::Result<Applied> Service::apply(wire::Zxid zxid, std::string_view bytes, BuildReply build,
                                     const EventSink& sink) {
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
  time_ = transaction.time;
  Applied applied{.zxid = zxid,
                  .session = transaction.session,
                  .owner = transaction.owner,
                  .tag = transaction.tag,
                  .reply = {},
                  .former_owner = {},
                  .refusal = {},
                  .events = {},
                  .lagging = {}};
  const auto carry_out_body = [&]<class Kind>(const Kind& body) {
    if constexpr (std::is_same_v<Kind, znode::Txn>) {
      return carry_out(body, transaction, build, applied);
    } else {
      return carry_out(body, transaction, applied);
    }
  };
  Changes changes;
  try {
    changes = std::visit(carry_out_body, transaction.body);
    if (transaction.number) keep_result(transaction, applied);
  } catch (const wire::Contradiction& contradiction) {
    applied_ = former;
    return Error{ErrorCode::runtime_inconsistency,
                 std::string("it contradicts the state of this server: ") + contradiction.what()};
  }
  drop_plan(transaction);
  const EventSink collect = [&](wire::SessionId session, wire::WatchEvent&& event) {
    applied.events.push_back({session, std::move(event)});
    return true;
  };
  const EventSink& to = sink ? sink : collect;
  applied.lagging = watches_.fire(zxid, std::move(changes), to);
  const std::vector<wire::SessionId> lagging = watches_.tell_turns(tree_, to);
  applied.lagging.insert(applied.lagging.end(), lagging.begin(), lagging.end());
  return applied;
}

void Service::drop_plan(const Transaction& transaction) {
  if (plans_.empty()) return;
  const Plan plan{transaction.session, transaction.owner, transaction.tag, transaction.time};
  ensure(plans_.front().plan == plan, "a leader applies its plans in order");

  planned_.bytes -= plans_.front().growth.bytes;
  planned_.sessions -= plans_.front().growth.sessions;
  plans_.pop_front();
  pending_tree_.applied();
  if (std::holds_alternative<MoveTxn>(transaction.body) ||
      std::holds_alternative<CloseTxn>(transaction.body)) {
    pending_sessions_.applied(transaction.session);
  }
}

Service::Changes Service::carry_out(const OpenTxn& txn, const Transaction& transaction,
                                    Applied& applied) {
  applied.session = {applied.zxid.bits()};
  applied.session_change = Applied::SessionChange::opened;
  sessions_.open(applied.session,
                 {txn.secret_hash, txn.timeout_ms, transaction.owner, txn.results_max});
  return {};
}

Service::Changes Service::carry_out(const MoveTxn& txn, const Transaction& transaction,
                                    Applied& applied) {
  applied.session_change = Applied::SessionChange::moved;
  applied.former_owner = sessions_.move(transaction.session, transaction.owner, txn);
  // The watches belonged to the former connection. The new connection sets its own.
  watches_.remove_session(transaction.session);
  return {};
}

Service::Changes Service::carry_out(const CloseTxn& txn, const Transaction& transaction,
                                    Applied& applied) {
  applied.session_change =
      txn.expired ? Applied::SessionChange::expired : Applied::SessionChange::closed;
  applied.former_owner = sessions_.close(transaction.session);
  watches_.remove_session(transaction.session);

  znode::Changes changes;
  znode::apply(znode::CleanupTxn{transaction.session, txn.ephemerals},
               {applied.zxid, transaction.time}, tree_, changes);
  return std::move(changes).finish(tree_);
}

Service::Changes Service::carry_out(const RefuseTxn& txn, const Transaction&, Applied& applied) {
  applied.refusal = txn.refusal;
  return {};
}

Service::Changes Service::carry_out(const LevelTxn& txn, const Transaction&, Applied&) {
  const wire::Forms forms = wire::forms_at(txn.level);
  if (forms.outcome < wire::forms_at(level_).outcome) sessions_.become_former(forms);
  level_ = planned_level_ = txn.level;
  return {};
}

// Written at the replicated level: the bytes are equal on all servers.
void Service::keep_result(const Transaction& transaction, const Applied& applied) {
  const wire::Forms forms = wire::forms_at(level_);
  wire::Bytes outcome;
  if (applied.refusal) {
    outcome = encode_outcome(*applied.refusal, applied.zxid, forms);
  } else if (keeps_receipt(transaction)) {
    outcome = encode_receipt(applied.zxid);
  } else {
    outcome = encode_outcome(applied.reply, applied.zxid, forms);
  }
  sessions_.keep(transaction.session, *transaction.number, std::move(outcome));
}

// At level 0 without the level, as version 0.1 has it.
std::uint64_t Service::digest() const {
  const std::uint64_t state = znode::hash_of(std::array{tree_.digest(), sessions_.digest()});
  return level_ == wire::Level{} ? state
                                 : znode::hash_of(std::array{state, std::uint64_t{level_.value}});
}

Service::Changes Service::carry_out(const znode::Txn& txn, const Transaction& transaction,
                                    BuildReply build, Applied& applied) {
  const Session* session = sessions_.find(transaction.session);
  const bool keeps_reply = transaction.number && session != nullptr && session->results_max > 0 &&
                           !keeps_receipt(transaction);
  znode::Changes changes;
  applied.reply = znode::apply(txn, {applied.zxid, transaction.time}, tree_, changes,
                               build == BuildReply::yes || keeps_reply);
  return std::move(changes).finish(tree_);
}

wire::Result<Answer> Service::read(const znode::Caller& caller, const wire::RequestId& id,
                                   const wire::Request& request, wire::Encoding encoding) {
  if (!sessions_.find(caller.session) && !is_local(caller.session)) return not_open(caller.session);
  auto reply = std::visit(Reader{caller, id, tree_, watches_, znode::ReplyBudget(reply_bytes_max_)},
                          request);
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

wire::Result<void> Service::reserve_turn(const znode::Caller& caller, const wire::RequestId& id,
                                         std::string_view path, const wire::TurnOptions& options) {
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return {};  // the leader refuses it
  const std::string_view parent = path.substr(0, std::max<std::size_t>(slash, 1));
  if (auto allowed = may_list(parent, caller, tree_); !allowed) return allowed;
  return watches_.reserve(caller.session, id, path, options, caller.identities, tree_);
}

std::vector<wire::WatchEvent> Service::tell_turn(const znode::Caller& caller,
                                                 const wire::RequestId& id,
                                                 wire::Result<wire::ReplyBody>& reply,
                                                 const wire::TurnOptions& options) {
  const bool was_reserved = watches_.release(caller.session, id);
  auto* created = reply ? std::get_if<wire::CreateReply>(&*reply) : nullptr;
  if (created == nullptr) return {};
  if (!sessions_.find(caller.session)) {  // nothing more is told
    created->turn = false;
    return {};
  }
  if (!znode::sibling_of(znode::name_of(created->path))) return {};
  const znode::Node* node = tree_.find(created->path);
  if (node == nullptr || wire::Zxid(node->czxid) != created->stat.czxid) {
    created->turn = false;
    return {{.watch = id,
             .kind = wire::EventKind::deleted,
             .path = created->path,
             .zxid = applied_,
             .data = {},
             .stat = {}}};
  }
  // A create that is repeated may not have asked for a turn before.
  if (!was_reserved) {
    if (!may_list(znode::parent_of(created->path), caller, tree_)) return {};
    if (!watches_.check_turn(caller.session, id, created->path, options, tree_, true)) return {};
  }
  created->turn =
      watches_.ask_turn(caller.session, id, created->path, options, caller.identities, tree_);
  return {};
}

std::vector<wire::SessionId> Service::index_turns(const EventSink& sink) {
  watches_.index_turns(tree_);
  return watches_.tell_turns(tree_, sink);
}

std::vector<wire::SessionId> Service::tick_turns(const EventSink& sink) {
  watches_.tick_turns(tree_);
  return watches_.tell_turns(tree_, sink);
}

void Service::begin_image() {
  const wire::Forms forms = wire::forms_at(level_);
  image_header_ = encode(ImageHeader{applied_, time_, digest(), tree_.size(), level_});
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
