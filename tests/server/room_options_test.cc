#include "server/startup/room_options.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace server {
namespace {

const std::shared_ptr<Ledger> ledger =
    Ledger::make(usual_memory_limit, budget_table(usual_memory_limit));

// Server 2 of an ensemble of three.
Config second_of_three() {
  Config config;
  config.id = 2;
  config.web = {"zk.example", 2180};
  config.servers = {{1, {"peer1", 2888}, false, 1, 0, {"Web1.example", 2180}},
                    {2, {"peer2", 2888}, false, 3, 1, {}},
                    {3, {"peer3", 2888}, true, 1, 0, {}}};
  return config;
}

TEST_CASE("the gate admits every configured name of this server and of its ensemble") {
  Config config = second_of_three();
  config.hosts = {"lb.example"};
  const std::vector<std::string> hosts = listener_options(config, *ledger, 100'000).gate.hosts;
  for (const char* name : {"localhost", "zk.example", "peer1", "Web1.example", "lb.example"}) {
    CAPTURE(name);
    CHECK(std::ranges::find(hosts, name) != hosts.end());
  }
}

TEST_CASE("the limit of a frame is more than twice the limit of the data of a node") {
  Config config;
  config.max_data_bytes = 5000;
  CHECK(listener_options(config, *ledger, 100'000).limits.frame_bytes_max > 2 * 5000);
}

TEST_CASE("recent changes for watches take a sixteenth of a small memory") {
  const auto bytes = [](std::uint64_t memory_limit) {
    return data_options({}, "", {}, memory_limit).service.watches.history.bytes_max;
  };
  CHECK(bytes(usual_memory_limit) == std::size_t{64} << 20);
  CHECK(bytes(std::uint64_t{512} << 20) == std::size_t{32} << 20);
}

TEST_CASE("the log and the other servers keep the open files that they need") {
  struct Row {
    std::uint64_t open_files;
    std::uint32_t max_connections;
    std::uint32_t connections;
    std::uint32_t kept;
  };
  for (const Row& row : {
           Row{64, 50'000, 16, 8},
           Row{128, 50'000, 32, 16},
           Row{1024, 50'000, 768, 64},
           Row{1024, 100, 100, 64},
           Row{1024, 0, 768, 64},
           Row{1'000'000, 50'000, 50'000, 64},
           Row{std::uint64_t{1} << 60, 0, 100'000'000, 64},
       }) {
    CAPTURE(row.open_files);
    Config config;
    config.max_connections = row.max_connections;
    const ListenerOptions options = listener_options(config, *ledger, row.open_files);
    CHECK(options.connections_max == row.connections);
    CHECK(options.kept_places == row.kept);
  }
}

TEST_CASE("the budgets that the largest messages need must fit into the memory of clients") {
  struct Row {
    std::uint64_t memory;
    std::uint32_t data_bytes;
    const char* why_not;  // empty: they fit
  };
  for (const Row& row : {
           Row{64, 65'536, ""},
           Row{128, 1 << 20, ""},
           Row{64, 1 << 20,
               "maxDataBytes=1048576: messages of this size need 38 MiB, and of the 64 MiB that "
               "this server may use (memoryLimitBytes) clients get 32 MiB; lower maxDataBytes, or "
               "set memoryLimitBytes to 77856768 or more"},
           Row{2048, 31 << 20,
               "maxDataBytes=32505856: messages of this size need 1118 MiB, and of the 2048 MiB "
               "that this server may use (memoryLimitBytes) clients get 1024 MiB; lower "
               "maxDataBytes, or set memoryLimitBytes to 2342780928 or more"},
           Row{4096, 31 << 20, ""},
       }) {
    CAPTURE(row.memory);
    CAPTURE(row.data_bytes);
    Config config;
    config.max_data_bytes = row.data_bytes;
    const auto fits = check_memory(config, {row.memory << 20, "memoryLimitBytes"});
    CHECK((fits ? "" : fits.error().message) == row.why_not);
  }
}

TEST_CASE("the tree may take half of the memory, and the commands of other servers an eighth") {
  const PipelineOptions options = pipeline_options({}, {}, 800);
  CHECK(options.state_bytes_max == 400);
  CHECK(options.held_bytes_max == 100);
  CHECK(options.max_client_sessions == 10'000);
}

TEST_CASE("an ensemble of one has no other server, standalone or not") {
  Config config;
  config.id = 1;
  CHECK(ensemble(config).members().size() == 1);
  CHECK(ensemble(config).is_voter({1}));
  CHECK(pipeline_options(config, {}, usual_memory_limit).standalone);
  CHECK(replication_options(config).only_server);
  CHECK(admin_options(config).other_servers.empty());

  config.servers = {{1, {"peer1", 2888}, false, 1, 0, {}}};
  CHECK(ensemble(config).members().size() == 1);
  CHECK_FALSE(pipeline_options(config, {}, usual_memory_limit).standalone);
  CHECK(replication_options(config).only_server);
  CHECK(admin_options(config).other_servers.empty());
}

TEST_CASE("the status shows the other servers of the ensemble, and the protocol has all") {
  const Config config = second_of_three();
  const AdminOptions options = admin_options(config);
  REQUIRE(options.other_servers.size() == 2);
  CHECK(options.other_servers[0].address == "peer1:2888");
  CHECK_FALSE(options.other_servers[0].observer);
  CHECK(options.other_servers[1].id == 3);
  CHECK(options.other_servers[1].observer);
  CHECK_FALSE(replication_options(config).only_server);

  const zab::Ensemble three = ensemble(config);
  REQUIRE(three.members().size() == 3);
  CHECK(three.members()[1].weight == 3);
  CHECK(three.members()[1].group == 1);
  CHECK_FALSE(three.is_voter({3}));
  const Links::Options links = links_options(config, "zabkeeper 0.2.0", 77, usual_memory_limit);
  CHECK(links.servers.size() == 3);
  CHECK(links.program == "zabkeeper 0.2.0");
  CHECK(links.instance == 77);
  const auto queued_bytes_max = [&](std::uint64_t memory_limit) {
    return links_options(config, "", 0, memory_limit).queued_bytes_max - 2 * config.history_bytes;
  };
  CHECK(queued_bytes_max(usual_memory_limit) == std::size_t{256} << 20);
  CHECK(queued_bytes_max(std::uint64_t{3} << 30) == std::size_t{192} << 20);
  // Two of the largest messages have room, whatever the memory.
  CHECK(queued_bytes_max(std::uint64_t{512} << 20) == 2 * (std::size_t{64} << 20) + 24);
}

}  // namespace
}  // namespace server
