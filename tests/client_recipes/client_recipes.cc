// Uses the recipes of the C++ client with real servers, which client_recipes_test.py kills
// meanwhile.
#define DOCTEST_CONFIG_IMPLEMENT
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <zabkeeper/barrier.h>
#include <zabkeeper/client.h>
#include <zabkeeper/counter.h>
#include <zabkeeper/double_barrier.h>
#include <zabkeeper/group.h>
#include <zabkeeper/lock.h>
#include <zabkeeper/queue.h>
#include <zabkeeper/service_registry.h>
#include <zabkeeper/tree_cache.h>

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using zabkeeper::Client;
using zabkeeper::ErrorCode;

std::string urls;
std::string root;  // of all nodes

std::string at(const std::string& path) { return root + path; }

std::unique_ptr<Client> some_client() {
  zabkeeper::Options options;
  options.servers = zabkeeper::servers(urls);
  options.session.timeout_ms = 30'000;
  options.offline_timeout = 60s;
  return std::make_unique<Client>(options);
}

// Calls the function on so many threads at once, with a client for each. An exception of one of
// them is thrown when all have ended.
void at_once(std::size_t threads, const std::function<void(Client&, std::size_t)>& function) {
  std::vector<std::future<void>> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.push_back(std::async(std::launch::async, [&, i] {
      const auto client = some_client();
      function(*client, i);
    }));
  }
  for (std::future<void>& each : running) each.wait();
  for (std::future<void>& each : running) each.get();
}

TEST_CASE("several locks that are held together exclude all that want one of them") {
  const std::vector<std::vector<std::string>> wanted{{at("/multi/a"), at("/multi/b")},
                                                     {at("/multi/b"), at("/multi/c")},
                                                     {at("/multi/c"), at("/multi/a")}};
  std::map<std::string, std::atomic<int>> holders;
  for (const auto& paths : wanted) holders[paths.front()] = 0;
  std::atomic<int> grants = 0;
  at_once(4, [&](Client& client, std::size_t i) {
    for (int round = 0; round < 10; ++round) {
      const bool is_single = i == 3;
      const std::vector<std::string> paths =
          is_single ? std::vector<std::string>{at("/multi/a")} : wanted[i];
      zabkeeper::Hold hold = is_single ? zabkeeper::Lock(client, at("/multi/a")).acquire().value()
                                       : zabkeeper::MultiLock(client, paths).acquire().value();
      for (const auto& path : paths) CHECK(++holders[path] == 1);
      CHECK(hold.guards().size() == paths.size());
      client.only_if(hold.guards()).put(at("/multi-done"), hold.path()).value();
      for (const auto& path : paths) --holders[path];
      ++grants;
      hold.release().value();
    }
  });
  CHECK(grants == 40);
}

TEST_CASE("several locks are acquired at once or not at all by try_acquire") {
  const auto client = some_client();
  const zabkeeper::Hold held = zabkeeper::Lock(*client, at("/try/b")).acquire().value();
  const zabkeeper::MultiLock both(*client, {at("/try/a"), at("/try/b")});
  CHECK(!both.try_acquire().value());
  CHECK(both.acquire_for(50ms).error().code == ErrorCode::operation_timeout);
  CHECK(static_cast<bool>(zabkeeper::Lock(*client, at("/try/a")).acquire().value()));
  CHECK_THROWS_AS(zabkeeper::MultiLock(*client, {"/a", "/a"}), std::invalid_argument);
}

TEST_CASE("a counter carries out every addition once") {
  std::mutex mutex;
  std::set<std::int64_t> values;
  at_once(4, [&](Client& client, std::size_t) {
    zabkeeper::Counter counter(client, at("/counter"));
    for (int i = 0; i < 25; ++i) {
      const auto added = counter.add(1).value();
      const std::lock_guard lock(mutex);
      CHECK(values.insert(added.value).second);
    }
  });
  CHECK(values.size() == 100);
  CHECK(*values.rbegin() == 100);
  const auto client = some_client();
  CHECK(zabkeeper::Counter(*client, at("/counter")).get().value().value == 100);
}

