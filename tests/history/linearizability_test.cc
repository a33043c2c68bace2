#include "tools/history/linearizability.h"

#include <vector>

#include <doctest/doctest.h>

namespace {

using history::Call;
using history::Refusal;
using history::Search;
using history::ZnodeStep;
using Kind = ZnodeStep::Kind;

constexpr std::int64_t never = Call::never;

struct When {
  std::int64_t begin, end;
};

Call call(When when, ZnodeStep step) {
  return {.begin = when.begin, .end = when.end, .steps = {step}, .refusal = {}};
}
Call create(When when, std::uint32_t data) {
  return call(when, {.kind = Kind::create, .data = data, .reply_version = {}});
}
Call ephemeral(When when, std::uint32_t data) {
  return call(when, {.kind = Kind::create, .data = data, .may_vanish = true, .reply_version = {}});
}
Call set(When when, std::uint32_t data, std::int64_t version = -1) {
  return call(when, {.kind = Kind::set, .data = data, .version = version, .reply_version = {}});
}
Call remove(When when) { return call(when, {.kind = Kind::remove, .reply_version = {}}); }
Call get(When when, std::uint32_t data, std::int64_t version) {
  return call(when, {.kind = Kind::get, .data = data, .reply_version = version});
}
Call touch(When when, Kind kind) { return call(when, {.kind = kind, .reply_version = {}}); }
Call refused(Call call, Refusal refusal) {
  call.undone = true;
  call.refusal = refusal;
  return call;
}
Call absent(When when) { return refused(touch(when, Kind::exists), Refusal::absent); }

Search::Verdict verdict(const std::vector<Call>& calls, std::size_t steps_max = 100'000) {
  Search search(2);
  for (const Call& each : calls) search.add(each);
  return search.run(steps_max);
}

struct CallsRow {
  const char* name;
  bool linearizable;
  std::vector<Call> calls;
};

void check_calls(const std::vector<CallsRow>& rows) {
  for (const CallsRow& row : rows) {
    CAPTURE(row.name);
    CHECK(verdict(row.calls) ==
          (row.linearizable ? Search::Verdict::linearizable : Search::Verdict::not_linearizable));
  }
}

}  // namespace

TEST_CASE("reads and writes of a znode: the search decides whether they are linearizable") {
  check_calls({
      CallsRow{"nothing happens", true, {}},
      CallsRow{"a read after a write sees it", true, {create({1, 2}, 7), get({3, 4}, 7, 0)}},
      CallsRow{"a read during a write sees it", true, {create({1, 4}, 7), get({2, 3}, 7, 0)}},
      CallsRow{"a read during a write does not see it", true, {create({1, 4}, 7), absent({2, 3})}},
      CallsRow{"a call that ends when another begins overlaps it",
               true,
               {create({1, 2}, 7), absent({2, 3})}},
      CallsRow{"a read after a write does not see it", false, {create({1, 2}, 7), absent({3, 4})}},
      CallsRow{"a read sees the state before an acknowledged write",
               false,
               {create({1, 2}, 7), set({3, 4}, 8), get({5, 6}, 7, 0)}},
      CallsRow{"a read sees an earlier state than the read before it",
               false,
               {create({1, 2}, 7), set({3, 9}, 8), get({4, 5}, 8, 1), get({6, 7}, 7, 0)}},
      CallsRow{"a write without a reply is seen late",
               true,
               {create({1, 2}, 7), set({3, never}, 8), get({4, 5}, 7, 0), get({6, 7}, 8, 1)}},
      CallsRow{"a write without a reply is never seen",
               true,
               {create({1, 2}, 7), set({3, never}, 8), get({4, 5}, 7, 0)}},
      CallsRow{"a write without a reply is seen, and then not",
               false,
               {create({1, 2}, 7), set({3, never}, 8), get({4, 5}, 8, 1), get({6, 7}, 7, 0)}},
      CallsRow{"a write is seen before it begins",
               false,
               {create({1, 2}, 7), get({3, 4}, 8, 1), set({5, never}, 8)}},
  });
}

TEST_CASE("versions and existence of a znode: the search decides whether they are linearizable") {
  check_calls({
      CallsRow{"two sets on the same version",
               false,
               {create({1, 2}, 7), set({3, 6}, 8, 0), set({4, 7}, 9, 0)}},
      CallsRow{"two sets on the same version, one is refused",
               true,
               {create({1, 2}, 7), set({3, 6}, 8, 0),
                refused(set({4, 7}, 9, 0), Refusal::other_version)}},
      CallsRow{"a set is refused although the version is right",
               false,
               {create({1, 2}, 7), refused(set({3, 4}, 9, 0), Refusal::other_version)}},
      CallsRow{"a second create is refused",
               true,
               {create({1, 2}, 7), refused(create({3, 4}, 8), Refusal::present)}},
      CallsRow{"a second create is not refused", false, {create({1, 2}, 7), create({3, 4}, 8)}},
      CallsRow{"a read sees a deleted znode",
               false,
               {create({1, 2}, 7), remove({3, 4}), get({5, 6}, 7, 0)}},
      CallsRow{
          "an ephemeral znode vanishes by itself", true, {ephemeral({1, 2}, 7), absent({3, 4})}},
      CallsRow{"an ephemeral znode comes back",
               false,
               {ephemeral({1, 2}, 7), absent({3, 4}), get({5, 6}, 7, 0)}},
      CallsRow{"a vanished parent is created again",
               true,
               {ephemeral({1, 2}, 7), touch({3, 4}, Kind::create_missing), get({5, 6}, 0, 0)}},
      CallsRow{"a parent that exists is created again",
               false,
               {create({1, 2}, 7), touch({3, 4}, Kind::create_missing), get({5, 6}, 0, 0)}},
      CallsRow{"a znode is deleted with its parent",
               true,
               {create({1, 2}, 7), touch({3, 4}, Kind::remove_existing), absent({5, 6})}},
  });
}
