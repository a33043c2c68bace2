#include "server/replication/halted_lead.h"

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace server {
namespace {

TEST_CASE("a leader that has halted tries the other voters one after another") {
  using zab::Member;
  using zab::ServerId;
  const Member voter{ServerId{1}};
  const Member observer{ServerId{2}, true};
  const zab::Ensemble ensemble(
      std::vector<Member>{voter, observer, Member{ServerId{3}}, Member{ServerId{5}}});
  struct Row {
    std::uint32_t self;
    std::uint32_t after;
    std::uint32_t next;
  };
  for (const Row& row : {Row{1, 0, 3}, Row{1, 3, 5}, Row{1, 5, 3}, Row{3, 0, 1}, Row{3, 1, 5},
                         Row{5, 3, 1}, Row{2, 5, 1}}) {
    CAPTURE(row.self);
    CAPTURE(row.after);
    CHECK(next_voter(ensemble, ServerId{row.self}, ServerId{row.after}) == ServerId{row.next});
  }
  for (const auto& members : {std::vector{voter}, std::vector{voter, observer}}) {
    CHECK(next_voter(zab::Ensemble(members), voter.id, {}).none());
  }
}

}  // namespace
}  // namespace server