TEST_CASE("an addition that is begun again with its number is carried out once") {
  const auto client = some_client();
  const std::string owner(32, 'a');
  {
    zabkeeper::Counter counter(*client, at("/numbered"), {.owner = owner});
    CHECK(counter.last().value().last == 0);
    CHECK(counter.add_numbered(7, 5).value().value == 5);
  }
  zabkeeper::Counter again(*client, at("/numbered"), {.owner = owner});
  CHECK(again.last().value().last == 7);
  CHECK(again.add_numbered(7, 5).value().value == 5);
  CHECK(again.add(1).value().value == 6);
}

TEST_CASE("clients wait at a barrier until it is lifted") {
  const auto client = some_client();
  const zabkeeper::Barrier barrier(*client, at("/barrier"));
  CHECK(!barrier.wait().value().generation);
  const wire::Zxid generation = barrier.set("maintenance").value().stat.czxid;
  CHECK(barrier.wait_for(50ms).error().code == ErrorCode::operation_timeout);
  std::vector<std::future<zabkeeper::BarrierPassed>> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(barrier.async_wait(boost::asio::use_future));
  barrier.lift(generation).value();
  for (auto& each : waiting) {
    const auto passed = each.get().generation;
    CHECK((!passed || *passed == generation));
  }
  CHECK(barrier.lift(generation).error().code == ErrorCode::condition_failed);
}

TEST_CASE("the participants of a double barrier enter together and leave together") {
  constexpr std::size_t participants = 3;
  constexpr int generations = 5;
  std::atomic<int> begun = 0;
  std::atomic<int> left = 0;
  std::mutex mutex;
  std::map<wire::Zxid, int> seen;
  at_once(participants, [&](Client& client, std::size_t) {
    zabkeeper::DoubleBarrier barrier(client, at("/double"), participants);
    CHECK(barrier.leave().error().code == ErrorCode::bad_arguments);
    for (int i = 0; i < generations; ++i) {
      ++begun;
      barrier.enter().value();
      CHECK(begun >= static_cast<int>(participants) * (i + 1));
      CHECK(left >= static_cast<int>(participants) * i);
      ++left;
      const auto generation = barrier.leave().value().generation;
      CHECK(left >= static_cast<int>(participants) * (i + 1));
      const std::lock_guard lock(mutex);
      ++seen[generation];
    }
  });
  CHECK(seen.size() == generations);
  CHECK(std::ranges::all_of(seen, [](const auto& each) { return each.second == 3; }));
}

TEST_CASE("a participant that is alone gives up at its deadline, and can enter later") {
  const auto client = some_client();
  zabkeeper::DoubleBarrier one(*client, at("/alone"), 2);
  CHECK(one.enter_for(50ms).error().code == ErrorCode::operation_timeout);
  zabkeeper::DoubleBarrier other(*client, at("/alone"), 2);
  auto entering = other.async_enter(boost::asio::use_future);
  one.enter().value();
  entering.get();
  auto leaving = other.async_leave(boost::asio::use_future);
  one.leave().value();
  leaving.get();
}

TEST_CASE("each item of a queue is done once") {
  constexpr int items = 30;
  std::mutex mutex;
  std::multiset<std::string> done;
  at_once(5, [&](Client& client, std::size_t i) {
    zabkeeper::Queue queue(client, at("/queue"));
    if (i < 2) {
      for (int n = 0; n < items / 2; ++n) {
        queue.put(std::to_string(i) + '-' + std::to_string(n)).value();
      }
      return;
    }
    for (int n = 0; n < items / 3; ++n) {
      zabkeeper::QueueItem item = queue.take().value();
      CHECK(static_cast<bool>(item));
      if (n % 4 == 1) {  // The next taker gets it.
        item.give_back().value();
        item = queue.take().value();
      }
      item.done().value();
      CHECK(!item);
      const std::lock_guard lock(mutex);
      done.insert(item.data());
    }
  });
  CHECK(done.size() == items);
  CHECK(std::set<std::string>(done.begin(), done.end()).size() == items);
}

