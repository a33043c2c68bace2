#include "tools/bench/client_library.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "client-lib/client.h"
#include "client-lib/lock.h"

namespace bench {
namespace {

namespace asio = boost::asio;

const std::string key = "/bench/0000";

zabkeeper::Options options_for_ports(Ensemble& ensemble, std::size_t servers) {
  zabkeeper::Options options;
  options.servers.clear();
  for (std::size_t i = 0; i < servers; ++i) {
    options.servers.push_back({{"127.0.0.1", ensemble.port(ensemble.follower() + i)}});
  }
  options.follow_servers = false;
  return options;
}

void require(const zabkeeper::Error& error) {
  if (error) throw std::runtime_error("a request of the C++ client: " + error.message);
}

double thread_cpu_micros() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

// Keeps so many gets under way, and counts replies.
class Gets {
 public:
  Gets(zabkeeper::Client& client, std::size_t outstanding) : client_(client) {
    for (std::size_t i = 0; i < outstanding; ++i) send();
  }

  void stop() { is_stopping_ = true; }
  std::size_t replies = 0;
  std::vector<double> latencies;  // us

 private:
  void send() {
    client_.async_get(key, [this, sent = now()](const zabkeeper::Error& error, auto&&) {
      require(error);
      ++replies;
      latencies.push_back(static_cast<double>(now() - sent));
      if (!is_stopping_) send();
    });
  }

  zabkeeper::Client& client_;
  bool is_stopping_ = false;
};

// Runs the handlers of the executor for so long.
void run_for(asio::io_context& io, Micros time) { io.run_for(std::chrono::microseconds(time)); }

void run_until(asio::io_context& io, const std::function<bool()>& is_done) {
  const Micros deadline = now() + seconds(20);
  while (!is_done()) {
    if (now() > deadline) throw std::runtime_error("the C++ client got no reply for 20 seconds");
    io.run_one_for(std::chrono::milliseconds(100));
  }
}

void close_client(asio::io_context& io, zabkeeper::Client& client) {
  bool is_closed = false;
  client.async_close([&](const zabkeeper::Error&, const wire::ClosedReply&) { is_closed = true; });
  run_until(io, [&] { return is_closed; });
}

void measure_gets(Ensemble& ensemble, Measurements& measurements, Micros time) {
  for (const std::size_t outstanding : {1, 64}) {
    asio::io_context io{1};
    zabkeeper::Client client(io.get_executor(), options_for_ports(ensemble, 1));
    Gets gets(client, outstanding);
    run_until(io, [&] { return gets.replies > 1000; });
    gets.replies = 0;
    gets.latencies.clear();
    const double before = thread_cpu_micros();
    run_for(io, time);
    const double cpu = thread_cpu_micros() - before;
    const auto replies = static_cast<double>(gets.replies);
    if (outstanding == 1) {
      measurements.record("client.p50", percentile(gets.latencies, 0.5));
    } else {
      measurements.record("client.own", cpu / replies);
      measurements.record("client.rate", replies * 1e6 / static_cast<double>(time));
    }
    gets.stop();
    close_client(io, client);
  }
}

// One client watches a node a thousand times, so each set causes a thousand events.
void measure_events(Ensemble& ensemble, Measurements& measurements, Micros time) {
  static constexpr std::size_t watches = 1000;
  asio::io_context io{1};
  zabkeeper::Client client(io.get_executor(), options_for_ports(ensemble, 1));
  std::size_t set = 0;
  std::size_t events = 0;
  for (std::size_t i = 0; i < watches; ++i) {
    client.async_watch(
        key, {}, [&](const zabkeeper::Result<wire::WatchEvent>& event) { events += event ? 1 : 0; },
        [&](const zabkeeper::Error& error, auto&&) {
          require(error);
          ++set;
        });
  }
  run_until(io, [&] { return set == watches; });
  events = 0;
  bool is_stopping = false;
  const std::function<void()> change = [&] {
    client.async_set(key, "x", [&](const zabkeeper::Error& error, auto&&) {
      require(error);
      if (!is_stopping) change();
    });
  };
  change();
  run_for(io, time);
  measurements.record("client.events",
                      static_cast<double>(events) * 1e6 / static_cast<double>(time));
  is_stopping = true;
  close_client(io, client);
}

// Acquires and releases a lock in a loop.
class Contender {
 public:
  Contender(asio::io_context& io, const zabkeeper::Options& options, const std::string& path)
      : client(io.get_executor(), options), lock_(client, path) {}

  // The destructor of the hold releases it. The next acquisition need not wait for that: it is sent
  // after the release.
  void acquire() {
    lock_.async_acquire([this](const zabkeeper::Error& error, zabkeeper::Hold hold) {
      require(error);
      hold = {};
      ++cycles;
      is_idle = is_stopping;
      if (!is_stopping) acquire();
    });
  }

  zabkeeper::Client client;
  std::size_t cycles = 0;
  bool is_stopping = false;
  bool is_idle = false;

 private:
  zabkeeper::Lock lock_;
};

}  // namespace

void measure_client_library(Ensemble& ensemble, Measurements& measurements, Micros time) {
  measure_gets(ensemble, measurements, time);
  measure_events(ensemble, measurements, time);
}

void measure_locks(Ensemble& ensemble, Measurements& measurements, std::size_t contenders,
                   Micros time) {
  asio::io_context io{1};
  std::vector<std::unique_ptr<Contender>> all;
  const std::string name = "lock." + std::to_string(contenders);
  for (std::size_t i = 0; i < contenders; ++i) {
    all.push_back(std::make_unique<Contender>(io, options_for_ports(ensemble, 3), "/" + name));
    all.back()->acquire();
  }
  const auto cycles = [&] {
    std::size_t sum = 0;
    for (const auto& each : all) sum += each->cycles;
    return sum;
  };
  run_until(io, [&] { return cycles() > 2 * contenders; });
  const std::size_t before = cycles();
  run_for(io, time);
  measurements.record(name,
                      static_cast<double>(cycles() - before) * 1e6 / static_cast<double>(time));
  for (const auto& each : all) each->is_stopping = true;
  for (const auto& each : all) {
    run_until(io, [&] { return each->is_idle; });
    close_client(io, each->client);
  }
}

}  // namespace bench
