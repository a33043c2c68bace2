#include "tools/history/linearizability.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace history {
namespace {

std::uint64_t mixed(std::uint64_t word) {
  word += 0x9e3779b97f4a7c15U;
  word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9U;
  word = (word ^ (word >> 27U)) * 0x94d049bb133111ebU;
  return word ^ (word >> 31U);
}

}  // namespace

std::uint32_t Texts::number(std::string_view text) {
  if (text.empty()) return 0;
  const auto next = static_cast<std::uint32_t>(numbers_.size() + 1);
  return numbers_.try_emplace(std::string(text), next).first->second;
}

// --- Znodes ---

bool Search::holds(const ZnodeStep& step, Refusal refusal, const Znode& znode) {
  switch (refusal) {
    case Refusal::absent: return !znode.exists();
    case Refusal::present: return znode.exists();
    case Refusal::other_version:
      return znode.exists() && step.version >= 0 && step.version != znode.version;
  }
  return false;
}

// Carries out the step. False if it is impossible, or its reply would be another one.
bool Search::carry_out(const ZnodeStep& step, Znode& znode) {
  using Kind = ZnodeStep::Kind;
  if (step.kind == Kind::create_missing) {
    if (!znode.exists()) znode = {.version = 0};
    return true;
  }
  if (step.kind == Kind::remove_existing) {
    znode = {};
    return true;
  }
  const bool creates = step.kind == Kind::create || (step.kind == Kind::set && step.creates);
  if (!znode.exists()) {
    if (!creates || step.version >= 0) return false;
    znode = {.version = 0, .data = step.data, .may_vanish = step.may_vanish};
  } else {
    if (step.kind == Kind::create) return false;
    if (step.version >= 0 && step.version != znode.version) return false;
    if (step.kind == Kind::get && step.data != znode.data) return false;
    if (step.kind == Kind::set) {
      znode.version += 1;
      znode.data = step.data;
    }
  }
  if (step.reply_version && *step.reply_version != znode.version) return false;
  if (step.kind == Kind::remove) znode = {};
  return true;
}

// The states in which znodes of the call that may vanish exist or have vanished.
std::vector<Search::States::State> Search::States::expanded(const Call& call) const {
  std::vector<State> states;
  for (std::size_t i = 0; i < znodes_.size(); i += width_) {
    const auto first = znodes_.begin() + static_cast<std::ptrdiff_t>(i);
    states.emplace_back(first, first + static_cast<std::ptrdiff_t>(width_));
  }
  for (const ZnodeStep& step : call.steps) {
    for (std::size_t i = states.size(); i-- > 0;) {
      if (!states[i][step.znode].may_vanish) continue;
      states.push_back(states[i]);
      states.back()[step.znode] = {};
    }
  }
  return states;
}

Search::States Search::States::after(const Call& call) const {
  std::vector<State> states;
  for (State& before : expanded(call)) {
    State state = before;
    const ZnodeStep* refused = call.refusal ? &call.steps.back() : nullptr;
    const bool possible = std::ranges::all_of(call.steps, [&](const ZnodeStep& step) {
      Znode& znode = state[step.znode];
      return &step == refused ? holds(step, *call.refusal, znode) : carry_out(step, znode);
    });
    if (possible) states.push_back(std::move(call.undone ? before : state));
  }
  std::ranges::sort(states);
  states.erase(std::ranges::unique(states).begin(), states.end());
  States result(width_);
  result.znodes_.clear();
  for (const State& state : states) {
    result.znodes_.insert(result.znodes_.end(), state.begin(), state.end());
  }
  return result;
}

std::uint64_t Search::States::hash() const {
  std::uint64_t hash = 0;
  for (const Znode& znode : znodes_) {
    hash = mixed(hash ^ static_cast<std::uint64_t>(znode.version));
    hash = mixed(hash ^ (std::uint64_t{znode.data} << 1U | (znode.may_vanish ? 1U : 0U)));
  }
  return hash;
}

// --- The search ---

