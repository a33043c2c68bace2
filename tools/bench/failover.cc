#include "tools/bench/failover.h"

#include <array>
#include <csignal>
#include <string>

#include "tools/bench/clock.h"
#include "tools/bench/writers.h"

namespace bench {
namespace {

struct Failure {
  int signal;
  std::string name;
  Micros window;  // the least time to run after it
  int trials;
};

void fail_once(Ensemble& ensemble, Measurements& measurements, const Failure& failure) {
  const std::size_t leader = ensemble.leader();
  Writers writers(ensemble, measurements);
  writers.run_for(seconds(0.4));
  writers.start_clock();
  ensemble.process(leader).send(failure.signal);
  writers.run_for(failure.window);
  for (int i = 0; i < 200 && writers.since_last_reply() > seconds(0.2); ++i) {
    writers.run_for(seconds(0.1));
  }
  measurements.record("failover." + failure.name,
                      static_cast<double>(writers.longest_gap()) / 1000);

  if (failure.signal == SIGSTOP) {
    ensemble.process(leader).send(SIGCONT);
  } else if (ensemble.process(leader).ends_within(seconds(5))) {
    ensemble.start(leader);
  } else {
    measurements.warn("the leader did not end within 5 seconds of " + failure.name);
    ensemble.process(leader).kill();
    ensemble.start(leader);
  }
  ensemble.wait_until_ready();
  writers.expect_all_answered("failover by " + failure.name);
}

}  // namespace

void measure_failover(Ensemble& ensemble, Measurements& measurements) {
  const std::array<Failure, 3> failures{{{SIGKILL, "kill", seconds(1), 10},
                                         {SIGTERM, "term", seconds(1), 5},
                                         {SIGSTOP, "stop", seconds(2), 3}}};
  for (const Failure& failure : failures) {
    for (int i = 0; i < failure.trials; ++i) fail_once(ensemble, measurements, failure);
  }
}

}  // namespace bench
