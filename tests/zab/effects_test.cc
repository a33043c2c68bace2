#include "zab/effects.h"

#include <utility>

#include <doctest/doctest.h>

#include "tests/zab/effects_text.h"

namespace {

using zab::Ack;
using zab::Effects;
using zab::ServerId;

Effects acks(std::initializer_list<std::pair<std::uint32_t, std::uint64_t>> to) {
  Effects effects;
  for (const auto& [id, counter] : to) effects.confirm.push_back({{id}, Ack{{{1}, counter}}});
  return effects;
}

zab::RoleStatus role_status(zab::Role role) {
  zab::RoleStatus made;
  made.role = role;
  return made;
}

std::string sum(Effects first, Effects second) {
  first += std::move(second);
  return text_of(first);
}

}  // namespace

TEST_CASE("adding effects adds every list, in order") {
  Effects first;
  first.send.push_back({{2}, zab::Commit{{{1}, 1}}});
  first.persist.emplace_back(zab::AcceptEpoch{{1}, {3}});
  first.confirm.push_back({{3}, zab::AckEpoch{}});
  first.notes.push_back({.text = "one"});
  first.role_status = role_status(zab::Role::looking);
  Effects second;
  second.send.push_back({{2}, zab::Commit{{{1}, 2}}});
  second.persist.emplace_back(zab::AdoptHistory{{1}, {}, {}, false, {}});
  second.confirm.push_back({{3}, zab::AckNewLeader{{1}}});
  second.notes.push_back({.text = "two"});
  second.role_status = role_status(zab::Role::leading);

  CHECK(sum(std::move(first), std::move(second)) ==
        "is leading\n"
        "send 2 COMMIT 1:1\n"
        "send 2 COMMIT 1:2\n"
        "persist accept epoch 1 of 3\n"
        "persist adopt epoch 1, history after 0:0: 0 txns\n"
        "confirm 3 ACKEPOCH 0, current 0, last 0:0\n"
        "confirm 3 ACK-NEWLEADER 1\n"
        "note: one\n"
        "note: two\n");
}

TEST_CASE("an ack replaces an earlier ack directly before it, and nothing else") {
  CHECK(sum(acks({{3, 1}}), acks({{3, 2}})) == "confirm 3 ACK 1:2\n");
  CHECK(sum(acks({}), acks({{3, 2}})) == "confirm 3 ACK 1:2\n");
  CHECK(sum(acks({{3, 1}}), acks({{2, 2}})) == "confirm 3 ACK 1:1\nconfirm 2 ACK 1:2\n");

  // The first ack must stay before the promise between the two acks.
  Effects first = acks({{3, 1}});
  first.confirm.push_back({{3}, zab::AckNewLeader{{2}}});
  CHECK(sum(std::move(first), acks({{3, 2}})) ==
        "confirm 3 ACK 1:1\nconfirm 3 ACK-NEWLEADER 2\nconfirm 3 ACK 1:2\n");
}

TEST_CASE("adding effects without a role status keeps the earlier one") {
  Effects first;
  first.role_status = role_status(zab::Role::leading);
  CHECK(sum(std::move(first), Effects{}) == "is leading\n");
  CHECK(Effects{}.empty());
}
