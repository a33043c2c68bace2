#include "client-lib/recipes/presence.h"

#include <cstddef>

#include "client-lib/recipes/outcome.h"
#include "client-lib/recipes/queue.h"
#include "wire/ensure.h"

namespace zabkeeper {
namespace {

constexpr std::uint32_t former_page_max = 100;
// Of one multi. More are taken over by nobody, and go with their sessions.
constexpr std::size_t former_max = 50;

const wire::CreateReply* created_in(const wire::Result<wire::ReplyBody>& result) {
  const auto* multi = reply_of<wire::MultiReply>(result);
  if (multi == nullptr) return reply_of<wire::CreateReply>(result);
  if (multi->failed || multi->results.empty()) return nullptr;
  return std::get_if<wire::CreateReply>(&*multi->results.back());
}

}  // namespace

wire::Bytes bytes_of(const PresenceData& presence) {
  return presence.id + ' ' + presence.owner + '\n' + presence.data;
}

std::optional<PresenceData> presence_in(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos || end <= id_digits) return std::nullopt;
  const std::string_view id = bytes.substr(0, id_digits);
  if (!is_id(id) || bytes[id_digits] != ' ') return std::nullopt;
  const std::string_view owner = bytes.substr(id_digits + 1, end - id_digits - 1);
  return PresenceData{std::string(id), std::string(owner), wire::Bytes(bytes.substr(end + 1))};
}

Presence::Presence(PresenceOptions options) : options_(std::move(options)) {
  ensure(is_id(options_.id), "the id of a presence has 32 lower-case hex digits");
  ensure(!options_.owner.empty() && options_.owner.find('\n') == std::string::npos,
         "the owner of a presence is one line");
}

// --- What the caller does ---

PresenceActions Presence::begin() {
  ensure(phase_ == Phase::idle, "a presence begins once");
  PresenceActions actions;
  look(actions);
  return actions;
}

PresenceActions Presence::update(wire::Bytes data) {
  PresenceActions actions;
  options_.data = std::move(data);
  if (phase_ == Phase::present && setting_ == 0) set(actions);
  return actions;
}

PresenceActions Presence::end() {
  PresenceActions actions;
  if (phase_ == Phase::ended || std::exchange(is_leaving_, true)) return actions;
  if (phase_ == Phase::present) {
    remove(actions);
  } else if (phase_ != Phase::creating && !may_exist_) {
    end({PresenceEnded::How::removed}, actions);
  }
  return actions;
}

PresenceActions Presence::again() {
  PresenceActions actions;
  if (outstanding_ == 0) {
    if (phase_ == Phase::looking) look(actions);
    if (phase_ == Phase::removing) remove(actions);
  }
  if (phase_ == Phase::present && setting_ == 0 && accepted_ != options_.data) set(actions);
  if ((phase_ == Phase::present || phase_ == Phase::waiting) && watch_ == 0) watch(actions);
  return actions;
}

PresenceActions Presence::connection_lost() {
  PresenceActions actions;
  const bool watches = phase_ == Phase::present || phase_ == Phase::waiting;
  if (watches && watching_ == 0) watch(actions);
  return actions;
}

PresenceActions Presence::session_lost() {
  PresenceActions actions;
  if (phase_ != Phase::idle && phase_ != Phase::ended) {
    end({PresenceEnded::How::session_lost}, actions);
  }
  return actions;
}

// --- Messages ---

PresenceActions Presence::replied(std::uint64_t number, const Result& result, wire::Zxid) {
  PresenceActions actions;
  const bool is_known = number == outstanding_ || number == watching_ || number == setting_;
  if (number == 0 || !is_known) return actions;
  if (is_error(result, wire::ErrorCode::session_expired)) return session_lost();
  if (number == watching_) {
    watching_ = 0;
    on_watched(result, actions);
  } else if (number == setting_) {
    setting_ = 0;
    on_set(result, actions);
  } else {
    outstanding_ = 0;
    on_result(result, actions);
  }
  return actions;
}

void Presence::on_result(const Result& result, PresenceActions& actions) {
  switch (phase_) {
    case Phase::looking: return on_looked(result, actions);
    case Phase::creating: return on_created(result, actions);
    case Phase::removing: return on_removed(result, actions);
    case Phase::idle:
    case Phase::waiting:
    case Phase::present:
    case Phase::ended: return;
  }
}

