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
