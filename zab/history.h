#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wire/bytes.h"
#include "wire/zxid.h"

namespace zab {

using wire::Epoch;
using wire::Zxid;

// A 128-bit hash of the whole history up to and including one transaction: equal zxid and equal
// hash mean equal histories. The hash before the first transaction is all zeros.
struct ChainHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  constexpr auto operator<=>(const ChainHash&) const = default;
};

// A 128-bit hash of one payload.
struct ContentHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  constexpr auto operator<=>(const ContentHash&) const = default;
};

[[nodiscard]] ContentHash content_hash(std::string_view payload);
// The hash of a history whose last transaction has this zxid and content, given the hash `before`
// it.
[[nodiscard]] ChainHash chain(ChainHash before, Zxid zxid, ContentHash content);

// Whether `zxid` may come directly after `last`: the next counter of the same epoch, or counter 1
// of a later epoch.
[[nodiscard]] constexpr bool may_follow(Zxid zxid, Zxid last) {
  if (zxid.epoch == last.epoch) return zxid.counter == last.counter + 1;
  return zxid.epoch > last.epoch && zxid.counter == 1;
}

// A place in a history. Servers compare their histories by exchanging points.
struct Point {
  Zxid zxid;
  ChainHash hash;

  bool operator==(const Point&) const = default;
};

// Bytes whose meaning this room does not know. Shared, because one payload is sent to every learner
// and to the log.
using Payload = std::shared_ptr<const wire::Bytes>;

struct Txn {
  Zxid zxid;
  ChainHash hash;       // of the history up to and including this one
  ContentHash content;  // computed once; checked wherever the payload is read again
  Payload payload;

  // The transaction that follows `before`. `content` is the content hash of `payload`.
  [[nodiscard]] static Txn after(Point before, Zxid zxid, Payload payload);
  [[nodiscard]] static Txn after(Point before, Zxid zxid, ContentHash content, Payload payload);

  [[nodiscard]] Point point() const { return {zxid, hash}; }
};

// The transactions that one server holds after some base point, in zxid order. They may be
// committed or outstanding: a history does not know how far it is committed. Invariants: zxids
// rise; within an epoch counters have no gap; an epoch starts with counter 1; every hash includes
// the hash before it.
class History {
 public:
  using const_iterator = std::deque<Txn>::const_iterator;

  History() = default;
  // A history that begins after `base`, because a checkpoint holds the part up to `base`.
  explicit History(Point base) : base_(base) {}

  [[nodiscard]] Point base() const { return base_; }
  [[nodiscard]] Point last() const { return txns_.empty() ? base_ : txns_.back().point(); }
  [[nodiscard]] std::size_t size() const { return txns_.size(); }

  // The last point that is not after `zxid`; `base()` if all transactions are after it.
  [[nodiscard]] Point last_at_or_before(Zxid zxid) const;
  // Whether this history contains `point`: that zxid with that hash.
  [[nodiscard]] bool contains(Point point) const;
  [[nodiscard]] bool contains(Zxid zxid) const;
  // The last point that this history and another history with `point` may have in common: `point`
  // itself if this history contains it, else the last transaction before it. Precondition: `point`
  // is the base, or after the base.
  [[nodiscard]] Point common_candidate(Point point) const;

  // The first transaction after `zxid`, or `end()`.
  [[nodiscard]] const_iterator after(Zxid zxid) const;
  [[nodiscard]] const_iterator end() const { return txns_.end(); }

  [[nodiscard]] bool may_append(Zxid zxid) const { return may_follow(zxid, last().zxid); }

  // Adds the next transaction and returns it. Precondition: `may_append(zxid)`. `content` is the
  // content hash of `payload`.
  const Txn& append(Zxid zxid, Payload payload);
  const Txn& append(Zxid zxid, ContentHash content, Payload payload);
  // Drops all transactions after `zxid`.
  void truncate_after(Zxid zxid);
  // Drops the oldest transactions, while the payloads are larger than `bytes` in total. Drops none
  // after `zxid`.
  void trim(Zxid zxid, std::uint64_t bytes);
  // The size of all payloads.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  Point base_;
  std::deque<Txn> txns_;
  std::uint64_t bytes_ = 0;
};

}  // namespace zab
