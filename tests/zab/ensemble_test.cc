#include "zab/ensemble.h"

#include <vector>

#include <doctest/doctest.h>

namespace {

using zab::Ensemble;
using zab::Member;
using zab::ServerId;

std::vector<ServerId> ids(std::initializer_list<std::uint32_t> numbers) {
  std::vector<ServerId> servers;
  for (const std::uint32_t number : numbers) servers.push_back({number});
  return servers;
}

struct QuorumRow {
  const char* members;
  std::initializer_list<std::uint32_t> servers;
  bool quorum;
};

void check_rows(const Ensemble& ensemble, std::initializer_list<QuorumRow> rows) {
  for (const QuorumRow& row : rows) {
    CAPTURE(row.members);
    CHECK(ensemble.is_quorum(ids(row.servers)) == row.quorum);
  }
}

}  // namespace

TEST_CASE("a quorum is a majority of the voters") {
  check_rows(Ensemble({{.id = {1}}, {.id = {2}}, {.id = {3}}}),
             {
                 {"nobody", {}, false},
                 {"one of three", {2}, false},
                 {"two of three", {1, 3}, true},
                 {"all", {1, 2, 3}, true},
                 {"one, twice", {1, 1}, false},
                 {"one and an unknown server", {1, 9}, false},
             });
  check_rows(Ensemble({{.id = {1}}, {.id = {2}}, {.id = {3}}, {.id = {4}}}),
             {
                 {"half is not more than half", {1, 2}, false},
                 {"three of four", {1, 2, 4}, true},
             });
  check_rows(Ensemble(std::vector<Member>{{.id = {7}}}),
             {{"the only one", {7}, true}, {"an unknown server", {1}, false}});
  check_rows(Ensemble(std::vector<Member>{}), {{"an empty ensemble has no quorum", {}, false}});
}

TEST_CASE("observers and servers without weight never count") {
  const Ensemble ensemble({{.id = {1}},
                           {.id = {2}},
                           {.id = {3}},
                           {.id = {4}, .observer = true},
                           {.id = {5}, .weight = 0}});
  check_rows(ensemble, {
                           {"one voter and all others", {1, 4, 5}, false},
                           {"two voters", {1, 2}, true},
                           {"no voter", {4, 5}, false},
                       });
  CHECK(ensemble.is_voter({1}));
  CHECK_FALSE(ensemble.is_voter({4}));
  CHECK_FALSE(ensemble.is_voter({5}));
  CHECK_FALSE(ensemble.is_voter({9}));
  CHECK(ensemble.contains({4}));
  CHECK_FALSE(ensemble.contains({9}));
}

TEST_CASE("a quorum is counted by weight") {
  check_rows(Ensemble({{.id = {1}, .weight = 3}, {.id = {2}}, {.id = {3}}}),
             {
                 {"3 of 5", {1}, true},
                 {"2 of 5", {2, 3}, false},
             });
}

TEST_CASE("hierarchical quorums: a majority of the groups, each by a majority of its weight") {
  std::vector<Member> members;
  for (std::uint32_t id = 1; id <= 9; ++id) members.push_back({.id = {id}, .group = (id - 1) / 3});
  check_rows(Ensemble(members),
             {
                 {"two of three in two of three groups", {1, 2, 4, 5}, true},
                 {"five of nine, but a majority in one group only", {1, 2, 3, 4, 7}, false},
                 {"three groups, a majority in none", {1, 4, 7}, false},
             });
  // A group without voters does not count.
  members.push_back({.id = {10}, .observer = true, .group = 3});
  members.push_back({.id = {11}, .weight = 0, .group = 4});
  check_rows(Ensemble(members), {{"still two of three", {1, 2, 4, 5}, true}});
}
