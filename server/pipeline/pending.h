#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
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
  // Null, or nothing, if no request waits under `tag`.
  [[nodiscard]] const Request* find(std::uint64_t tag) const;
  std::optional<Request> remove(std::uint64_t tag);

  void add_at(WhenApplied waiting) { at_zxid_.emplace(waiting.zxid, std::move(waiting.action)); }
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

 private:
  using Read = std::pair<wire::Zxid, std::uint64_t>;  // the tag is the second

  std::uint64_t last_tag_;
  std::unordered_map<std::uint64_t, Request> requests_;  // by tag
  std::multimap<wire::Zxid, WhenApplied::Action> at_zxid_;
  std::set<Read> reads_;
  std::multimap<std::uint64_t, Read> read_deadlines_;  // by tick; also of reads that left `reads_`
  std::uint64_t ticks_ = 0;
};

}  // namespace server
