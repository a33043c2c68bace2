#include "zab/history.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/zab/histories.h"
#include "zab/messages.h"

namespace {

using zab::ChainHash;
using zab::History;
using zab::Point;
using zab::Zxid;

}  // namespace

TEST_CASE("zxids are ordered by epoch, then counter, and share 64 bits") {
  CHECK(at(1, 9) < at(2, 1));
  CHECK(at(2, 1) < at(2, 2));
  CHECK(at(3, 17).bits() == (std::uint64_t{3} << 40 | 17));
  CHECK(Zxid::from_bits(at(3, 17).bits()) == at(3, 17));
  CHECK(Zxid::from_bits(at(wire::Epoch::max, Zxid::counter_max).bits()) ==
        at(wire::Epoch::max, Zxid::counter_max));
}

TEST_CASE("a zxid is followed by the next of its epoch, or by the first of a later one") {
  struct Row {
    const char* what;
    Zxid next, last;
    bool may;
  };
  for (const Row& row : {
           Row{"the next of the same epoch", at(1, 3), at(1, 2), true},
           Row{"a gap", at(1, 4), at(1, 2), false},
           Row{"the same again", at(1, 2), at(1, 2), false},
           Row{"the first of the next epoch", at(2, 1), at(1, 2), true},
           Row{"the first of a later epoch: the epochs between had none", at(5, 1), at(1, 2), true},
           Row{"the second of a later epoch", at(2, 2), at(1, 1), false},
           Row{"an earlier epoch", at(1, 3), at(2, 2), false},
           Row{"the very first", at(1, 1), at(0, 0), true},
       }) {
    CAPTURE(row.what);
    CHECK(zab::may_follow(row.next, row.last) == row.may);
  }
}

TEST_CASE("a history finds a point only if zxid and hash match") {
  const History full = history({at(1, 1), at(1, 2), at(3, 1)});
  CHECK(full.last_at_or_before(at(0, 9)) == Point{});
  CHECK(full.last_at_or_before(at(1, 2)).zxid == at(1, 2));
  CHECK(full.last_at_or_before(at(2, 7)).zxid == at(1, 2));
  CHECK(full.last_at_or_before(at(9, 9)) == full.last());

  CHECK(full.contains(full.last()));
  CHECK(full.contains(Point{}));
  CHECK(full.contains(at(1, 2)));
  CHECK_FALSE(full.contains(at(2, 1)));
  CHECK_FALSE(full.contains(Point{at(1, 2), ChainHash{1, 2}}));
  CHECK(full.after(at(1, 1))->zxid == at(1, 2));
  CHECK(full.after(at(3, 1)) == full.end());
}

TEST_CASE("the hash of a point covers the whole history up to it") {
  CHECK(history({at(1, 1)}).last() == history({at(1, 1)}).last());
  CHECK(history({at(1, 1)}, "x").last() != history({at(1, 1)}, "y").last());
  CHECK(history({at(1, 1), at(2, 1)}).last() != history({at(2, 1)}).last());
  CHECK(history({at(1, 1)}).last().hash != history({at(2, 1)}).last().hash);
}

TEST_CASE("after a truncation other transactions can be appended") {
  History cut = history({at(1, 1), at(1, 2), at(1, 3)});
  const Point second = cut.last_at_or_before(at(1, 2));
  cut.truncate_after(at(1, 2));
  CHECK(cut.last() == second);
  cut.truncate_after(at(1, 2));
  CHECK(cut.size() == 2);
  cut.append(at(2, 1), payload("y"));
  CHECK(cut.last().zxid == at(2, 1));
  cut.truncate_after(at(0, 0));
  CHECK(cut.last() == Point{});
}

TEST_CASE("a history may begin after a checkpoint") {
  const Point base{at(2, 5), ChainHash{7, 7}};
  History tail(base);
  CHECK(tail.last() == base);
  CHECK(tail.contains(base));
  CHECK_FALSE(tail.contains(at(2, 4)));
  CHECK(tail.may_append(at(2, 6)));
  tail.append(at(2, 6), payload("x"));
  CHECK(tail.last().hash == zab::chain(base.hash, at(2, 6), zab::content_hash("x")));
}

