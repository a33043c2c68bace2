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

// 128 bits over everything up to and including one transaction: equal zxid and equal hash mean
// equal histories. The hash before the first transaction is all zeros.
struct ChainHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  constexpr auto operator<=>(const ChainHash&) const = default;
};

// Of a payload alone.
struct ContentHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  constexpr auto operator<=>(const ContentHash&) const = default;
};

[[nodiscard]] ContentHash content_hash(std::string_view payload);
// The hash of the history that ends with a payload of this content at `zxid`, given the hash of
// what is before it.
[[nodiscard]] ChainHash chain(ChainHash before, Zxid zxid, ContentHash content);

// Whether `zxid` may come right after `last`: the next counter of its epoch, or the first of a
// later one.
[[nodiscard]] constexpr bool may_follow(Zxid zxid, Zxid last) {
  if (zxid.epoch == last.epoch) return zxid.counter == last.counter + 1;
  return zxid.epoch > last.epoch && zxid.counter == 1;
}

// The end of some history: what one server says to another about its own.
struct Point {
  Zxid zxid;
  ChainHash hash;

  bool operator==(const Point&) const = default;
};

// Bytes whose meaning this room does not know. Shared, because one transaction goes to every
// learner and to the log.
using Payload = std::shared_ptr<const wire::Bytes>;

struct Txn {
  Zxid zxid;
  ChainHash hash;       // of the history up to and including this one
  ContentHash content;  // taken once, and checked wherever the payload is read again
  Payload payload;

  // The one that comes after `before`.
  [[nodiscard]] static Txn after(Point before, Zxid zxid, Payload payload);
  [[nodiscard]] static Txn after(Point before, Zxid zxid, ContentHash content, Payload payload);

  [[nodiscard]] Point point() const { return {zxid, hash}; }
};

// The transactions that one server has, in zxid order, from some base on. Committed and outstanding
// ones alike: how far it is committed is not the history's to know.
// Invariants: zxids rise; within an epoch counters have no gap; an epoch starts with counter 1;
// every hash chains on the one before it.
class History {
 public:
  using const_iterator = std::deque<Txn>::const_iterator;

  History() = default;
  // A history that begins after `base`, because what came before is in a checkpoint.
  explicit History(Point base) : base_(base) {}

  [[nodiscard]] Point base() const { return base_; }
  [[nodiscard]] Point last() const { return txns_.empty() ? base_ : txns_.back().point(); }
  [[nodiscard]] std::size_t size() const { return txns_.size(); }

  // The last transaction that is not after `zxid`; `base()` if every one is.
  [[nodiscard]] Point last_at_or_before(Zxid zxid) const;
  // Whether this history goes through `point`: has that zxid with that hash.
  [[nodiscard]] bool contains(Point point) const;
  [[nodiscard]] bool contains(Zxid zxid) const;
  // Where this history and one that goes through `point` may have parted, at the latest: `point`
  // itself if it is on this history, else the last transaction before it. `point` is after the
  // base, or the base itself.
  [[nodiscard]] Point common_candidate(Point point) const;

  // The transactions after `zxid`.
  [[nodiscard]] const_iterator after(Zxid zxid) const;
  [[nodiscard]] const_iterator end() const { return txns_.end(); }

  [[nodiscard]] bool may_append(Zxid zxid) const { return may_follow(zxid, last().zxid); }

  // Adds the next transaction and returns it. `may_append(zxid)` must hold; `content` is the
  // payload's.
  const Txn& append(Zxid zxid, Payload payload);
  const Txn& append(Zxid zxid, ContentHash content, Payload payload);
  // Forgets everything after `zxid`.
  void truncate_after(Zxid zxid);
  // Forgets the oldest transactions that are at or before `zxid`, as long as the payloads are more
  // than `bytes`.
  void trim(Zxid zxid, std::uint64_t bytes);
  // Of all payloads.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  Point base_;
  std::deque<Txn> txns_;
  std::uint64_t bytes_ = 0;
};

}  // namespace zab