PresenceActions Presence::received(std::uint64_t number, const wire::WatchEvent& event) {
  PresenceActions actions;
  if (number != watch_ || number == 0) return actions;
  watch_ = watching_ = 0;
  if (event.kind == wire::EventKind::deleted) {
    on_gone(actions);
  } else {
    watch(actions);
  }
  return actions;
}

std::uint64_t Presence::ask(wire::Request request, PresenceActions& actions,
                            std::vector<wire::Condition> conditions) {
  actions.emplace_back(Ask{++last_, std::move(request), std::move(conditions)});
  return last_;
}

// --- The search for the node ---

// An earlier answer of this search, or of a create, may have come from a server that was behind.
void Presence::look(PresenceActions& actions) {
  phase_ = Phase::looking;
  former_.clear();
  if (options_.sequential) return list({}, actions);
  wire::GetRequest request{options_.path, {}};
  if (std::exchange(has_looked_, true)) request.read.consistency = wire::Linearizable{};
  outstanding_ = ask(std::move(request), actions);
}

void Presence::list(std::optional<std::string> after, PresenceActions& actions) {
  wire::ChildrenRequest request;
  request.path = options_.path;
  request.with_stat = request.with_data = true;
  request.after = after ? std::move(after) : options_.owner + '-';
  request.before = options_.owner + '.';  // the next character
  request.limit = former_page_max;
  if (std::exchange(has_looked_, true)) request.read.consistency = wire::Linearizable{};
  outstanding_ = ask(std::move(request), actions);
}

void Presence::on_looked(const Result& result, PresenceActions& actions) {
  if (is_unknown(result)) return look(actions);
  if (pause_if_temporary(result, actions)) return;
  if (is_error(result, wire::ErrorCode::no_node)) return on_not_found(actions);
  if (const auto* page = reply_of<wire::ChildrenReply>(result)) return on_listed(*page, actions);
  const auto* got = reply_of<wire::GetReply>(result);
  if (got == nullptr) return fail(error_of(result), actions);
  const auto found = presence_in(got->data);
  if (!found || found->owner != options_.owner) {
    return wait(found ? found->owner : "", got->stat.czxid, actions);
  }
  if (!on_own(*found, options_.path, got->stat.czxid, actions)) on_not_found(actions);
}

void Presence::on_listed(const wire::ChildrenReply& page, PresenceActions& actions) {
  for (const wire::Child& child : page.children) {
    if (!child.data || !child.stat) continue;
    const auto found = presence_in(*child.data);
    if (!found || found->owner != options_.owner) continue;
    if (on_own(*found, below(options_.path, child.name), child.stat->czxid, actions)) return;
  }
  if (page.more && !page.children.empty()) return list(page.children.back().name, actions);
  on_not_found(actions);
}

bool Presence::on_own(const PresenceData& found, const std::string& path, wire::Zxid czxid,
                      PresenceActions& actions) {
  if (found.id == options_.id) {
    accepted_ = found.data;
    become_present(path, czxid, actions);
    return true;
  }
  if (former_.size() < former_max) former_.push_back({path, czxid});
  return false;
}

// There is no node of this Presence.
void Presence::on_not_found(PresenceActions& actions) {
  may_exist_ = false;
  if (is_leaving_) return end({PresenceEnded::How::removed}, actions);
  const bool is_superseded =
      has_been_present_ &&
      std::ranges::any_of(former_, [this](const Former& other) { return other.czxid > czxid_; });
  if (is_superseded) return end({PresenceEnded::How::superseded}, actions);
  create(actions);
}

void Presence::wait(std::string owner, wire::Zxid czxid, PresenceActions& actions) {
  may_exist_ = false;
  if (is_leaving_) return end({PresenceEnded::How::removed}, actions);
  phase_ = Phase::waiting;
  path_ = options_.path;
  czxid_ = czxid;
  actions.emplace_back(Occupied{std::move(owner)});
  watch(actions);
}

// --- The node ---

void Presence::create(PresenceActions& actions) {
  phase_ = Phase::creating;
  wire::CreateRequest request;
  request.path = options_.sequential ? below(options_.path, options_.owner + '-') : options_.path;
  request.data = bytes();
  request.ephemeral = request.parents = true;
  request.sequential = options_.sequential;
  request.acl = options_.acl;
  sent_ = options_.data;
  if (former_.empty()) {
    outstanding_ = ask(std::move(request), actions);
    return;
  }
  wire::MultiRequest multi;
  std::vector<wire::Condition> conditions;
  for (const Former& former : former_) {
    multi.ops.emplace_back(wire::DeleteRequest{former.path});
    conditions.push_back(same_node(former.path, former.czxid));
  }
  multi.ops.emplace_back(std::move(request));
  outstanding_ = ask(std::move(multi), actions, std::move(conditions));
}

