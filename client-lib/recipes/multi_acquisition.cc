#include "client-lib/recipes/multi_acquisition.h"

#include <algorithm>
#include <set>
#include <utility>

#include "client-lib/recipes/outcome.h"
#include "wire/ensure.h"

namespace zabkeeper {

using wire::ErrorCode;

namespace {

constexpr std::size_t multi_locks_min = 2;

void add_pause(MultiActions& actions) {
  const MultiAction pause = Pause{};
  if (std::ranges::find(actions, pause) == actions.end()) actions.push_back(pause);
}

}  // namespace

std::vector<wire::Condition> MultiGrant::guards() const {
  std::vector<wire::Condition> conditions;
  for (const Grant& lock : locks) conditions.push_back(lock.guard());
  return conditions;
}

MultiAcquisition::MultiAcquisition(MultiOptions options) : options_(std::move(options)) {
  const std::set<std::string> paths(options_.paths.begin(), options_.paths.end());
  ensure(multi_locks_min <= paths.size() && paths.size() <= multi_locks_max &&
             paths.size() == options_.paths.size(),
         "an acquisition of several locks has 2 to 100 different paths");
  for (const std::string& path : options_.paths) {
    QueueOptions queue = lock_queue(path, options_.id, options_.names);
    queue.data = options_.data;
    queue.acl = options_.acl;
    parts_.push_back({std::move(queue), {}, {}, {}});
  }
}

// --- What the caller does ---

MultiActions MultiAcquisition::begin() {
  ensure(phase_ == Phase::idle, "an acquisition begins once");
  MultiActions actions;
  create(actions);
  return actions;
}

MultiActions MultiAcquisition::release() {
  MultiActions actions;
  leave({grant() ? Ended::How::released : Ended::How::cancelled}, actions);
  return actions;
}

MultiActions MultiAcquisition::deadline_passed() {
  MultiActions actions;
  if (grant()) {
    actions.emplace_back(Lost{"the session may have expired"});
    leave({Ended::How::lost}, actions);
  }
  return actions;
}

MultiActions MultiAcquisition::session_lost() {
  MultiActions actions;
  if (phase_ == Phase::idle || phase_ == Phase::ended) return actions;
  if (grant()) {
    actions.emplace_back(Lost{"the session has ended"});
    leaving_ = Ended{Ended::How::lost};
  } else if (!leaving_) {
    const wire::Error error{ErrorCode::session_expired, "the session has ended"};
    leaving_ = Ended{Ended::How::failed, error};
  }
  end(actions);
  return actions;
}

MultiActions MultiAcquisition::connection_lost() {
  MultiActions actions;
  has_told_waiting_ = false;
  for_each_part({}, actions, [](Acquisition& one) { return one.connection_lost(); });
  return actions;
}

// A create is not repeated before it is known that it was not carried out.
MultiActions MultiAcquisition::again() {
  MultiActions actions;
  if (outstanding_ == 0 && phase_ == Phase::finding) find(finding_, actions);
  if (outstanding_ == 0 && phase_ == Phase::removing) remove(actions);
  for_each_part({}, actions, [](Acquisition& one) { return one.again(); });
  return actions;
}

std::optional<MultiGrant> MultiAcquisition::grant() const {
  if (phase_ != Phase::holding || leaving_) return std::nullopt;
  MultiGrant all;
  for (const Part& part : parts_) all.locks.push_back(*part.acquisition->grant());
  all.token = all.locks.front().token;
  return all;
}

// --- Messages ---

MultiActions MultiAcquisition::replied(std::uint64_t number, const Result& result,
                                       wire::Zxid zxid) {
  MultiActions actions;
  if (phase_ == Phase::ended || number == 0) return actions;
  if (is_error(result, ErrorCode::session_expired)) return session_lost();
  if (number == outstanding_) {
    outstanding_ = 0;
    on_result(result, actions);
  } else {
    for_each_part(zxid, actions, [&](Acquisition& one) { return one.replied(number, result); });
    hold_if_all_do(zxid, actions);
  }
  return actions;
}

MultiActions MultiAcquisition::received(std::uint64_t number, const wire::WatchEvent& event) {
  MultiActions actions;
  for_each_part(event.zxid, actions, [&](Acquisition& one) { return one.received(number, event); });
  hold_if_all_do(event.zxid, actions);
  return actions;
}

void MultiAcquisition::on_result(const Result& result, MultiActions& actions) {
  switch (phase_) {
    case Phase::creating: return on_created(result, actions);
    case Phase::finding: return on_found(result, actions);
    case Phase::removing: return on_removed(result, actions);
    case Phase::idle:
    case Phase::queueing:
    case Phase::holding:
    case Phase::removing_each:
    case Phase::ended: return;
  }
}

void MultiAcquisition::ask(wire::Request request, MultiActions& actions) {
  outstanding_ = ++last_;
  actions.emplace_back(Ask{last_, std::move(request)});
}

// --- The nodes ---

void MultiAcquisition::create(MultiActions& actions) {
  phase_ = Phase::creating;
  wire::MultiRequest multi;
  for (const Part& part : parts_) {
    wire::CreateRequest node;
    node.path = below(part.queue.path, part.queue.mark + part.queue.kind);
    node.data = part.queue.data;
    node.ephemeral = node.sequential = node.parents = true;
    node.acl = part.queue.acl;
    multi.ops.emplace_back(std::move(node));
  }
  ask(std::move(multi), actions);
}

void MultiAcquisition::on_created(const Result& result, MultiActions& actions) {
  if (is_unknown(result)) return find(0, actions);
  const auto* multi = reply_of<wire::MultiReply>(result);
  const bool is_done = multi != nullptr && !multi->failed && multi->results.size() == parts_.size();
  for (std::size_t i = 0; is_done && i < parts_.size(); ++i) {
    const auto* created = std::get_if<wire::CreateReply>(&*multi->results[i]);
    if (created != nullptr) parts_[i].node = created->path;
  }
  if (is_done) return on_all_found(actions);
  if (!leaving_) leaving_ = Ended{Ended::How::failed, error_of_multi(result)};
  end(actions);
}

// As Acquisition::find. If the multi was carried out, every node existed.
void MultiAcquisition::find(std::size_t part, MultiActions& actions) {
  phase_ = Phase::finding;
  finding_ = part;
  const QueueOptions& queue = parts_[part].queue;
  ask(wire::EphemeralsRequest{below(queue.path, queue.mark)}, actions);
}

void MultiAcquisition::on_found(const Result& result, MultiActions& actions) {
  const auto* found = reply_of<wire::EphemeralsReply>(result);
  if (found == nullptr) {
    if (is_unknown(result)) return find(finding_, actions);
    const wire::Error error = error_of(result);
    if (is_temporary(error.code)) return add_pause(actions);
    leaving_ = Ended{Ended::How::failed, error};
    return end(actions);
  }
  parts_[finding_].node = found->paths.empty() ? "" : found->paths.front();
  if (finding_ + 1 < parts_.size()) return find(finding_ + 1, actions);
  if (std::ranges::any_of(parts_, [](const Part& each) { return !each.node.empty(); })) {
    return on_all_found(actions);
  }
  if (leaving_) return end(actions);
  create(actions);
}

void MultiAcquisition::on_all_found(MultiActions& actions) {
  const Part* missing = nullptr;
  for (Part& part : parts_) {
    if (part.node.empty()) {
      missing = &part;
    } else {
      part.acquisition.emplace(part.queue, part.node);
    }
  }
  phase_ = Phase::queueing;
  if (leaving_) return remove(actions);
  if (missing != nullptr) {
    const std::string why = "the node below " + missing->queue.path + " was deleted";
    return leave({Ended::How::failed, wire::Error{ErrorCode::no_node, why}}, actions);
  }
  for_each_part({}, actions, [](Acquisition& one) { return one.want(); });
}

// --- The queues ---

// While the nodes are deleted, only those act that delete their own.
template <typename Act>
void MultiAcquisition::for_each_part(wire::Zxid zxid, MultiActions& actions, const Act& act) {
  for (Part& part : parts_) {
    if (!part.acquisition || phase_ == Phase::ended) continue;
    if (phase_ == Phase::removing && !part.acquisition->is_leaving()) continue;
    part.acquisition->count_from(last_);
    carry_out(part, act(*part.acquisition), zxid, actions);
  }
}

void MultiAcquisition::carry_out(Part& part, const RecipeActions& done, wire::Zxid zxid,
                                 MultiActions& actions) {
  for (const RecipeAction& action : done) {
    if (const auto* ask = std::get_if<Ask>(&action)) {
      last_ = ask->number;
      actions.emplace_back(*ask);
    }
    if (std::holds_alternative<Pause>(action)) add_pause(actions);
    if (std::holds_alternative<Held>(action)) part.told_at = zxid;
    const auto* lost = std::get_if<Lost>(&action);
    if (lost != nullptr && phase_ == Phase::holding) actions.emplace_back(*lost);
    if (const auto* ended = std::get_if<Ended>(&action)) on_part_ended(part, *ended, actions);
    if (!std::holds_alternative<Waiting>(action) || phase_ != Phase::queueing) continue;
    if (options_.only_now) {
      leave({Ended::How::not_acquired}, actions);
    } else if (!std::exchange(has_told_waiting_, true)) {
      actions.emplace_back(Waiting{});
    }
  }
}

// The others must go too.
void MultiAcquisition::on_part_ended(Part& part, const Ended& ended, MultiActions& actions) {
  part.acquisition.reset();
  if (phase_ == Phase::holding) return leave({Ended::How::lost}, actions);
  if (phase_ == Phase::queueing) {
    const wire::Error deleted{ErrorCode::no_node, part.node + " was deleted"};
    return leave({Ended::How::failed, ended.error.value_or(deleted)}, actions);
  }
  if (ended.how == Ended::How::failed) leaving_ = ended;
  if (phase_ == Phase::removing_each) end_if_all_have(actions);
}

// A node exists at the zxid of the message that told its turn. It exists at every later one too, if
// its deletion would have been told.
void MultiAcquisition::hold_if_all_do(wire::Zxid zxid, MultiActions& actions) {
  const auto is_held = [&](const Part& part) {
    return part.acquisition && part.acquisition->grant() &&
           (part.told_at == zxid || part.acquisition->is_watched());
  };
  if (phase_ != Phase::queueing || !std::ranges::all_of(parts_, is_held)) return;
  phase_ = Phase::holding;
  actions.emplace_back(MultiHeld{*grant()});
}

// --- The end ---

void MultiAcquisition::leave(Ended ended, MultiActions& actions) {
  if (leaving_ || phase_ == Phase::ended) return;
  leaving_ = std::move(ended);
  switch (phase_) {
    case Phase::idle: return end(actions);
    case Phase::queueing:
    case Phase::holding: return remove(actions);
    // The reply, or the lists of nodes, say what there is to delete.
    case Phase::creating:
    case Phase::finding:
    case Phase::removing:
    case Phase::removing_each:
    case Phase::ended: return;
  }
}

// The watches end with the nodes.
void MultiAcquisition::remove(MultiActions& actions) {
  phase_ = Phase::removing;
  wire::MultiRequest multi;
  for (const Part& part : parts_) {
    if (!part.acquisition || part.acquisition->is_leaving()) continue;
    multi.ops.emplace_back(wire::DeleteRequest{part.node});
  }
  if (multi.ops.empty()) return remove_each(actions);
  ask(std::move(multi), actions);
}

// Nodes that are gone already do not matter when each is deleted by itself.
void MultiAcquisition::on_removed(const Result& result, MultiActions& actions) {
  const auto* multi = reply_of<wire::MultiReply>(result);
  if (multi != nullptr && !multi->failed) {
    for (Part& part : parts_) {
      if (part.acquisition && !part.acquisition->is_leaving()) part.acquisition.reset();
    }
  } else if (!is_unknown(result) && is_temporary(error_of_multi(result).code)) {
    return add_pause(actions);
  }
  remove_each(actions);
}

void MultiAcquisition::remove_each(MultiActions& actions) {
  phase_ = Phase::removing_each;
  for_each_part({}, actions, [](Acquisition& one) { return one.release(); });
  end_if_all_have(actions);
}

void MultiAcquisition::end_if_all_have(MultiActions& actions) {
  const auto has_ended = [](const Part& part) { return !part.acquisition; };
  if (phase_ != Phase::ended && std::ranges::all_of(parts_, has_ended)) end(actions);
}

void MultiAcquisition::end(MultiActions& actions) {
  phase_ = Phase::ended;
  outstanding_ = 0;
  actions.emplace_back(*leaving_);
}

}  // namespace zabkeeper
