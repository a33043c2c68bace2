#include "session/session_table.h"

#include <utility>

#include "wire/ensure.h"
#include "wire/zxid.h"

namespace session {

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
  ensure(is_new, "a session's id is used once: " + wire::to_hex(id.value));
}

Owner SessionTable::move(wire::SessionId id, Owner owner, std::int64_t timeout_ms) {
  const auto entry = sessions_.find(id);
  ensure(entry != sessions_.end(), "a session that moves is open: " + wire::to_hex(id.value));
  entry->second.timeout_ms = timeout_ms;
  return std::exchange(entry->second.owner, owner);
}

Owner SessionTable::close(wire::SessionId id) {
  const auto entry = sessions_.find(id);
  ensure(entry != sessions_.end(), "a session that ends is open: " + wire::to_hex(id.value));
  const Owner owner = entry->second.owner;
  sessions_.erase(entry);
  return owner;
}

std::optional<Session> PendingSessions::find(wire::SessionId id) const {
  if (const auto entry = pending_.find(id); entry != pending_.end()) return entry->second.session;
  if (const Session* session = table_.find(id)) return *session;
  return std::nullopt;
}

void PendingSessions::move(wire::SessionId id, Owner owner, std::int64_t timeout_ms) {
  std::optional<Session> session = find(id);
  ensure(session, "a session that is to move is open: " + wire::to_hex(id.value));
  session->owner = owner;
  session->timeout_ms = timeout_ms;

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