TEST_CASE("common_candidate finds the last point that two histories may share") {
  const History ours = history({at(1, 1), at(1, 2), at(3, 1)});
  struct Row {
    const char* theirs;
    Point last;
    Zxid candidate;
  };
  for (const Row& row : {
           Row{"ends with a transaction of ours", ours.last_at_or_before(at(1, 2)), at(1, 2)},
           Row{"ends between two of ours", {at(2, 4), {1, 1}}, at(1, 2)},
           Row{"continues after ours", {at(3, 9), {1, 1}}, at(3, 1)},
           Row{"has our zxid with another hash", {at(1, 2), {1, 1}}, at(1, 1)},
           Row{"has our first zxid with another hash", {at(1, 1), {1, 1}}, at(0, 0)},
           Row{"is empty", {}, at(0, 0)},
       }) {
    CAPTURE(row.theirs);
    const Point candidate = ours.common_candidate(row.last);
    CHECK(candidate.zxid == row.candidate);
    CHECK(ours.contains(candidate));
  }
}

TEST_CASE("the oldest delivered transactions are dropped while payloads exceed the limit") {
  struct Row {
    const char* what;
    Zxid delivered;
    std::uint64_t bytes;
    Zxid base;
    std::size_t left;
  };
  for (const Row& row : {
           Row{"all fits", at(3, 1), 6, at(0, 0), 3},
           Row{"one must be dropped", at(3, 1), 5, at(1, 1), 2},
           Row{"two must be dropped", at(3, 1), 3, at(1, 2), 1},
           Row{"all must be dropped", at(3, 1), 0, at(3, 1), 0},
           Row{"undelivered transactions are kept", at(1, 1), 0, at(1, 1), 2},
           Row{"nothing is delivered", at(0, 0), 0, at(0, 0), 3},
           Row{"only points before the base are delivered", at(0, 9), 0, at(0, 0), 3},
       }) {
    CAPTURE(row.what);
    History trimmed = history({at(1, 1), at(1, 2), at(3, 1)}, "xx");
    const Point last = trimmed.last();
    trimmed.trim(row.delivered, row.bytes);
    CHECK(trimmed.base().zxid == row.base);
    CHECK(trimmed.size() == row.left);
    CHECK(trimmed.bytes() == 2 * row.left);
    CHECK(trimmed.last() == last);
    CHECK(trimmed.contains(trimmed.base()));
  }
}

TEST_CASE("a trimmed history can be truncated to its base and continues its hash chain") {
  History trimmed = history({at(1, 1), at(1, 2), at(3, 1)});
  const Point second = trimmed.last_at_or_before(at(1, 2));
  trimmed.trim(at(1, 2), 0);
  CHECK(trimmed.base() == second);
  trimmed.truncate_after(at(1, 2));
  CHECK(trimmed.last() == second);
  CHECK(trimmed.bytes() == 0);
  trimmed.append(at(4, 1), payload("y"));
  CHECK(trimmed.last().hash == zab::chain(second.hash, at(4, 1), zab::content_hash("y")));
}

TEST_CASE("the last common point near the base of ours: 1:2 | 1:3 3:1") {
  History ours = history({at(1, 1), at(1, 2), at(1, 3), at(3, 1)});
  ours.trim(at(1, 2), 2);
  REQUIRE(ours.base().zxid == at(1, 2));
  struct Row {
    const char* theirs;
    Point last;
    Zxid candidate;
  };
  for (const Row& row : {
           Row{"ends at the base", ours.base(), at(1, 2)},
           Row{"ends with the first after it", ours.last_at_or_before(at(1, 3)), at(1, 3)},
           Row{"has the first after it with another hash", {at(1, 3), {1, 1}}, at(1, 2)},
           Row{"continues where ours ends an epoch", {at(2, 1), {1, 1}}, at(1, 3)},
           Row{"has our last with another hash", {at(3, 1), {1, 1}}, at(1, 3)},
       }) {
    CAPTURE(row.theirs);
    const Point candidate = ours.common_candidate(row.last);
    CHECK(candidate.zxid == row.candidate);
    CHECK(ours.contains(candidate));
  }
}

TEST_CASE("votes are ordered by epoch, zxid and id") {
  const auto vote = [](std::uint32_t epoch, Zxid last, std::uint32_t id) {
    return zab::Vote{{epoch}, last, {id}};
  };
  CHECK(vote(2, at(1, 1), 1) > vote(1, at(1, 9), 9));
  CHECK(vote(2, at(2, 2), 1) > vote(2, at(2, 1), 9));
  CHECK(vote(2, at(2, 2), 2) > vote(2, at(2, 2), 1));
}