TEST_CASE("a queue hands out its items in the order in which they were put") {
  const auto client = some_client();
  zabkeeper::Queue queue(*client, at("/ordered"));
  CHECK(queue.take_for(50ms).error().code == ErrorCode::operation_timeout);
  for (const char* text : {"1", "2", "3"}) queue.put(text).value();
  {
    const zabkeeper::QueueItem first = queue.take().value();
    CHECK(first.data() == "1");
    zabkeeper::QueueItem second = queue.take().value();
    CHECK(second.data() == "2");
    second.done().value();
  }  // gives the first one back
  CHECK(queue.take().value().data() == "1");
}

TEST_CASE("a queue with delays hands out no item before it is due") {
  const auto client = some_client();
  zabkeeper::DelayQueue queue(*client, at("/delayed"));
  const auto due = std::chrono::system_clock::now() + 1s;
  queue.put("late", due).value();
  queue.put("early", due - 10s).value();
  zabkeeper::QueueItem early = queue.take().value();
  CHECK(early.data() == "early");
  early.done().value();
  zabkeeper::QueueItem late = queue.take().value();
  CHECK(late.data() == "late");
  CHECK(std::chrono::system_clock::now() >= due);
  late.done().value();
}

TEST_CASE("a group knows its members and their data") {
  const auto client = some_client();
  std::promise<zabkeeper::PresenceEnded> ended;
  zabkeeper::MemberOptions options;
  options.on_event = [&](const zabkeeper::MemberEvent& event) {
    const auto* end = std::get_if<zabkeeper::PresenceEnded>(&event);
    if (end != nullptr) ended.set_value(*end);
  };
  zabkeeper::GroupMember one(*client, at("/group"), "one", "1", options);
  one.wait_for(60s).value();
  std::promise<void> updated;
  options.on_event = [&](const zabkeeper::MemberEvent& event) {
    if (std::holds_alternative<zabkeeper::Updated>(event)) updated.set_value();
  };
  auto two = std::make_unique<zabkeeper::GroupMember>(*client, at("/group"), "two", "2", options);
  two->wait_for(60s).value();
  two->update("22");
  updated.get_future().wait();
  const auto other = some_client();
  other->sync(at("/group")).value();
  const zabkeeper::GroupMembership group(*other, at("/group"));
  group.wait_for(60s).value();
  const auto members = group.members().first;
  REQUIRE(members.size() == 2);
  CHECK(members.at("one").data == "1");
  CHECK(members.at("two").data == "22");
  two->leave().value();

  // The same owner again, in another session.
  zabkeeper::GroupMember later(*other, at("/group"), "one", "11");
  later.wait_for(60s).value();
  CHECK(other->get(at("/group/one")).value().data.ends_with("11"));
  CHECK(ended.get_future().get().how == zabkeeper::PresenceEnded::How::superseded);
  CHECK(one.wait_for(60s).error().code == ErrorCode::node_exists);
  CHECK(one.leave().has_value());
}

TEST_CASE("a registry tells the instances of a service") {
  const auto client = some_client();
  const zabkeeper::ServiceRegistry registry(*client, at("/services"));
  const auto one = registry.announce("report", {.id = "one", .address = "10.0.0.1:80"});
  const auto two =
      registry.announce("report", {.id = "two", .address = "10.0.0.2:80", .weight = 0});
  one->wait_for(60s).value();
  two->wait_for(60s).value();
  client->create(at("/services/report/stranger"), "no instance").value();
  client->sync(at("/services")).value();
  const auto reports = registry.discover("report");
  reports->wait_for(60s).value();
  CHECK(reports->all().size() == 2);
  CHECK(reports->in_turn()->address == "10.0.0.1:80");
  CHECK(reports->at_random()->id == "one");
  CHECK(reports->for_key("Ada")->id == "one");
  CHECK(!registry.discover("unknown")->in_turn());
}

