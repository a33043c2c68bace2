#include "server/admin/words.h"

#include <string>

#include <doctest/doctest.h>

namespace server::test {
namespace {

Readings some_readings() {
  Readings now;
  now.status.serving = true;
  now.status.role = wire::Role::leader;
  now.status.zxid = {{1}, 5};
  now.status.nodes = 7;
  now.status.version = "0.2.0";
  now.status.peers = {{2, "b:2", true, false, "", {}}, {3, "c:3", true, true, "", {}}};
  now.requests.took[0].observe(std::chrono::milliseconds(3));
  return now;
}

AdminOptions with_words(std::vector<std::string> words) {
  AdminOptions options;
  options.words = std::move(words);
  return options;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a four-letter word is answered only if it is allowed") {
  const std::string refused = "ruok is not executed because it is not in the whitelist.\n";
  CHECK(word_text("ruok", with_words({"srvr"}), some_readings) == refused);
  CHECK(word_text("ruok", with_words({"srvr", "ruok"}), some_readings) == "imok");
  CHECK(word_text("ruok", with_words({"*"}), some_readings) == "imok");
  CHECK(has(word_text("wchp", with_words({"*"}), some_readings), "wchp is not executed"));
}

TEST_CASE("four-letter words show the state of a server as ZooKeeper does") {
  const AdminOptions all = with_words({"*"});
  const std::string srvr = word_text("srvr", all, some_readings);
  CHECK(has(srvr, "Zookeeper version: 3.9.3-zabkeeper-0.2.0, built on "));
  CHECK(has(srvr, "Zxid: 0x10000000005\nMode: leader\nNode count: 7\n"));
  const std::string mntr = word_text("mntr", all, some_readings);
  CHECK(has(mntr, "zk_server_state\tleader\n"));
  CHECK(has(mntr, "zk_avg_latency\t3.0000\n"));
  CHECK(has(mntr, "zk_quorum_size\t3\n"));
  CHECK(has(mntr, "zk_followers\t1\n"));
  CHECK(has(mntr, "zk_synced_observers\t1\n"));
}

TEST_CASE("four-letter words show that a server has no quorum, and whether it serves reads") {
  Readings now = some_readings();
  now.status.serving = false;
  AdminOptions options = with_words({"*"});
  const std::string silent = "This ZooKeeper instance is not currently serving requests\n";
  CHECK(word_text("isro", options, [&] { return now; }) == "null");
  CHECK(word_text("srvr", options, [&] { return now; }) == silent);
  CHECK(word_text("ruok", options, [&] { return now; }) == "imok");
  options.read_only_mode = true;
  CHECK(word_text("isro", options, [&] { return now; }) == "ro");
  CHECK(has(word_text("srvr", options, [&] { return now; }),
            "\nREAD-ONLY mode; serving only read-only clients\n"));
  CHECK(has(word_text("srvr", options, [&] { return now; }), "Mode: read-only\n"));
  now.status.serving = true;
  CHECK(word_text("isro", options, [&] { return now; }) == "rw");
}

}  // namespace
}  // namespace server::test
