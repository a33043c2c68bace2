#include "server/checkpoints/checkpointer.h"

#include <doctest/doctest.h>

#include "tests/server/links_harness.h"
#include "tests/support/temporary_directory.h"

namespace server {

TEST_CASE("a checkpoint that cannot be read for a learner is logged once, not at each attempt") {
  const ::test::TemporaryDirectory temporary;
  links_harness::asio::io_context io;
  SharedCheckpoint checkpoint(temporary.path() + "/none");
  session::Service service;
  const links_harness::Log log;
  {
    Checkpointer::Rules rules;
    rules.server = {1};
    Checkpointer checkpointer(io, checkpoint, service, {}, rules, {}, {});
    for (const std::uint32_t learner : {2U, 2U, 3U, 2U}) {
      checkpointer.read({{learner}, 1, true}, [](const zab::SnapshotRead&) {});
    }
  }  // finishes the reads
  CHECK(log.count("cannot send a snapshot to server 2: ") == 1);
  CHECK(log.count("cannot send a snapshot to server 3: ") == 1);
}

}  // namespace server
