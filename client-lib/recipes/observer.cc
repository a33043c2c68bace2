#include "client-lib/recipes/observer.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "client-lib/recipes/election.h"
#include "client-lib/recipes/outcome.h"
#include "client-lib/recipes/queue.h"

namespace zabkeeper {
namespace {

constexpr std::size_t mark_bytes = 33;  // 32 hex digits and a minus

bool is_decimal(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return '0' <= c && c <= '9'; });
}

wire::Zxid before(wire::Zxid zxid) { return wire::Zxid::from_bits(zxid.bits() - 1); }

// The place of a candidate, modulo 2^32; nothing for other nodes. After 2147483647 the counter
// continues with negative numbers.
std::optional<std::uint32_t> number_of(std::string_view name) {
  if (name.size() < mark_bytes) return std::nullopt;
  name.remove_prefix(mark_bytes);
  if (!name.starts_with(candidate_kind)) return std::nullopt;
  name.remove_prefix(candidate_kind.size());
  const bool is_negative = name.starts_with('-');
  if (is_negative) name.remove_prefix(1);
  if (name.size() != number_digits || !is_decimal(name)) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : name) number = number * 10 + static_cast<std::uint64_t>(c - '0');
  return static_cast<std::uint32_t>(is_negative ? 0 - number : number);
}

}  // namespace

// --- What the caller does ---

ObserverActions Observer::begin() {
  ObserverActions actions;
  watch(actions);
  return actions;
}

ObserverActions Observer::connection_lost() {
  ObserverActions actions;
  if (watching_ == 0 && watch_ != 0) watch(actions);
  return actions;
}

ObserverActions Observer::again() {
  ObserverActions actions;
  if (has_failed_) return actions;
  if (watch_ == 0) return begin();
  if (!is_complete_ && watching_ == 0 && listing_ == 0) list(listed_to_, actions);
  return actions;
}

// --- Messages ---

ObserverActions Observer::replied(std::uint64_t number, const Result& result, wire::Zxid zxid) {
  ObserverActions actions;
  if (has_failed_ || number == 0) return actions;
  if (number == listing_) {
    listing_ = 0;
    on_listed(result, zxid, actions);
  } else if (number == watching_) {
    watching_ = 0;
    if (reply_of<wire::WatchReply>(result) == nullptr) {
      watch_ = 0;
      if (!is_to_repeat(result, actions)) fail(error_of(result), actions);
    } else if (is_complete_) {
      known_ = std::max(known_, zxid);
    } else if (listing_ == 0) {
      list({}, actions);
    }
  }
  return actions;
}

// With `from`, the events after `from` come before the reply. Some of them may have been received
// already.
ObserverActions Observer::received(std::uint64_t number, const wire::WatchEvent& event) {
  ObserverActions actions;
  if (has_failed_ || number != watch_ || number == 0) return actions;
  if (event.kind == wire::EventKind::resync) {
    on_gap(actions);
    return actions;
  }
  const std::string prefix = below(path_, "");
  if (!event.path.starts_with(prefix)) return actions;
  const auto place = number_of(std::string_view(event.path).substr(prefix.size()));
  if (!place) return actions;
  Change change{*place, event.zxid, {}};
  if (event.kind != wire::EventKind::deleted && event.stat && event.data) {
    change.candidate = {event.path, event.stat->czxid, wire::Bytes(*event.data)};
  }
  apply(change);
  if (is_complete_) {
    known_ = std::max(known_, before(event.zxid));
    tell(event.zxid, actions);
  } else {
    changes_.push_back(std::move(change));
  }
  return actions;
}

void Observer::apply(const Change& change) {
  if (change.candidate) {
    candidates_[change.number] = *change.candidate;
  } else {
    candidates_.erase(change.number);
  }
}

// Other events of the last transaction may be missing, so they are asked for again.
void Observer::watch(ObserverActions& actions) {
  wire::WatchRequest request;
  request.path = path_;
  request.scope = wire::WatchScope::subtree;
  request.with_data = true;
  if (is_complete_) request.from = known_;
  listing_ = 0;
  ask(std::move(request), actions);
  watch_ = watching_ = last_;
}

void Observer::on_gap(ObserverActions& actions) {
  if (std::exchange(is_complete_, false)) actions.emplace_back(LeaderGap{});
  list({}, actions);
}

void Observer::list(std::optional<std::string> after, ObserverActions& actions) {
  if (!after) {
    candidates_.clear();
    changes_.clear();
  }
  listed_to_ = after;
  wire::ChildrenRequest request;
  request.path = path_;
  request.with_stat = request.with_data = true;
  request.after = std::move(after);
  ask(std::move(request), actions);
  listing_ = last_;
}

// A page shows its names as of its zxid. All events up to that zxid were received. Later events may
// have been received too, because a reply can wait for earlier replies.
void Observer::on_listed(const Result& result, wire::Zxid zxid, ObserverActions& actions) {
  const auto* page = reply_of<wire::ChildrenReply>(result);
  if (page == nullptr) {
    if (is_error(result, wire::ErrorCode::no_node)) return on_complete(zxid, actions);
    if (is_unknown(result)) return list(listed_to_, actions);
    if (!is_to_repeat(result, actions)) fail(error_of(result), actions);
    return;
  }
  for (const wire::Child& child : page->children) {
    const auto place = number_of(child.name);
    if (!place) continue;
    if (!child.stat || !child.data) {
      return fail({wire::ErrorCode::no_auth, child.name + " cannot be read"}, actions);
    }
    candidates_[*place] = {below(path_, child.name), child.stat->czxid, *child.data};
  }
  for (const Change& change : changes_) {
    if (change.zxid > zxid) apply(change);
  }
  if (page->more && !page->children.empty()) return list(page->children.back().name, actions);
  on_complete(zxid, actions);
}

void Observer::on_complete(wire::Zxid zxid, ObserverActions& actions) {
  is_complete_ = true;
  known_ = zxid;
  if (!changes_.empty()) known_ = std::max(known_, before(changes_.back().zxid));
  has_told_ = false;
  tell(changes_.empty() ? zxid : std::max(zxid, changes_.back().zxid), actions);
  changes_.clear();
}

void Observer::tell(wire::Zxid zxid, ObserverActions& actions) {
  std::optional<Candidate> leader;
  if (!candidates_.empty()) leader = candidates_.begin()->second;
  if (std::exchange(has_told_, true) && leader == told_) return;
  told_ = leader;
  actions.emplace_back(LeaderChanged{std::move(leader), zxid});
}

bool Observer::is_to_repeat(const Result& result, ObserverActions& actions) {
  if (!is_unknown(result)) return pause_if_temporary(result, actions);
  watch(actions);
  return true;
}

void Observer::fail(wire::Error error, ObserverActions& actions) {
  has_failed_ = true;
  actions.emplace_back(ObserverFailed{std::move(error)});
}

void Observer::ask(wire::Request request, ObserverActions& actions) {
  actions.emplace_back(Ask{++last_, std::move(request)});
}

}  // namespace zabkeeper