void Presence::on_created(const Result& result, PresenceActions& actions) {
  if (const auto* created = created_in(result)) {
    accepted_ = sent_;
    return become_present(created->path, created->stat.czxid, actions);
  }
  if (is_unknown(result)) {
    may_exist_ = true;
    return look(actions);
  }
  if (is_leaving_) return end({PresenceEnded::How::removed}, actions);
  if (pause_if_temporary(result, actions)) {
    phase_ = Phase::looking;
    return;
  }
  const wire::Error error = error_of_multi(result);
  switch (error.code) {
    case wire::ErrorCode::node_exists:
    case wire::ErrorCode::condition_failed:
    case wire::ErrorCode::no_node: return look(actions);
    default: return fail(error, actions);
  }
}

void Presence::become_present(std::string path, wire::Zxid czxid, PresenceActions& actions) {
  may_exist_ = false;
  path_ = std::move(path);
  czxid_ = czxid;
  if (is_leaving_) return remove(actions);
  phase_ = Phase::present;
  has_been_present_ = true;
  actions.emplace_back(Present{path_, czxid_});
  watch(actions);
  if (accepted_ != options_.data) set(actions);
}

wire::Condition Presence::guard() const { return same_node(path_, czxid_); }

wire::Bytes Presence::bytes() const {
  return bytes_of({options_.id, options_.owner, options_.data});
}

// The watch ends with its event. So none is left when the node is deleted.
void Presence::watch(PresenceActions& actions) {
  wire::WatchRequest request;
  request.path = path_;
  request.once = true;
  watch_ = watching_ = ask(std::move(request), actions);
}

void Presence::on_watched(const Result& result, PresenceActions& actions) {
  const auto* watched = reply_of<wire::WatchReply>(result);
  if (watched != nullptr) {
    if (!watched->stat || watched->stat->czxid != czxid_) on_gone(actions);
    return;
  }
  watch_ = 0;
  if (is_unknown(result)) return watch(actions);
  if (pause_if_temporary(result, actions)) return;
  if (phase_ == Phase::waiting) fail(error_of(result), actions);
}

void Presence::on_gone(PresenceActions& actions) {
  if (phase_ != Phase::present && phase_ != Phase::waiting) return;
  if (phase_ == Phase::present) actions.emplace_back(Absent{});
  watch_ = watching_ = setting_ = 0;
  look(actions);
}

void Presence::set(PresenceActions& actions) {
  sent_ = options_.data;
  setting_ = ask(wire::SetRequest{path_, bytes()}, actions, {guard()});
}

void Presence::on_set(const Result& result, PresenceActions& actions) {
  if (phase_ != Phase::present) return;
  if (is_unknown(result)) return set(actions);
  if (pause_if_temporary(result, actions)) return;
  if (is_error(result, wire::ErrorCode::condition_failed) ||
      is_error(result, wire::ErrorCode::no_node)) {
    return on_gone(actions);
  }
  if (reply_of<wire::SetReply>(result) == nullptr) {
    const bool is_last = options_.data == sent_;
    if (is_last) options_.data = accepted_;
    actions.emplace_back(UpdateRefused{error_of(result)});
    if (!is_last) set(actions);
    return;
  }
  accepted_ = sent_;
  if (accepted_ != options_.data) return set(actions);
  actions.emplace_back(Updated{});
}

// --- The end ---

void Presence::remove(PresenceActions& actions) {
  phase_ = Phase::removing;
  watch_ = watching_ = setting_ = 0;
  outstanding_ = ask(wire::DeleteRequest{path_}, actions, {guard()});
}

void Presence::on_removed(const Result& result, PresenceActions& actions) {
  if (is_unknown(result)) return remove(actions);
  if (pause_if_temporary(result, actions)) return;
  const bool is_gone = result || is_error(result, wire::ErrorCode::condition_failed) ||
                       is_error(result, wire::ErrorCode::no_node);
  if (is_gone) return end({PresenceEnded::How::removed}, actions);
  fail(error_of(result), actions);
}

void Presence::fail(wire::Error error, PresenceActions& actions) {
  end({PresenceEnded::How::failed, std::move(error)}, actions);
}

void Presence::end(PresenceEnded ended, PresenceActions& actions) {
  phase_ = Phase::ended;
  outstanding_ = watch_ = watching_ = setting_ = 0;
  actions.emplace_back(std::move(ended));
}

}  // namespace zabkeeper
