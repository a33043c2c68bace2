#include "tests/client-lib/client_page.h"

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "client-lib/client.h"
#include "client-lib/json.h"
#include "client-lib/leader_election.h"
#include "client-lib/lock.h"
#include "client-lib/tree_cache.h"

// The examples of docs/client.md, between the lines "// page" and "// end": see page_test.cc.
namespace client_page {

using boost::asio::as_tuple;
using boost::asio::co_spawn;
using boost::asio::use_awaitable;

void blocking(const std::string& urls) {
  // page
  zabkeeper::Client client({.servers = zabkeeper::servers(urls)});
  const auto created = client.create("/app", "v1");
  if (created.has_error()) std::cerr << created.error().message << '\n';
  client.set("/app", "v2").value();  // throws a Failure instead
  // end
}

// page
boost::asio::awaitable<void> update(zabkeeper::Client& client) {
  const wire::GetReply app = co_await client.async_get("/app", use_awaitable);
  co_await client.async_set("/app", app.data + "!", app.stat.version, use_awaitable);
}

void update_app(const std::string& urls) {
  boost::asio::io_context io;
  zabkeeper::Client client(io.get_executor(), {.servers = zabkeeper::servers(urls)});
  co_spawn(io, update(client), [&](const std::exception_ptr& failed) {
    if (failed) std::cerr << zabkeeper::error_of(failed).message << '\n';
    client.async_close([](const zabkeeper::Error&, const wire::ClosedReply&) {});
  });
  io.run();
}
// end

boost::asio::awaitable<void> values(zabkeeper::Client& client) {
  // page
  auto [error, reply] = co_await client.async_get("/missing", as_tuple(use_awaitable));
  if (!error) co_return;  // `reply` is the reply
  switch (error.code) {
    case zabkeeper::ErrorCode::no_node: co_return;
    default: throw zabkeeper::Failure(error);
  }
  // end
}

void use_values(const std::string& urls) {
  boost::asio::io_context io;
  zabkeeper::Client client(io.get_executor(), {.servers = zabkeeper::servers(urls)});
  co_spawn(io, values(client), [&](const std::exception_ptr& failed) {
    client.async_close([](const zabkeeper::Error&, const wire::ClosedReply&) {});
    if (failed) std::rethrow_exception(failed);
  });
  io.run();
}

void deadline(const std::string& urls) {
  const zabkeeper::Client client({.servers = zabkeeper::servers(urls)});
  // page
  const auto reply = client.within(std::chrono::milliseconds(500)).get("/app");
  // end
}

void locks(const std::string& urls) {
  const zabkeeper::Client client({.servers = zabkeeper::servers(urls)});
  // page
  const zabkeeper::Lock lock(client, "/locks/report");
  zabkeeper::Hold hold = lock.acquire_for(std::chrono::seconds(5)).value();
  client.only_if({hold.guard()}).put("/report", "made by " + hold.path()).value();
  hold.release().value();
  // end
}

void observers(const std::string& urls) {
  const zabkeeper::Client client({.servers = zabkeeper::servers(urls)});
  // page
  const zabkeeper::LeaderElection election(client, "/services/report");
  const auto observation = election.observe([](const zabkeeper::LeaderEvent& event) {
    const auto* changed = std::get_if<zabkeeper::LeaderChanged>(&event);
    if (changed && changed->leader) std::cout << "leader: " << changed->leader->value << '\n';
  });
  // end
  client.get("/app").value();
}

void caches(const std::string& urls) {
  const zabkeeper::Client client({.servers = zabkeeper::servers(urls)});
  // page
  const zabkeeper::TreeCache cache(client, {.path = "/services"});
  cache.wait_for(std::chrono::seconds(5)).value();
  const auto node = cache.get("/services/report");
  std::cout << (node ? node->data.get() : "missing") << '\n';
  // end
}

struct Settings {
  std::string colour;
  int size = 0;
};

void to_json(nlohmann::json& json, const Settings& settings) {
  json = {{"colour", settings.colour}, {"size", settings.size}};
}

void from_json(const nlohmann::json& json, Settings& settings) {
  json.at("colour").get_to(settings.colour);
  json.at("size").get_to(settings.size);
}

void data(const std::string& urls) {
  const zabkeeper::Client client({.servers = zabkeeper::servers(urls)});
  // page
  client.set("/settings", zabkeeper::to_data(Settings{"blue", 3})).value();
  const auto settings = zabkeeper::from_data<Settings>(client.get("/settings")->data);
  if (settings.has_error()) throw zabkeeper::Failure(settings.error());
  // end
}

}  // namespace client_page
