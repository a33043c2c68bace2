#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "server/pipeline/client.h"
#include "server/pipeline/when_applied.h"

namespace server {

// Everything that waits: requests for the outcome under their tag, actions for a zxid to be applied
// here, and reads for a zxid until a tick. Returns the items that are due; performs nothing.
class Pending {
 public:
  // A request that is answered once the outcome under its tag is known.
  struct Request {
    std::uint64_t client = 0;  // Client::number
    wire::RequestId id;
    wire::Encoding encoding = wire::Encoding::text_if_utf8;
    RequestTiming timing;
    std::unique_ptr<wire::TurnOptions> turn = {};  // see QueuedReply
  };

  // A read whose zxid was not applied in time.
  struct LateRead {
    wire::Zxid zxid;
    std::uint64_t tag = 0;
  };

  // The first tag is `last_tag` + 1.
  explicit Pending(std::uint64_t last_tag) : last_tag_(last_tag) {}

  // Returns the request's tag, which no other request gets.
  [[nodiscard]] std::uint64_t add(Request request);
  // A tag that no request gets.
  [[nodiscard]] std::uint64_t next_tag() { return ++last_tag_; }
  // Null, or nothing, if no request waits under `tag`.
  [[nodiscard]] const Request* find(std::uint64_t tag) const;
  // Also removes the read under `tag`.
  std::optional<Request> remove(std::uint64_t tag);

  void add_at(WhenApplied waiting);
  // The client has left: it does not request a session at `zxid` any more.
  void remove_session_request(std::uint64_t client, wire::Zxid zxid) {
    session_requests_.erase({zxid, client});
  }
  // The next action that is due if `applied` is applied; nothing if there is none. The action may
  // wait again.
  std::optional<WhenApplied::Action> pop_due(wire::Zxid applied);

  // The read under `tag` waits for `zxid`, and for `ticks` at most.
  void add_read(std::uint64_t tag, wire::Zxid zxid, std::uint64_t ticks);
  // The tag of the next read that may be performed if `applied` is applied.
  std::optional<std::uint64_t> pop_read(wire::Zxid applied);
  // One heartbeat interval has passed. `pop_late_read` returns the reads that waited too long.
  void tick() { ticks_ += 1; }
  std::optional<LateRead> pop_late_read();

  void clear();

  [[nodiscard]] std::size_t requests() const { return requests_.size(); }
  [[nodiscard]] std::size_t reads() const { return reads_.size(); }
  [[nodiscard]] std::size_t session_requests() const { return session_requests_.size(); }

 private:
  struct Read {
    wire::Zxid zxid;
    std::uint64_t deadline = 0;  // a tick
  };

  // Returns the zxid of the read that it removes; nothing if there is none.
  std::optional<wire::Zxid> remove_read(std::uint64_t tag);

  std::uint64_t last_tag_;
  std::unordered_map<std::uint64_t, Request> requests_;  // by tag
  std::multimap<wire::Zxid, WhenApplied::Action> at_zxid_;
  // Clients by the zxid at which they request their session. Strangers choose that zxid, so a
  // client that leaves must be found fast among many with the same.
  std::set<std::pair<wire::Zxid, std::uint64_t>> session_requests_;
  std::unordered_map<std::uint64_t, Read> reads_;  // by tag
  // The same reads, in the order of their zxids and of their deadlines.
  std::set<std::pair<wire::Zxid, std::uint64_t>> reads_by_zxid_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> reads_by_deadline_;
  std::uint64_t ticks_ = 0;
};

}  // namespace server