TEST_CASE("recipes end with SessionExpired after the client has closed its session") {
  const auto client = some_client();
  zabkeeper::Counter counter(*client, at("/ended/counter"));
  zabkeeper::Queue queue(*client, at("/ended/queue"));
  zabkeeper::DoubleBarrier barrier(*client, at("/ended/double"), 2);
  const zabkeeper::GroupMember member(*client, at("/ended/group"), "one");
  member.wait_for(60s).value();
  const zabkeeper::Hold held = zabkeeper::Lock(*client, at("/ended/held")).acquire().value();
  auto taking = queue.async_take(boost::asio::use_future);
  auto entering = barrier.async_enter(boost::asio::use_future);
  client->close().value();
  CHECK_THROWS_AS(taking.get(), zabkeeper::Failure);
  CHECK_THROWS_AS(entering.get(), zabkeeper::Failure);
  CHECK(!held);
  const auto expired = ErrorCode::session_expired;
  CHECK(zabkeeper::Lock(*client, at("/ended/lock")).acquire().error().code == expired);
  CHECK(zabkeeper::MultiLock(*client, {at("/ended/a"), at("/ended/b")}).acquire().error().code ==
        expired);
  CHECK(counter.add(1).error().code == expired);
  CHECK(counter.get().error().code == expired);
  CHECK(queue.put("item").error().code == expired);
  CHECK(queue.take().error().code == expired);
  CHECK(barrier.enter().error().code == expired);
  CHECK(zabkeeper::Barrier(*client, at("/ended/barrier")).wait().error().code == expired);
  CHECK(zabkeeper::TreeCache(*client, {.path = "/"}).wait_for(60s).error().code == expired);
  CHECK(zabkeeper::GroupMembership(*client, "/").wait_for(60s).error().code == expired);
  CHECK(member.wait_for(60s).error().code == expired);
}

// The examples of docs/client.md: see tests/client-lib/page_test.cc.
void send(const std::string&) {}
void compute() {}

TEST_CASE("the examples of the page work") {
  const auto of_test = some_client();
  Client& client = *of_test;
  {
    // page
    const zabkeeper::MultiLock both(client, {"/accounts/ada", "/accounts/bob"});
    const zabkeeper::Hold hold = both.acquire().value();
    client.only_if(hold.guards()).put("/accounts/last", "ada to bob").value();
    // end
  }
  {
    // page
    zabkeeper::Counter tickets(client, "/tickets");
    const std::int64_t mine = tickets.add(1).value().value;
    // end
    CHECK(mine > 0);
  }
  {
    // page
    zabkeeper::Queue queue(client, "/mails");
    queue.put("to Ada").value();

    zabkeeper::QueueItem item = queue.take().value();
    send(item.data());
    item.done().value();
    // end
  }
  {
    // page
    const zabkeeper::Barrier maintenance(client, "/maintenance");
    const auto set = maintenance.set("until noon").value();
    maintenance.lift(set.stat.czxid).value();
    maintenance.wait().value();  // returns at once: nothing is set
    // end
  }
  {
    // page
    zabkeeper::DoubleBarrier barrier(client, "/computation", 1);
    barrier.enter().value();  // waits until all participants are here
    compute();
    barrier.leave().value();  // waits until all have computed
    // end
  }
  {
    // page
    const zabkeeper::ServiceRegistry registry(client, "/services");
    const auto self = registry.announce("report", {.id = "report-7", .address = "10.0.0.7:80"});
    self->wait_for(std::chrono::seconds(5)).value();

    const auto reports = registry.discover("report");
    reports->wait_for(std::chrono::seconds(5)).value();
    const auto one = reports->in_turn();  // nothing if no instance is there
    std::cout << (one ? one->address : "none") << '\n';
    // end
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: client_recipes SERVERS ROOT [DOCTEST OPTION]...\n";
    return 2;
  }
  urls = argv[1];
  root = argv[2];
  return doctest::Context(argc - 2, argv + 2).run();
}
