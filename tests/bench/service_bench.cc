#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <malloc.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "session/restoration.h"
#include "session/service.h"

// Measures the replicated state machine with a million nodes of 100 bytes, without a network, a log
// or watches.
namespace {

using session::Command;
using session::CommandBody;
using session::Service;

constexpr int folders = 1000;
constexpr int nodes_per_folder = 1000;

wire::CreateRequest create_request(std::string path, std::size_t bytes) {
  wire::CreateRequest request;
  request.path = std::move(path);
  request.data = wire::Bytes(bytes, 'x');
  return request;
}

std::string folder(std::uint64_t number) { return "/folder-" + std::to_string(number % folders); }
std::string node(std::uint64_t number) {
  return folder(number) + "/node-" + std::to_string(number / folders % nodes_per_folder);
}

// A permutation of the node numbers, so that successive paths are not neighbours in memory.
std::uint64_t spread_out(std::uint64_t number) { return number * 7919 % 1'000'000; }

// A leader without followers: the benchmark decides when a plan is applied.
class Leader {
 public:
  Leader() {
    must({{}, {1, 1}, 1, session::OpenSession{}});
    session_ = service.sessions().all().begin()->first;
  }

  wire::Bytes plan(CommandBody body) {
    return *service.plan({session_, {1, 1}, 1, std::move(body)}, time_ += 1);
  }
  session::Applied apply(const wire::Bytes& bytes) {
    return *service.apply({{1}, ++count_}, bytes);
  }
  void run(CommandBody body) { must({session_, {1, 1}, 1, std::move(body)}); }

  Service service;

 private:
  void must(const Command& command) { apply(*service.plan(command, time_ += 1)); }

  wire::SessionId session_;
  std::uint64_t count_ = 0;
  wire::TimeMs time_ = 1;
};

// Created once, and shared by the benchmarks. Each benchmark leaves it unchanged, or with a few
// more nodes.
Leader& leader_of_a_million_nodes() {
  static std::size_t bytes_before = mallinfo2().uordblks;
  static Leader* leader = [] {
    auto* created_leader = new Leader;
    for (int i = 0; i < folders; ++i) created_leader->run(create_request(folder(i), 0));
    for (int i = 0; i < folders * nodes_per_folder; ++i) {
      created_leader->run(create_request(node(static_cast<std::uint64_t>(i)), 100));
    }
    return created_leader;
  }();
  static const std::size_t bytes = mallinfo2().uordblks - bytes_before;
  static bool printed = false;
  if (!std::exchange(printed, true)) {
    std::printf("a million nodes of 100 bytes: %zu MB, of which the history has %zu\n",
                bytes / 1'000'000, leader->service.watches().history().bytes() / 1'000'000);
  }
  return *leader;
}

// This many plans are outstanding before any is applied, as while a leader waits for its quorum.
constexpr std::size_t batch_transactions = 1000;

template <class MakeBody>
void apply_batches(benchmark::State& state, const MakeBody& make_body) {
  Leader& leader = leader_of_a_million_nodes();
  std::uint64_t number = 0;
  std::vector<wire::Bytes> planned;
  for (auto _ : state) {
    state.PauseTiming();
    planned.clear();
    for (std::size_t i = 0; i < batch_transactions; ++i)
      planned.push_back(leader.plan(make_body(++number)));
    state.ResumeTiming();
    for (const wire::Bytes& bytes : planned) benchmark::DoNotOptimize(leader.apply(bytes));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch_transactions));
}

template <class MakeBody>
void plan_batches(benchmark::State& state, const MakeBody& make_body) {
  Leader& leader = leader_of_a_million_nodes();
  std::uint64_t number = 0;
  std::vector<wire::Bytes> planned;
  std::vector<CommandBody> bodies;
  for (auto _ : state) {
    state.PauseTiming();
    for (const wire::Bytes& bytes : planned) leader.apply(bytes);
    planned.clear();
    bodies.clear();
    for (std::size_t i = 0; i < batch_transactions; ++i) bodies.push_back(make_body(++number));
    state.ResumeTiming();
    for (CommandBody& body : bodies) planned.push_back(leader.plan(std::move(body)));
  }
  for (const wire::Bytes& bytes : planned) leader.apply(bytes);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch_transactions));
}

