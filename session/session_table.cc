#include "session/session_table.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <limits>
#include <utility>

#include <openssl/crypto.h>

#include "session/archive_fields.h"
#include "wire/bytes.h"
#include "wire/contradiction.h"
#include "wire/ensure.h"
#include "wire/zxid.h"
#include "znode/hash.h"

template <>
inline constexpr auto wire::archive::fields<session::Session> =
    std::tuple(&session::Session::secret_hash, &session::Session::timeout_ms,
               &session::Session::owner, &session::Session::results_max);
template <>
inline constexpr auto wire::archive::fields<session::Results::Result> =
    std::tuple(&session::Results::Result::number, &session::Results::Result::outcome);

namespace session {

namespace {

// The first byte of a stored session: the version of the format.
constexpr std::uint8_t record_version = 1;

std::uint64_t digest_of(wire::SessionId id, const Session& session) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  for (const std::uint8_t byte : session.secret_hash) out.integer(byte);
  out.integer(session.timeout_ms);
  out.integer(session.owner.server);
  out.integer(session.owner.connection);
  out.integer(session.results_max);
  return znode::hash_of(bytes, id.value);
}

std::uint64_t digest_of(wire::SessionId id, const Results& results) {
  return znode::hash_of(std::array{id.value, results.digest()});
}

wire::Contradiction not_in_table(wire::SessionId id) {
  return wire::Contradiction("session " + wire::to_hex(id.value) + " is not open");
}

}  // namespace

bool equal_secrets(const SecretHash& a, const SecretHash& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

const Session* SessionTable::find(wire::SessionId id) const {
  const auto entry = sessions_.find(id);
  return entry == sessions_.end() ? nullptr : &entry->second;
}

void SessionTable::open(wire::SessionId id, Session session) {
  changing(id);
  const bool is_new = sessions_.try_emplace(id, session).second;
  digest_ += digest_of(id, session);
  if (!is_new) throw wire::Contradiction("session " + wire::to_hex(id.value) + " is open already");
}

Owner SessionTable::move(wire::SessionId id, Owner owner, const MoveTxn& txn) {
  const auto entry = sessions_.find(id);
  if (entry == sessions_.end()) throw not_in_table(id);
  changing(id);
  Session& session = entry->second;
  digest_ -= digest_of(id, session);
  session.timeout_ms = txn.timeout_ms;
  session.results_max = txn.results_max;
  const Owner former = std::exchange(session.owner, owner);
  digest_ += digest_of(id, session);
  return former;
}

Owner SessionTable::close(wire::SessionId id) {
  const auto entry = sessions_.find(id);
  if (entry == sessions_.end()) throw not_in_table(id);
  changing(id);
  const Owner owner = entry->second.owner;
  digest_ -= digest_of(id, entry->second);
  sessions_.erase(entry);
  if (const auto results = results_.extract(id)) {
    digest_ -= digest_of(id, results.mapped());
    results_memory_ -= results.mapped().memory();
  }
  return owner;
}

void SessionTable::keep(wire::SessionId id, std::int64_t number, wire::Bytes outcome) {
  const Session* session = find(id);
  if (!session || session->results_max == 0) return;
  changing(id);
  const auto [entry, is_first] = results_.try_emplace(id);
  Results& results = entry->second;
  if (!is_first) {
    digest_ -= digest_of(id, results);
    results_memory_ -= results.memory();
  }
  results.add(number, std::move(outcome), session->results_max);
  digest_ += digest_of(id, results);
  results_memory_ += results.memory();
}

void SessionTable::become_former(const wire::Forms& forms) {
  for (auto& [id, results] : results_) {
    changing(id);
    digest_ -= digest_of(id, results);
    results_memory_ -= results.memory();
    results.become_former(forms);
    digest_ += digest_of(id, results);
    results_memory_ += results.memory();
  }
}

const Results* SessionTable::results(wire::SessionId id) const {
  const auto entry = results_.find(id);
  return entry == results_.end() ? nullptr : &entry->second;
}

void SessionTable::changing(wire::SessionId id) {
  if (image_sessions_.erase(id) == 1) encoded_early_.push_back(record(id));
  changed_.insert(id);
}

SessionRecord SessionTable::record(wire::SessionId id) const {
  const Session* session = find(id);
  if (!session) return {id, std::nullopt};
  SessionRecord record{id, wire::Bytes()};
  wire::ByteWriter out(*record.bytes);
  out.integer(image_version_);
  wire::archive::write(out, *session);
  const Results* kept = results(id);
  out.integer(static_cast<std::uint32_t>(kept ? kept->size() : 0));
  if (kept) {
    for (const Results::Result& result : kept->all()) wire::archive::write(out, result);
  }
  return record;
}

void SessionTable::begin_image(std::uint8_t version) {
  ensure(image_sessions_.empty() && encoded_early_.empty(), "one image is collected at a time");
  image_version_ = version;
  image_sessions_ = std::exchange(changed_, {});
}

bool SessionTable::collect_image(std::size_t max, std::vector<SessionRecord>& out) {
  std::ranges::move(std::exchange(encoded_early_, {}), std::back_inserter(out));
  for (; max > 0 && !image_sessions_.empty(); --max) {
    out.push_back(record(image_sessions_.extract(image_sessions_.begin()).value()));
  }
  return image_sessions_.empty();
}

wire::Result<void> SessionTable::restore(wire::SessionId id, std::string_view bytes) {
  const std::string name = "stored session " + wire::to_hex(id.value);
  const wire::Error malformed{wire::ErrorCode::marshalling_error, name + " is malformed"};
  wire::ByteReader in(bytes);
  const auto version = in.integer<std::uint8_t>();
  if (!in.failed() && version != record_version) {
    return wire::Error{wire::ErrorCode::unimplemented,
                       name + " has unknown version " + std::to_string(version)};
  }
  const auto session = wire::archive::read<Session>(in);
  const auto kept = wire::archive::read<std::vector<Results::Result>>(in);
  if (!in.complete() || find(id)) return malformed;
  if (std::ranges::adjacent_find(kept, std::greater_equal{}, &Results::Result::number) !=
      kept.end()) {
    return malformed;
  }
  if (!std::ranges::all_of(kept, is_outcome, &Results::Result::outcome)) return malformed;
  open(id, session);
  if (!kept.empty()) {
    Results& results = results_[id];
    constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    for (const Results::Result& result : kept) results.add(result.number, result.outcome, all);
    digest_ += digest_of(id, results);
    results_memory_ += results.memory();
  }
  changed_.erase(id);
  return {};
}

std::optional<Session> PendingSessions::find(wire::SessionId id) const {
  if (const auto entry = pending_.find(id); entry != pending_.end()) return entry->second.session;
  if (const Session* session = table_.find(id)) return *session;
  return std::nullopt;
}

void PendingSessions::move(wire::SessionId id, Owner owner) {
  std::optional<Session> session = find(id);
  ensure(session, "a session that moves is open: " + wire::to_hex(id.value));
  session->owner = owner;

  Pending& pending = pending_[id];
  pending.session = session;
  pending.outstanding += 1;
}

void PendingSessions::close(wire::SessionId id) {
  Pending& pending = pending_[id];
  pending.session.reset();
  pending.outstanding += 1;
}

void PendingSessions::applied(wire::SessionId id) {
  const auto entry = pending_.find(id);
  ensure(entry != pending_.end(), "an applied plan was outstanding: " + wire::to_hex(id.value));
  if (--entry->second.outstanding == 0) pending_.erase(entry);
}

}  // namespace session
