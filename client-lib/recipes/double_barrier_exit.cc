#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include "client-lib/recipes/double_barrier.h"
#include "client-lib/recipes/outcome.h"
#include "client-lib/recipes/queue.h"

// The gate and the exit of a double barrier.
namespace zabkeeper {

using wire::ErrorCode;

namespace {

constexpr std::string_view exit_kind = "exit-";
// All names of exits are between these, and no other names.
constexpr std::string_view before_exits = "exit-";
constexpr std::string_view after_exits = "exit.";

std::string numbered(std::string_view kind, std::uint32_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kind) + std::string(number_digits - digits.size(), '0') + digits;
}

}  // namespace

std::uint32_t Participant::number_of(std::string_view name) {
  std::uint32_t number = 0;
  name.remove_prefix(name.size() - std::min(name.size(), number_digits));
  static_cast<void>(std::from_chars(name.data(), name.data() + name.size(), number));
  return number;
}

std::string Participant::gate_path(std::uint32_t number) const {
  return below(options_.path, numbered(gate_kind, number));
}

std::string Participant::exit_path(std::uint32_t number) const {
  return below(options_.path, numbered(exit_kind, number));
}

// --- Steps ---

void Participant::ask_for_step(Step step, wire::Request request, Actions& actions) {
  step_ = step;
  exit_watch_ = 0;
  step_asked_ = step_outstanding_ = ++last_;
  actions.emplace_back(Ask{last_, std::move(request)});
}

void Participant::end_step() {
  step_ = Step::none;
  step_outstanding_ = exit_watch_ = 0;
}

void Participant::on_exit_result(const Result& result, Actions& actions) {
  switch (step_) {
    case Step::seeking: return on_exit_found(result, actions);
    case Step::asking: return on_exit_turn(result, actions);
    case Step::listing: return on_listed(result, actions);
    case Step::opening: return on_opened(result, actions);
    case Step::none:
    case Step::waiting: return;
  }
}

// A multi is not repeated before it is known that it was not carried out.
void Participant::repeat_step(Actions& actions) {
  switch (step_) {
    case Step::seeking:
    case Step::opening: return seek_exit(actions);
    case Step::asking: return ask_exit(actions);
    case Step::listing: return list_entries(actions);
    case Step::none:
    case Step::waiting: return;
  }
}

bool Participant::is_step_to_repeat(const Result& result, Actions& actions) {
  if (is_unknown(result)) {
    repeat_step(actions);
    return true;
  }
  if (!is_temporary(error_of_multi(result).code)) return false;
  actions.emplace_back(Pause{});
  return true;
}

// --- The exit ---

void Participant::seek_exit(Actions& actions) {
  exit_.reset();
  wire::ChildrenRequest request;
  request.path = options_.path;
  request.after = before_exits;
  request.before = after_exits;
  request.limit = 1;
  ask_for_step(Step::seeking, std::move(request), actions);
}

void Participant::on_exit_found(const Result& result, Actions& actions) {
  const auto* found = reply_of<wire::ChildrenReply>(result);
  if (found == nullptr) {
    if (!is_step_to_repeat(result, actions)) fail(error_of(result), actions);
    return;
  }
  if (found->children.empty()) {
    return fail({ErrorCode::bad_arguments, options_.path + " is no double barrier: it has no exit"},
                actions);
  }
  const std::uint32_t number = number_of(found->children.front().name);
  // Then the generation of the entry is open. The answer about the entry's turn says so.
  if (is_waiting() && number > number_) return end_step();
  if (phase_ == Phase::confirming && number <= number_) {
    return fail({ErrorCode::bad_arguments, options_.path + " is no double barrier: it has no gate"},
                actions);
  }
  if (phase_ == Phase::confirming) enter(actions);
  exit_ = Exit{number};
  ask_exit(actions);
}

void Participant::ask_exit(Actions& actions) {
  wire::WatchRequest request;
  request.path = exit_path(exit_->number);
  request.scope = wire::WatchScope::turn;
  request.turn.among = {std::string(entry_kind)};
  ask_for_step(Step::asking, std::move(request), actions);
}

void Participant::on_exit_turn(const Result& result, Actions& actions) {
  const auto* watch = reply_of<wire::WatchReply>(result);
  if (watch == nullptr || !watch->stat || !watch->turn) {
    if (is_step_to_repeat(result, actions)) return;
    if (is_error(result, ErrorCode::no_node)) return on_exit_gone(actions);
    return fail(error_of(result), actions);
  }
  step_ = Step::waiting;
  exit_->is_known = true;
  exit_->czxid = watch->stat->czxid;
  exit_watch_ = step_asked_;
  if (*watch->turn) on_exit_left(actions);
  if (phase_ == Phase::inside && is_to_leave_) remove(actions);
}

// An exit is only replaced after its turn. But a guessed one may never have existed.
void Participant::on_exit_gone(Actions& actions) {
  if (is_waiting() || !exit_->is_known) return seek_exit(actions);
  on_exit_left(actions);
}

void Participant::on_exit_left(Actions& actions) {
  end_step();
  exit_->is_left = true;
  if (is_waiting()) return list_entries(actions);
  if (phase_ == Phase::removing || phase_ == Phase::leaving) finish(actions);
}

// --- The next generation ---

// The exit has a number of its own, so the list has one more node.
void Participant::list_entries(Actions& actions) {
  wire::ChildrenRequest request;
  request.path = options_.path;
  request.order = wire::ChildOrder::sequence;
  request.after = numbered(gate_kind, exit_->number - 1);
  request.limit = static_cast<std::uint32_t>(options_.participants) + 1;
  ask_for_step(Step::listing, std::move(request), actions);
}

// If there are fewer, a later participant opens the gate.
void Participant::on_listed(const Result& result, Actions& actions) {
  const auto* list = reply_of<wire::ChildrenReply>(result);
  if (list == nullptr) {
    if (!is_step_to_repeat(result, actions)) fail(error_of(result), actions);
    return;
  }
  std::vector<std::string> entries;
  for (const wire::Child& child : list->children) {
    if (child.name.starts_with(exit_kind)) continue;
    if (entries.size() < options_.participants) entries.push_back(child.name);
  }
  if (entries.size() < options_.participants) return end_step();
  open(entries, actions);
}

void Participant::open(const std::vector<std::string>& entries, Actions& actions) {
  const std::uint32_t last = number_of(entries.back());
  wire::MultiRequest multi;
  for (const std::string& entry : entries) {
    multi.ops.emplace_back(wire::CheckRequest{below(options_.path, entry)});
  }
  multi.ops.emplace_back(wire::DeleteRequest{gate_path(exit_->number - 1)});
  multi.ops.emplace_back(wire::DeleteRequest{exit_path(exit_->number)});
  multi.ops.emplace_back(plain(gate_path(last)));
  multi.ops.emplace_back(plain(exit_path(last + 1)));
  ask_for_step(Step::opening, std::move(multi), actions);
}

// The event of the own entry comes before the reply, if it is in this generation. If it is not, or
// another participant was faster, the next generation may be complete already.
void Participant::on_opened(const Result& result, Actions& actions) {
  const auto* multi = reply_of<wire::MultiReply>(result);
  if (multi != nullptr && !multi->failed) return seek_exit(actions);
  if (is_step_to_repeat(result, actions)) return;
  const wire::Error error = error_of_multi(result);
  if (error.code != ErrorCode::no_node) return fail(error, actions);
  if (multi != nullptr && multi->failed && *multi->failed < options_.participants) {
    return list_entries(actions);
  }
  seek_exit(actions);
}

}  // namespace zabkeeper