std::uint64_t created = 0;

CommandBody set_body(std::uint64_t number) {
  return wire::SetRequest{node(spread_out(number)), wire::Bytes(100, 'z')};
}
CommandBody create_body(std::uint64_t number) {
  return create_request(folder(spread_out(number)) + "/new-" + std::to_string(++created), 100);
}

void apply_set(benchmark::State& state) { apply_batches(state, set_body); }
void apply_create(benchmark::State& state) { apply_batches(state, create_body); }
void plan_sets(benchmark::State& state) { plan_batches(state, set_body); }
void plan_creates(benchmark::State& state) { plan_batches(state, create_body); }

// Percentiles of the time to apply one transaction. `none`: no image is collected. `periodic`: an
// image is begun after every `image_interval` transactions, as in a server; only transactions
// during an image are counted. `always`: the next image is begun as soon as the last one is
// complete.
enum class Images { none, periodic, always };
constexpr std::uint64_t image_interval = 100'000;

void apply_set_percentiles(benchmark::State& state, Images images_wanted) {
  constexpr std::size_t batch_size = 64;  // transactions between two calls of `collect_image`
  constexpr std::size_t records_per_call = 128;
  Leader& leader = leader_of_a_million_nodes();
  std::uint64_t number = 0;
  std::uint64_t images = 0;
  bool collecting = false;
  std::vector<std::int64_t> times;
  std::vector<session::Record> records;
  std::vector<wire::Bytes> planned;
  for (auto _ : state) {
    state.PauseTiming();
    const bool due = images_wanted == Images::always ||
                     (images_wanted == Images::periodic && number % image_interval < batch_size);
    if (due && !collecting) {
      leader.service.begin_image();
      collecting = true;
      images += 1;
    }
    if (collecting) collecting = !leader.service.collect_image(records_per_call, records);
    records.clear();
    planned.clear();
    for (std::size_t i = 0; i < batch_size; ++i) planned.push_back(leader.plan(set_body(++number)));
    state.ResumeTiming();
    for (const wire::Bytes& bytes : planned) {
      const auto start = std::chrono::steady_clock::now();
      benchmark::DoNotOptimize(leader.apply(bytes));
      const auto time = (std::chrono::steady_clock::now() - start).count();
      if (collecting || images_wanted == Images::none) times.push_back(time);
    }
  }
  while (collecting) collecting = !leader.service.collect_image(1'000'000, records);
  std::ranges::sort(times);
  const auto percentile = [&](double part) {
    return static_cast<double>(
        times[static_cast<std::size_t>(static_cast<double>(times.size() - 1) * part)]);
  };
  state.counters["p50_ns"] = percentile(0.5);
  state.counters["p99.9_ns"] = percentile(0.999);
  state.counters["images"] = static_cast<double>(images);
}

// Restores a service from the records of an image, as a start does from a checkpoint. The file is
// not read.
void restore_million(benchmark::State& state) {
  std::vector<session::Record> records;
  {
    Leader leader;
    for (int i = 0; i < folders; ++i) leader.run(create_request(folder(i), 0));
    for (int i = 0; i < folders * nodes_per_folder; ++i) {
      leader.run(create_request(node(static_cast<std::uint64_t>(i)), 100));
    }
    leader.service.begin_image();
    while (!leader.service.collect_image(1'000'000, records)) {
    }
    std::ranges::sort(records, {}, &session::Record::key);
  }
  for (auto _ : state) {
    session::Restoration restoration;
    for (const session::Record& record : records) {
      if (!restoration.add(record.key, *record.value)) return state.SkipWithError("refused");
    }
    auto restored = restoration.finish();
    if (!restored) return state.SkipWithError("its digest is another");
    state.PauseTiming();
    restored = wire::Error{};
    state.ResumeTiming();
  }
}

