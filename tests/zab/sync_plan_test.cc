#include "zab/sync_plan.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/zab/histories.h"

namespace {

using zab::Diff;
using zab::History;
using zab::Point;
using zab::ReadLog;
using zab::SyncPlan;
using zab::Trunc;
using zab::Zxid;

struct PlanRow {
  const char* learner;
  Point last;
  SyncPlan plan;
};

void check_rows(const History& ours, std::initializer_list<PlanRow> rows) {
  for (const PlanRow& row : rows) {
    CAPTURE(row.learner);
    CHECK(zab::plan_sync(row.last, ours) == row.plan);
  }
}

}  // namespace

TEST_CASE("a learner is synchronized with 1:1 1:2 3:1, the whole history") {
  const History ours = history({at(1, 1), at(1, 2), at(3, 1)});
  const Point first = ours.last_at_or_before(at(1, 1));
  const Point second = ours.last_at_or_before(at(1, 2));
  check_rows(ours,
             {
                 {"is caught up", ours.last(), Diff{ours.last()}},
                 {"lacks the last", second, Diff{second}},
                 {"is empty", {}, Diff{{}}},
                 {"has a transaction that was never committed", {at(1, 3), {5, 5}}, Trunc{second}},
                 {"has two of these", {at(1, 4), {5, 5}}, Trunc{second}},
                 {"has a transaction of an abandoned epoch", {at(2, 1), {5, 5}}, Trunc{second}},
                 {"has a transaction of a later epoch", {at(4, 1), {5, 5}}, Trunc{ours.last()}},
                 {"has other bytes at our zxid", {at(1, 2), {5, 5}}, Trunc{first}},
                 {"has other bytes at our first zxid", {at(1, 1), {5, 5}}, Trunc{{}}},
             });
}

// ZOOKEEPER-3526, -4352: a leader that was wrong about the first transaction in memory sent a TRUNC
// by mistake.
TEST_CASE("a learner is synchronized with 1:3 2:1, where 1:2 is no longer in memory") {
  const History all = history({at(1, 1), at(1, 2), at(1, 3), at(2, 1)});
  const Point first = all.last_at_or_before(at(1, 1));
  const Point third = all.last_at_or_before(at(1, 3));
  History ours = all;
  ours.trim(at(1, 2), 2);
  REQUIRE(ours.base().zxid == at(1, 2));
  check_rows(
      ours, {
                {"is caught up", ours.last(), Diff{ours.last()}},
                {"lacks the last", third, Diff{third}},
                {"ends at the base", ours.base(), Diff{ours.base()}},
                {"ends at the base with another hash", {at(1, 2), {5, 5}}, ReadLog{}},
                {"ends before the base", first, ReadLog{}},
                {"is empty", {}, ReadLog{}},
                {"has other bytes directly after the base", {at(1, 3), {5, 5}}, Trunc{ours.base()}},
                {"has a transaction that was never committed", {at(1, 4), {5, 5}}, Trunc{third}},
                {"has a transaction of a later epoch", {at(9, 1), {5, 5}}, Trunc{ours.last()}},
            });
}

TEST_CASE("a learner is synchronized with an empty history in memory, after 2:1") {
  const History ours({at(2, 1), {7, 7}});
  check_rows(ours, {
                       {"is caught up", ours.last(), Diff{ours.last()}},
                       {"has a tail", {at(2, 2), {5, 5}}, Trunc{ours.last()}},
                       {"has 2:1 with another hash", {at(2, 1), {5, 5}}, ReadLog{}},
                       {"ends before that", {at(1, 9), {5, 5}}, ReadLog{}},
                       {"is empty", {}, ReadLog{}},
                   });
}
