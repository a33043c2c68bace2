#include "session/session_table.h"

#include <array>
#include <utility>

#include "wire/bytes.h"
#include "wire/ensure.h"
#include "wire/zxid.h"
#include "znode/hash.h"

namespace session {

namespace {

std::uint64_t digest_of(wire::SessionId id, const Session& session) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  for (const std::uint8_t octet : session.secret_hash) out.integer(octet);
  out.integer(session.timeout_ms);
  out.integer(session.owner.server);
  out.integer(session.owner.connection);
  out.integer(session.results_max);
  return znode::hash_of(bytes, id.value);
}

std::uint64_t digest_of(wire::SessionId id, const Results& results) {
  return znode::hash_of(std::array{id.value, results.digest()});
}

}  // namespace

bool equal_secrets(const SecretHash& a, const SecretHash& b) {
  unsigned differing = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differing |= static_cast<unsigned>(a[i] ^ b[i]);
  return differing == 0;
}

const Session* SessionTable::find(wire::SessionId id) const {
  const auto entry = sessions_.find(id);
  return entry == sessions_.end() ? nullptr : &entry->second;
}

void SessionTable::open(wire::SessionId id, Session session) {
  const bool is_new = sessions_.try_emplace(id, session).second;
  digest_ += digest_of(id, session);
  ensure(is_new, "a session's id is used once: " + wire::to_hex(id.value));
}

Owner SessionTable::move(wire::SessionId id, Owner owner, const MoveTxn& txn) {
  const auto entry = sessions_.find(id);
  ensure(entry != sessions_.end(), "a session that moves is open: " + wire::to_hex(id.value));
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
  ensure(entry != sessions_.end(), "a session that ends is open: " + wire::to_hex(id.value));
  const Owner owner = entry->second.owner;
  digest_ -= digest_of(id, entry->second);
  sessions_.erase(entry);
  if (const auto results = results_.extract(id)) digest_ -= digest_of(id, results.mapped());
  return owner;
}

void SessionTable::keep(wire::SessionId id, std::int64_t number, wire::Bytes outcome) {
  const Session* session = find(id);
  if (!session || session->results_max == 0) return;
  const auto [entry, is_first] = results_.try_emplace(id);
  Results& results = entry->second;
  if (!is_first) digest_ -= digest_of(id, results);
  results.add(number, std::move(outcome), session->results_max);
  digest_ += digest_of(id, results);
}

const Results* SessionTable::results(wire::SessionId id) const {
  const auto entry = results_.find(id);
  return entry == results_.end() ? nullptr : &entry->second;
}

std::optional<Session> PendingSessions::find(wire::SessionId id) const {
  if (const auto entry = pending_.find(id); entry != pending_.end()) return entry->second.session;
  if (const Session* session = table_.find(id)) return *session;
  return std::nullopt;
}

void PendingSessions::move(wire::SessionId id, Owner owner) {
  std::optional<Session> session = find(id);
  ensure(session, "a session that is to move is open: " + wire::to_hex(id.value));
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
  ensure(entry != pending_.end(), "what is applied was planned: " + wire::to_hex(id.value));
  if (--entry->second.outstanding == 0) pending_.erase(entry);
}

}  // namespace session