// The bytes that malloc has handed out, with its overhead and the blocks that it mapped separately.
std::size_t allocated_bytes() {
  const auto now = mallinfo2();
  return now.uordblks + now.hblkhd;
}

// A hundred sessions with ten thousand watches each. No two watches are on the same node.
void million_watches(benchmark::State& state) {
  constexpr std::uint64_t sessions = 100;
  constexpr std::uint64_t watches_per_session = 10'000;
  double bytes = 0;
  for (auto _ : state) {
    session::Watches watches({});
    const std::size_t before = allocated_bytes();
    for (std::uint64_t i = 0; i < sessions * watches_per_session; ++i) {
      session::Watch watch;
      watch.path = node(i);
      watch.interest = {true, true, true, false};
      const wire::RequestId id{std::to_string(i / sessions)};
      benchmark::DoNotOptimize(watches.add({1 + i % sessions}, id, watch));
    }
    bytes = static_cast<double>(allocated_bytes() - before);
  }
  state.counters["MB"] = bytes / 1e6;
}

// Finds a node and copies its data. The paths are too many for the processor's caches.
void get(benchmark::State& state) {
  Leader& leader = leader_of_a_million_nodes();
  std::vector<wire::GetRequest> requests;
  for (std::uint64_t i = 0; i < 100'000; ++i) requests.push_back({node(spread_out(i)), {}});
  const znode::Caller anyone;
  std::size_t at = 0;
  for (auto _ : state) {
    znode::ReplyBudget budget;
    benchmark::DoNotOptimize(znode::read(requests[at], anyone, leader.service.tree(), budget));
    at = at + 1 == requests.size() ? 0 : at + 1;
  }
}

void make_subtree(Leader& leader, std::int64_t size) {
  leader.run(create_request("/subtree", 0));
  for (std::int64_t i = 1; i < size; ++i) {
    leader.run(create_request("/subtree/" + std::to_string(i), 100));
  }
}

void delete_subtree(benchmark::State& state) {
  Leader leader;
  for (auto _ : state) {
    state.PauseTiming();
    make_subtree(leader, state.range(0));
    state.ResumeTiming();
    leader.run(wire::DeleteRequest{"/subtree", wire::any_version, true});
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void close_session(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    std::optional<Leader> leader(std::in_place);
    leader->run(create_request("/parent", 0));
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      wire::CreateRequest request = create_request("/parent/" + std::to_string(i), 10);
      request.ephemeral = true;
      leader->run(request);
    }
    state.ResumeTiming();
    leader->run(session::CloseSession{});
    state.PauseTiming();
    leader.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

}  // namespace

BENCHMARK(plan_sets)->Unit(benchmark::kMicrosecond);
BENCHMARK(plan_creates)->Unit(benchmark::kMicrosecond);
BENCHMARK(apply_set)->Unit(benchmark::kMicrosecond);
BENCHMARK(apply_create)->Unit(benchmark::kMicrosecond);
constexpr auto percentiles = [](benchmark::internal::Benchmark* measurement) {
  measurement->Iterations(20'000)->Unit(benchmark::kMicrosecond);
};
BENCHMARK_CAPTURE(apply_set_percentiles, no_images, Images::none)->Apply(percentiles);
BENCHMARK_CAPTURE(apply_set_percentiles, images, Images::periodic)->Apply(percentiles);
BENCHMARK_CAPTURE(apply_set_percentiles, only_images, Images::always)->Apply(percentiles);
BENCHMARK(restore_million)->Unit(benchmark::kMillisecond);
BENCHMARK(million_watches)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(get);
BENCHMARK(delete_subtree)->Arg(10'000)->Arg(50'000)->Unit(benchmark::kMillisecond);
BENCHMARK(close_session)->Arg(10'000)->Arg(50'000)->Unit(benchmark::kMillisecond);
