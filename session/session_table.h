#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "session/commands.h"
#include "session/results.h"
#include "session/transaction.h"
#include "wire/records.h"
#include "wire/zxid.h"

namespace session {

struct Session {
  SecretHash secret_hash{};
  std::int64_t timeout_ms = 0;
  Owner owner;                    // the connection whose requests are taken
  std::uint32_t results_max = 0;  // outcomes of its writes that are kept

  bool operator==(const Session&) const = default;
};

// The sessions of a server without a quorum are its own: no transaction opens one of these ids.
[[nodiscard]] constexpr wire::SessionId local_session(std::uint64_t number) {
  return {wire::Zxid{{wire::Epoch::max}, number & wire::Zxid::counter_max}.bits()};
}
[[nodiscard]] constexpr bool is_local(wire::SessionId id) {
  return wire::Zxid::from_bits(id.value).epoch.value == wire::Epoch::max;
}

// In time that does not depend on where the two differ.
[[nodiscard]] bool equal_secrets(const SecretHash& a, const SecretHash& b);

// One session with its results as it is stored; nothing where it has ended.
struct SessionRecord {
  wire::SessionId id;
  std::optional<wire::Bytes> bytes;

  bool operator==(const SessionRecord&) const = default;
};

// All sessions that are open. A replicated table: the same on every server after the same
// transaction.
class SessionTable {
 public:
  // Null where there is none.
  [[nodiscard]] const Session* find(wire::SessionId id) const;
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }
  // In the order of their ids.
  [[nodiscard]] const std::map<wire::SessionId, Session>& all() const { return sessions_; }

  // The id is new.
  void open(wire::SessionId id, Session session);
  // These two: the session is open. `move` returns its former owner, `close` its last.
  Owner move(wire::SessionId id, Owner owner, const MoveTxn& txn);
  Owner close(wire::SessionId id);

  // What a write came to. Nothing where the session is not open any more, or keeps none.
  void keep(wire::SessionId id, std::int64_t number, wire::Bytes outcome);
  // Null where nothing was kept.
  [[nodiscard]] const Results* results(wire::SessionId id) const;

  // Equal for equal tables.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

  // Images, to be stored, of what has changed since the one before: as znode::NodeTracker has it
  // of nodes, and in the same words.
  void begin_image();
  [[nodiscard]] bool collect_image(std::size_t max, std::vector<SessionRecord>& out);
  // Puts a stored session back, which is in the last image: false if it cannot be one.
  [[nodiscard]] bool restore(wire::SessionId id, std::string_view bytes);

  // What may be known of the two alike.
  bool operator==(const SessionTable& other) const {
    return sessions_ == other.sessions_ && results_ == other.results_;
  }

 private:
  void changing(wire::SessionId id);
  [[nodiscard]] SessionRecord record(wire::SessionId id) const;

  std::map<wire::SessionId, Session> sessions_;
  std::map<wire::SessionId, Results> results_;
  std::uint64_t digest_ = 0;  // the sum of those of the sessions and of their results

  std::set<wire::SessionId> changed_;   // since the last image was begun
  std::set<wire::SessionId> taken_;     // of the image that is being taken: not written down yet
  std::vector<SessionRecord> written_;  // those that changed before their turn came
};

// The session table as it will be once every outstanding plan is applied.
class PendingSessions {
 public:
  // `table` must outlive it.
  explicit PendingSessions(const SessionTable& table) : table_(table) {}
  PendingSessions(const PendingSessions&) = delete;
  PendingSessions& operator=(const PendingSessions&) = delete;

  // Nothing where the session is not open, or is about to be closed.
  [[nodiscard]] std::optional<Session> find(wire::SessionId id) const;

  // Plans, in the order in which they will be applied. The session is one that `find` knows.
  void move(wire::SessionId id, Owner owner);
  void close(wire::SessionId id);

  // The oldest outstanding plan to move or close this session is now in the table.
  void applied(wire::SessionId id);
  // No outstanding plan will be applied.
  void clear() { pending_.clear(); }
  // Sessions that the outstanding plans move or close.
  [[nodiscard]] std::size_t size() const { return pending_.size(); }

 private:
  struct Pending {
    std::optional<Session> session;  // nothing: closed
    std::size_t outstanding = 0;
  };

  const SessionTable& table_;
  std::map<wire::SessionId, Pending> pending_;
};

}  // namespace session
