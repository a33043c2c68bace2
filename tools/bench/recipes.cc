#include "tools/bench/recipes.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "client-lib/client.h"
#include "client-lib/double_barrier.h"
#include "client-lib/leader_election.h"
#include "client-lib/lock.h"
#include "tools/bench/client_of_library.h"

namespace bench {
namespace {

// Acquires and releases a lock in a loop.
class Contender {
 public:
  Contender(boost::asio::io_context& io, const zabkeeper::Options& options, const std::string& path)
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

// Enters and leaves a double barrier in a loop.
class Visitor {
 public:
  Visitor(boost::asio::io_context& io, const zabkeeper::Options& options, const std::string& path,
          std::size_t participants)
      : client(io.get_executor(), options), barrier_(client, path, participants) {}

  void enter() {
    barrier_.async_enter([this](const zabkeeper::Error& error, zabkeeper::Entered) {
      if (is_stopping) return;
      require(error);
      barrier_.async_leave([this](const zabkeeper::Error& failed, const zabkeeper::Left&) {
        if (is_stopping) return;
        require(failed);
        ++generations;
        enter();
      });
    });
  }

  zabkeeper::Client client;
  std::size_t generations = 0;
  bool is_stopping = false;

 private:
  zabkeeper::DoubleBarrier barrier_;
};

// Two candidates: the leader resigns at once, and campaigns again.
class Candidates {
 public:
  Candidates(boost::asio::io_context& io, const zabkeeper::Options& options)
      : first_(io.get_executor(), options), second_(io.get_executor(), options) {
    campaign(first_);
    campaign(second_);
  }

  bool is_stopping = false;
  std::vector<double> gaps;  // us
  zabkeeper::Client& first() { return first_; }
  zabkeeper::Client& second() { return second_; }

 private:
  void campaign(zabkeeper::Client& client) {
    const zabkeeper::LeaderElection election(client, "/bench-election");
    election.candidate("here").async_acquire(
        [this, &client](const zabkeeper::Error& error, zabkeeper::Hold leadership) {
          if (is_stopping) return;
          require(error);
          if (resigned_ > 0) gaps.push_back(static_cast<double>(now() - resigned_));
          // The other candidate must be in line before this one resigns.
          client.async_children("/bench-election", [this, &client, held = std::move(leadership)](
                                                       const zabkeeper::Error& failed,
                                                       const wire::ChildrenReply& line) mutable {
            if (is_stopping) return;
            require(failed);
            resigned_ = line.children.size() > 1 ? now() : 0;
            held = {};
            campaign(client);
          });
        });
  }

  zabkeeper::Client first_;
  zabkeeper::Client second_;
  Micros resigned_ = 0;  // 0: nobody was in line
};

}  // namespace

void measure_locks(Ensemble& ensemble, Measurements& measurements, std::size_t contenders,
                   Micros time) {
  boost::asio::io_context io{1};
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
  measurements.record(name, rate_of(io, time, cycles));
  for (const auto& each : all) each->is_stopping = true;
  for (const auto& each : all) {
    run_until(io, [&] { return each->is_idle; });
    close_client(io, each->client);
  }
}

void measure_double_barrier(Ensemble& ensemble, Measurements& measurements,
                            std::size_t participants, Micros time) {
  boost::asio::io_context io{1};
  const std::string name = "barrier." + std::to_string(participants);
  std::vector<std::unique_ptr<Visitor>> all;
  for (std::size_t i = 0; i < participants; ++i) {
    all.push_back(std::make_unique<Visitor>(io, options_for_ports(ensemble, 3), "/bench-" + name,
                                            participants));
    all.back()->enter();
  }
  const auto generations = [&] { return all.front()->generations; };
  run_until(io, [&] { return generations() > 2; });
  measurements.record(name, rate_of(io, time, generations));
  for (const auto& each : all) each->is_stopping = true;
  for (const auto& each : all) close_client(io, each->client);
}

void measure_resignations(Ensemble& ensemble, Measurements& measurements, Micros time) {
  boost::asio::io_context io{1};
  Candidates candidates(io, options_for_ports(ensemble, 3));
  run_until(io, [&] { return candidates.gaps.size() > 10; });
  candidates.gaps.clear();
  run_for(io, time);
  measurements.record("election.p50", percentile(candidates.gaps, 0.5));
  candidates.is_stopping = true;
  close_client(io, candidates.first());
  close_client(io, candidates.second());
}

}  // namespace bench
