#include "server/pipeline/session_list.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "session/transaction.h"

namespace {

using server::SessionPage;

constexpr std::uint32_t self = 1;

// Sessions 1, 2, 3...: each of the next server of three.
struct ListedWorld {
  explicit ListedWorld(std::uint64_t sessions) {
    for (std::uint64_t i = 1; i <= sessions; ++i) {
      const auto server = static_cast<std::uint32_t>(1 + i % 3);
      wire::Bytes bytes;
      encode(session::Transaction{{}, {server, i}, i, 0, session::OpenTxn{{}, 4000, 0}},
             wire::newest_forms, bytes);
      REQUIRE(service.apply({{0}, i}, bytes).has_value());
    }
  }
  [[nodiscard]] SessionPage list(std::uint64_t after, std::optional<std::uint32_t> at) const {
    return server::list_sessions(self, service, clients, {{after}, at, 10});
  }

  session::Service service;
  server::ClientIndex clients{0};
};

TEST_CASE("sessions are listed page by page, in the order of their ids") {
  const ListedWorld world(25);
  std::vector<std::uint64_t> ids;
  std::optional<wire::SessionId> after = wire::SessionId{0};
  std::size_t pages = 0;
  for (; after; ++pages) {
    const SessionPage page = world.list(after->value, {});
    CHECK(page.sessions.size() <= 10);
    for (const auto& session : page.sessions) {
      ids.push_back(session.id.value);
      CHECK(session.server == 1 + session.id.value % 3);
      CHECK(session.timeout_ms == 4000);
      CHECK(!session.connection);
    }
    after = page.next;
  }
  CHECK(pages == 3);
  CHECK(ids.size() == 25);
  CHECK(std::ranges::is_sorted(ids));
}

TEST_CASE("a page of one server's sessions looks at no more sessions than any page") {
  const ListedWorld world(25);
  const SessionPage page = world.list(0, 2);
  CHECK(page.sessions.size() == 4);
  CHECK(page.next == wire::SessionId{10});
  CHECK(world.list(20, 9).sessions.empty());
  CHECK(!world.list(20, 9).next);
  CHECK(!world.list(15, {}).next);
  CHECK(world.list(99, {}).sessions.empty());
}

}  // namespace
