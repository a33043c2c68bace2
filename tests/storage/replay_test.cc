#include "server/storage/recovery/replay.h"

#include <doctest/doctest.h>

#include "tests/storage/script.h"

namespace storage::test {
namespace {

Record record(RecordType type, zab::Point point, wire::Bytes payload) {
  RecordHeader header;
  header.type = type;
  header.point = point;
  const zab::ContentHash content = zab::content_hash(payload);
  return {header, 4096, content, std::make_shared<const wire::Bytes>(std::move(payload))};
}

Commit commit(std::vector<Record> records) { return {4096, 5000, std::move(records)}; }

Record accept(std::uint32_t epoch, zab::Point point = {}) {
  return record(RecordType::accept_epoch, point, encode(zab::AcceptEpoch{{epoch}, {1}}));
}

Record adopt(std::uint32_t epoch, zab::Point from, std::uint32_t txns, bool snapshot = false) {
  return record(RecordType::adopt_history, from,
                encode(Adoption{{epoch}, txns, cluster, snapshot}));
}

const zab::Point first{{{1}, 1}, zab::chain({}, {{1}, 1}, zab::content_hash("a"))};
const zab::Point second{{{1}, 2}, zab::chain(first.hash, {{1}, 2}, zab::content_hash("b"))};

Record txn(zab::Point point, const char* payload) {
  return record(RecordType::txn, point, payload);
}

TEST_CASE("replay rejects an intact record that may not follow the records before it") {
  struct Row {
    const char* what;
    std::vector<Record> records;
    const char* why;  // empty: replay accepts the records
  };
  const Record a = txn(first, "a");
  const Record b = txn(second, "b");
  for (const Row& row : {
           Row{"an accepted epoch", {accept(1)}, ""},
           Row{"two accepted epochs", {accept(1), accept(2)}, ""},
           Row{"an earlier accepted epoch", {accept(2), accept(1)}, "accepts epoch 1 after 2"},
           Row{"an adopted epoch", {accept(1), adopt(1, {}, 0)}, ""},
           Row{"an adopted epoch that was not accepted",
               {accept(1), adopt(2, {}, 0)},
               "adopts epoch 2"},
           Row{"an earlier adopted epoch",
               {accept(2), adopt(2, {}, 0), adopt(1, {}, 0)},
               "adopts epoch 1"},
           Row{"an adopted history", {accept(1), adopt(1, {}, 2), a, b}, ""},
           Row{"half of an adopted history",
               {accept(1), adopt(1, {}, 2), a},
               "txns of an adopted history are missing"},
           Row{"another record within an adopted history",
               {accept(1), adopt(1, {}, 2), a, accept(2, first), b},
               "missing before it"},
           Row{"txns", {accept(1), adopt(1, {}, 0), a, b}, ""},
           Row{"a txn of an epoch that was not adopted",
               {accept(1), a},
               "txn 1:1 after 0:0 in current epoch 0"},
           Row{"a gap before a txn", {accept(1), adopt(1, {}, 0), b}, "txn 1:2 after 0:0"},
           Row{"a txn twice", {accept(1), adopt(1, {}, 0), a, a}, "txn 1:1 after 1:1"},
           Row{"another payload", {accept(1), adopt(1, {}, 0), txn(first, "A")}, "another hash"},
           Row{"a txn that follows another txn",
               {accept(1), adopt(1, {}, 0), a, txn({{{1}, 2}, first.hash}, "b")},
               "another hash"},
           Row{"a truncation", {accept(1), adopt(1, {}, 2), a, b, adopt(1, first, 0)}, ""},
           Row{"a truncation to an unknown zxid",
               {accept(1), adopt(1, {}, 1), a, adopt(1, {{{0}, 7}, {}}, 0)},
               "after 0:7"},
           Row{"a truncation to a later zxid",
               {accept(1), adopt(1, {}, 1), a, adopt(1, second, 0)},
               "after 1:2"},
           Row{"a truncation to another hash",
               {accept(1), adopt(1, {}, 1), a, adopt(1, {first.zxid, second.hash}, 0)},
               "after 1:1"},
           Row{"a later snapshot",
               {accept(1), adopt(1, {}, 1), a, adopt(1, {{{1}, 7}, first.hash}, 0, true)},
               ""},
           Row{"an earlier snapshot",
               {accept(1), adopt(1, {}, 2), a, b, adopt(1, first, 0, true)},
               ""},
           Row{"a snapshot and a txn after it", {accept(1), adopt(1, first, 1, true), b}, ""},
           Row{"a snapshot of a later epoch",
               {accept(2), adopt(1, {{{2}, 7}, {}}, 0, true)},
               "after 2:7"},
           Row{"a truncation behind the end of a snapshot",
               {accept(1), adopt(1, second, 0, true), adopt(1, {{{1}, 3}, {}}, 0)},
               "after 1:3"},
           Row{"a founding", {record(RecordType::founded, {}, "")}, ""},
           Row{"marks", {record(RecordType::mark, {}, ""), accept(1)}, ""},
           Row{"a mark with another point", {record(RecordType::mark, first, "")}, "but at 0:0"},
           Row{"a payload that is too short",
               {record(RecordType::accept_epoch, {}, "1234567")},
               "not an accepted epoch"},
           Row{"a payload that is too long",
               {accept(1), record(RecordType::adopt_history, {}, std::string(26, '\0'))},
               "not an adopted history"},
           Row{"a seal", {accept(1), record(RecordType::sealed, {}, "")}, ""},
           Row{"a record behind a seal", {record(RecordType::sealed, {}, ""), accept(1)}, "seal"},
           Row{"an unknown type", {record(RecordType{9}, {}, "")}, "type"},
       }) {
    CAPTURE(row.what);
    Replay replay({}, 1 << 20);
    const std::string error = error_of(replay.apply(commit(row.records)));
    CAPTURE(error);
    if (*row.why == '\0') {
      CHECK(error == "");
      CHECK(replay.next_commit() == 2);
    } else {
      CHECK(error.find("offset 4096: the record is intact, but not valid here: ") == 0);
      CHECK(error.find(row.why) != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace storage::test
