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
#include "wire/result.h"
#include "wire/zxid.h"

namespace session {

struct Session {
  SecretHash secret_hash{};
  std::int64_t timeout_ms = 0;
  Owner owner;                    // the only connection that may send requests for it
  std::uint32_t results_max = 0;  // how many results of its writes are kept

  bool operator==(const Session&) const = default;
};

// Local sessions exist only on one server, which has no quorum. No transaction opens a session with
// such an id.
[[nodiscard]] constexpr wire::SessionId local_session(std::uint64_t number) {
  return {wire::Zxid{{wire::Epoch::max}, number & wire::Zxid::counter_max}.bits()};
}
[[nodiscard]] constexpr bool is_local(wire::SessionId id) {
  return wire::Zxid::from_bits(id.value).epoch.value == wire::Epoch::max;
}

// Whether two hashes are equal. Takes constant time, so that the time reveals nothing.
[[nodiscard]] bool equal_secrets(const SecretHash& a, const SecretHash& b);

// One session with its results, as it is stored.
struct SessionRecord {
  wire::SessionId id;
  std::optional<wire::Bytes> bytes;  // none: the session has ended

  bool operator==(const SessionRecord&) const = default;
};

// All open sessions. The table is replicated: equal on all servers after the same transaction.
class SessionTable {
 public:
  // Null if the session is not open.
  [[nodiscard]] const Session* find(wire::SessionId id) const;
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }
  // In the order of their ids.
  [[nodiscard]] const std::map<wire::SessionId, Session>& all() const { return sessions_; }

  // Precondition: the id is new.
  void open(wire::SessionId id, Session session);
  // Precondition for both: the session is open. Both return its former owner.
  Owner move(wire::SessionId id, Owner owner, const MoveTxn& txn);
  Owner close(wire::SessionId id);

  // Keeps the result of a write. No effect if the session is not open, or keeps no results.
  void keep(wire::SessionId id, std::int64_t number, wire::Bytes outcome);
  // Replaces all results by those of an earlier version: see Results::become_former.
  void become_former(const wire::Forms& forms);
  // Null if the session has kept no results.
  [[nodiscard]] const Results* results(wire::SessionId id) const;

  // Equal for equal tables.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  // The memory that a session takes without results, and that all take with theirs, about.
  static constexpr std::size_t session_memory = 512;
  [[nodiscard]] std::size_t memory() const {
    return sessions_.size() * session_memory + results_memory_;
  }

  // Images of the table, for storage. They work like those of nodes: see znode::NodeTracker.
  // `version`: wire::Forms::session.
  void begin_image(std::uint8_t version);
  [[nodiscard]] bool collect_image(std::size_t max, std::vector<SessionRecord>& out);
  // Adds a stored session, which the last image has. Returns Unimplemented if the version of
  // `bytes` is unknown, and MarshallingError if they are invalid.
  [[nodiscard]] wire::Result<void> restore(wire::SessionId id, std::string_view bytes);

  // Compares only the sessions and their results.
  bool operator==(const SessionTable& other) const {
    return sessions_ == other.sessions_ && results_ == other.results_;
  }

 private:
  // To be called before a session changes.
  void changing(wire::SessionId id);
  [[nodiscard]] SessionRecord record(wire::SessionId id) const;

  std::map<wire::SessionId, Session> sessions_;
  std::map<wire::SessionId, Results> results_;
  std::uint64_t digest_ = 0;  // the sum of the digests of all sessions and results
  std::size_t results_memory_ = 0;

  std::set<wire::SessionId> changed_;         // since the last image began
  std::set<wire::SessionId> image_sessions_;  // of the current image, not encoded yet
  std::vector<SessionRecord> encoded_early_;  // of the current image, because they were changing
  std::uint8_t image_version_ = 0;            // of the records of the current image
};

// The session table as it will be once all outstanding plans are applied.
class PendingSessions {
 public:
  // `table` must outlive this object.
  explicit PendingSessions(const SessionTable& table) : table_(table) {}
  PendingSessions(const PendingSessions&) = delete;
  PendingSessions& operator=(const PendingSessions&) = delete;

  // None if the session is not open, or an outstanding plan closes it.
  [[nodiscard]] std::optional<Session> find(wire::SessionId id) const;

  // Adds a plan. Plans are added in the order in which they will be applied. Precondition: `find`
  // returns the session.
  void move(wire::SessionId id, Owner owner);
  void close(wire::SessionId id);

  // To be called after the oldest outstanding plan that moves or closes this session was applied.
  void applied(wire::SessionId id);
  // Drops all outstanding plans.
  void clear() { pending_.clear(); }
  // The number of sessions that outstanding plans move or close.
  [[nodiscard]] std::size_t size() const { return pending_.size(); }

 private:
  struct Pending {
    std::optional<Session> session;  // none: closed
    std::size_t outstanding = 0;
  };

  const SessionTable& table_;
  std::map<wire::SessionId, Pending> pending_;
};

}  // namespace session
