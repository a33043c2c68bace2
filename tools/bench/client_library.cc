#include "tools/bench/client_library.h"

#include <cstddef>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "client-lib/client.h"
#include "tools/bench/client_of_library.h"

namespace bench {
namespace {

namespace asio = boost::asio;

const std::string key = "/bench/0000";

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
  bool is_stopping = false;
  const std::function<void()> change = [&] {
    client.async_set(key, "x", [&](const zabkeeper::Error& error, auto&&) {
      require(error);
      if (!is_stopping) change();
    });
  };
  change();
  measurements.record("client.events", rate_of(io, time, [&] { return events; }));
  is_stopping = true;
  close_client(io, client);
}

}  // namespace

void measure_client_library(Ensemble& ensemble, Measurements& measurements, Micros time) {
  measure_gets(ensemble, measurements, time);
  measure_events(ensemble, measurements, time);
}

}  // namespace bench
