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
  return call(when, {.kind = Kind::create, .data = data, .told = {}});
}
Call mortal(When when, std::uint32_t data) {
  return call(when, {.kind = Kind::create, .data = data, .mortal = true, .told = {}});
}
Call set(When when, std::uint32_t data, std::int64_t version = -1) {
  return call(when, {.kind = Kind::set, .data = data, .version = version, .told = {}});
}
Call remove(When when) { return call(when, {.kind = Kind::remove, .told = {}}); }
Call get(When when, std::uint32_t data, std::int64_t told) {
  return call(when, {.kind = Kind::get, .data = data, .told = told});
}
Call touch(When when, Kind kind) { return call(when, {.kind = kind, .told = {}}); }
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

}  // namespace

TEST_CASE("which histories of a znode have an order") {
  struct Row {
    const char* what;
    bool has_one;
    std::vector<Call> calls;
  };
  for (const Row& row : {
           Row{"nothing happens", true, {}},
           Row{"a read after a write sees it", true, {create({1, 2}, 7), get({3, 4}, 7, 0)}},
           Row{"a read beside a write sees it", true, {create({1, 4}, 7), get({2, 3}, 7, 0)}},
           Row{"a read beside a write does not", true, {create({1, 4}, 7), absent({2, 3})}},
           Row{"what ends as another begins is beside it",
               true,
               {create({1, 2}, 7), absent({2, 3})}},
           Row{"a read after a write does not see it", false, {create({1, 2}, 7), absent({3, 4})}},
           Row{"a read sees what was before an acknowledged write",
               false,
               {create({1, 2}, 7), set({3, 4}, 8), get({5, 6}, 7, 0)}},
           Row{"reads of one write go back",
               false,
               {create({1, 2}, 7), set({3, 9}, 8), get({4, 5}, 8, 1), get({6, 7}, 7, 0)}},
           Row{"a write without an answer is seen late",
               true,
               {create({1, 2}, 7), set({3, never}, 8), get({4, 5}, 7, 0), get({6, 7}, 8, 1)}},
           Row{"a write without an answer is never seen",
               true,
               {create({1, 2}, 7), set({3, never}, 8), get({4, 5}, 7, 0)}},
           Row{"a write without an answer is seen, and then undone",
               false,
               {create({1, 2}, 7), set({3, never}, 8), get({4, 5}, 8, 1), get({6, 7}, 7, 0)}},
           Row{"a write is seen before it begins",
               false,
               {create({1, 2}, 7), get({3, 4}, 8, 1), set({5, never}, 8)}},
           Row{"two of the same version",
               false,
               {create({1, 2}, 7), set({3, 6}, 8, 0), set({4, 7}, 9, 0)}},
           Row{"one of them is refused",
               true,
               {create({1, 2}, 7), set({3, 6}, 8, 0),
                refused(set({4, 7}, 9, 0), Refusal::other_version)}},
           Row{"a refusal without a reason",
               false,
               {create({1, 2}, 7), refused(set({3, 4}, 9, 0), Refusal::other_version)}},
           Row{"a second create is refused",
               true,
               {create({1, 2}, 7), refused(create({3, 4}, 8), Refusal::present)}},
           Row{"a second create is not refused", false, {create({1, 2}, 7), create({3, 4}, 8)}},
           Row{"deleted, and there", false, {create({1, 2}, 7), remove({3, 4}), get({5, 6}, 7, 0)}},
           Row{"what is mortal goes by itself", true, {mortal({1, 2}, 7), absent({3, 4})}},
           Row{"but does not come back",
               false,
               {mortal({1, 2}, 7), absent({3, 4}), get({5, 6}, 7, 0)}},
           Row{"a parent is made anew",
               true,
               {mortal({1, 2}, 7), touch({3, 4}, Kind::make), get({5, 6}, 0, 0)}},
           Row{"a parent that is there stays",
               false,
               {create({1, 2}, 7), touch({3, 4}, Kind::make), get({5, 6}, 0, 0)}},
           Row{"gone with what is above it",
               true,
               {create({1, 2}, 7), touch({3, 4}, Kind::clear), absent({5, 6})}},
       }) {
    CAPTURE(row.what);
    CHECK(verdict(row.calls) ==
          (row.has_one ? Search::Verdict::linearizable : Search::Verdict::not_linearizable));
  }
}

TEST_CASE("an operation on several znodes is done at once") {
  const auto both = [](When when, std::uint32_t data) {
    return Call{
        .begin = when.begin,
        .end = when.end,
        .steps = {{.kind = Kind::set, .data = data, .creates = true, .told = {}},
                  {.kind = Kind::set, .znode = 1, .data = data, .creates = true, .told = {}}},
        .refusal = {}};
  };
  const auto get_second = [](When when, std::uint32_t data, std::int64_t told) {
    return call(when, {.kind = Kind::get, .znode = 1, .data = data, .told = told});
  };
  const auto linearizable = Search::Verdict::linearizable;
  const auto not_linearizable = Search::Verdict::not_linearizable;
  CHECK(verdict({both({1, 2}, 7), both({3, 9}, 8), get({4, 5}, 8, 1), get_second({6, 7}, 8, 1)}) ==
        linearizable);
  CHECK(verdict({both({1, 2}, 7), both({3, 9}, 8), get({4, 5}, 8, 1), get_second({6, 7}, 7, 0)}) ==
        not_linearizable);

  // One that was undone could have been done as far as it came, and leaves nothing behind.
  Call undone = both({3, 4}, 8);
  undone.undone = true;
  undone.refusal = Refusal::absent;
  CHECK(verdict({create({1, 2}, 7), undone, get({5, 6}, 7, 0)}) == linearizable);
  CHECK(verdict({both({1, 2}, 7), undone}) == not_linearizable);
}

TEST_CASE("the call that no order gets behind is told") {
  Search search(1);
  search.add(create({1, 2}, 7));
  search.add(get({5, 6}, 9, 0));
  search.add(set({3, 4}, 8));
  CHECK(search.run(1000) == Search::Verdict::not_linearizable);
  CHECK(search.stuck() == 1);
}

TEST_CASE("a search that takes too long says so") {
  std::vector<Call> calls{create({1, 2}, 1)};
  for (std::uint32_t i = 2; i < 40; ++i) calls.push_back(set({3, never}, i));
  calls.push_back(get({4, 5}, 99, 20));
  CHECK(verdict(calls, 5000) == Search::Verdict::inconclusive);
}

TEST_CASE("unanswered writes that were not carried out cost nothing") {
  std::vector<Call> calls{create({1, 2}, 1)};
  for (std::uint32_t i = 2; i < 40; ++i) calls.push_back(set({3, never}, i));
  for (std::int64_t at = 4; at < 400; at += 2) calls.push_back(get({at, at + 1}, 1, 0));
  CHECK(verdict(calls, calls.size()) == Search::Verdict::linearizable);
}