Search::Verdict Search::run(std::size_t steps_max) {
  sort_events();
  std::size_t at = events_.front().next;
  for (std::size_t steps = 0; remaining_ > 0; ++steps) {
    if (steps == steps_max) return Verdict::inconclusive;
    if (const auto next = candidate(at)) {
      at = try_call(*next) ? events_.front().next : after(*next);
      continue;
    }
    if (stack_.empty()) return Verdict::not_linearizable;
    const std::size_t back = stack_.back().at;
    states_ = std::move(stack_.back().before);
    stack_.pop_back();
    relink(back);
    at = after(back);
  }
  return Verdict::linearizable;
}

// Sorts the events by time. A begin comes before an end at the same time, so the two overlap.
void Search::sort_events() {
  std::vector<std::tuple<std::int64_t, bool, std::size_t>> times;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].end == Call::never) {
      endless_.push_back(i);
      continue;
    }
    times.emplace_back(calls_[i].begin, false, i);
    times.emplace_back(calls_[i].end, true, i);
  }
  std::ranges::sort(times);
  std::ranges::stable_sort(endless_, {}, [&](std::size_t i) { return calls_[i].begin; });
  done_.assign(endless_.size(), false);
  ends_.assign(calls_.size(), 0);
  events_.emplace_back();
  for (const auto& [time, is_end, call] : times) {
    if (is_end) ends_[call] = events_.size();
    events_.push_back({.call = call, .is_end = is_end});
  }
  events_.emplace_back();
  for (std::size_t i = 1; i < events_.size(); ++i) {
    events_[i].previous = i - 1;
    events_[i - 1].next = i;
  }
  remaining_ = fewest_ = times.size() / 2;
  if (remaining_ > 0) stuck_ = events_[first_end()].call;
}

std::size_t Search::first_end() const {
  std::size_t event = events_.front().next;
  while (!events_[event].is_end) event = events_[event].next;
  return event;
}

// The next position, from this one on, of a call that began before the first end among the
// remaining calls. Calls without an end are tried last, because most of them are not needed.
std::optional<std::size_t> Search::candidate(std::size_t at) const {
  if (at < events_.size()) {
    if (!events_[at].is_end) return at;
    at = events_.size();
  }
  const std::int64_t limit = calls_[events_[first_end()].call].end;
  for (std::size_t i = at - events_.size(); i < endless_.size(); ++i) {
    if (calls_[endless_[i]].begin > limit) break;
    if (!done_[i]) return events_.size() + i;
  }
  return std::nullopt;
}

std::size_t Search::call_at(std::size_t at) const {
  return at < events_.size() ? events_[at].call : endless_[at - events_.size()];
}

std::size_t Search::after(std::size_t at) const {
  return at < events_.size() ? events_[at].next : at + 1;
}

// Carries out the call, if it is possible now and leads to a configuration that was not visited
// yet.
bool Search::try_call(std::size_t at) {
  States next = states_.after(calls_[call_at(at)]);
  if (next.empty()) return false;
  unlink(at);
  if (!visited_.insert({done_hash_, next.hash()}).second) {
    relink(at);
    return false;
  }
  stack_.push_back({at, std::exchange(states_, std::move(next))});
  if (remaining_ > 0 && remaining_ < fewest_) {
    fewest_ = remaining_;
    stuck_ = events_[first_end()].call;
  }
  return true;
}

void Search::unlink(std::size_t at) {
  done_hash_ ^= mixed(call_at(at));
  if (at >= events_.size()) {
    done_[at - events_.size()] = true;
    return;
  }
  for (const std::size_t event : {at, ends_[events_[at].call]}) {
    events_[events_[event].previous].next = events_[event].next;
    events_[events_[event].next].previous = events_[event].previous;
  }
  remaining_ -= 1;
}

void Search::relink(std::size_t at) {
  done_hash_ ^= mixed(call_at(at));
  if (at >= events_.size()) {
    done_[at - events_.size()] = false;
    return;
  }
  for (const std::size_t event : {ends_[events_[at].call], at}) {
    events_[events_[event].previous].next = event;
    events_[events_[event].next].previous = event;
  }
  remaining_ += 1;
}

}  // namespace history
