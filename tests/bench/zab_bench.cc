#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "zab/peer.h"

// Measures the protocol itself, without a network or a disk. A time is of one batch; an item is one
// transaction.
namespace {

using zab::Effects;
using zab::Peer;
using zab::ServerId;
using zab::Zxid;

constexpr ServerId leader{3};

zab::Ensemble three_voters() { return zab::Ensemble({{.id = {1}}, {.id = {2}}, {.id = {3}}}); }

zab::Payload payload() {
  static const auto made = std::make_shared<const wire::Bytes>(wire::Bytes(100, 'x'));
  return made;
}

// Three peers that have elected a leader. Each message is delivered in the order in which it was
// sent, until none is left.
struct ThreePeers {
  std::vector<Peer> peers;
  std::deque<std::pair<ServerId, zab::Envelope>> in_transit;

  ThreePeers() {
    for (std::uint32_t id = 1; id <= 3; ++id)
      peers.emplace_back(ServerId{id}, three_voters(), zab::PeerLimits{}, zab::Durable{},
                         zab::ClusterId{1, 1});
    for (Peer& peer : peers) static_cast<void>(peer.start());
    for (std::uint32_t from = 1; from <= 3; ++from) {
      for (std::uint32_t to = 1; to <= 3; ++to) {
        if (from != to) step({from}, zab::LinkUp{{to}});
      }
    }
    while (!in_transit.empty()) {
      const auto [from, envelope] = std::move(in_transit.front());
      in_transit.pop_front();
      step(envelope.to, zab::Received{from, envelope.message});
    }
  }

  Peer& peer(ServerId id) { return peers[id.value - 1]; }
  void step(ServerId id, zab::Event event) {
    Effects effects = peer(id).step(std::move(event));
    for (auto* list : {&effects.send, &effects.confirm}) {
      for (zab::Envelope& envelope : *list) in_transit.emplace_back(id, std::move(envelope));
    }
  }
};

// The ensemble is made anew after this many transactions, so that its history does not outgrow the
// cache and the memory.
constexpr std::uint64_t transactions_max = 1u << 18;

// All steps of a leader for one batch: the submits, whose effects are merged, then its own ack and
// one follower's ack, which commit the batch, then the other follower's ack.
void leader_batch(benchmark::State& state) {
  const auto batch = static_cast<std::uint64_t>(state.range(0));
  auto ensemble = std::make_unique<ThreePeers>();
  std::uint64_t counter = 0;
  for (auto _ : state) {
    if (counter > transactions_max) {
      state.PauseTiming();
      ensemble = std::make_unique<ThreePeers>();
      counter = 0;
      state.ResumeTiming();
    }
    Peer& peer = ensemble->peer(leader);
    Effects effects;
    for (std::uint64_t i = 0; i < batch; ++i) effects += peer.step(zab::Submit{payload()});
    benchmark::DoNotOptimize(effects);
    counter += batch;
    const Zxid last{peer.role_status().epoch, counter};
    Effects committed = peer.step(zab::Received{leader, zab::Ack{last}});
    committed += peer.step(zab::Received{{1}, zab::Ack{last}});
    committed += peer.step(zab::Received{{2}, zab::Ack{last}});
    if (committed.deliver.size() != batch) state.SkipWithError("the batch was not committed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(leader_batch)->Arg(1)->Arg(64)->Arg(1024);

// All steps of a follower for one batch: the proposals, then the commit.
void follower_batch(benchmark::State& state) {
  const auto batch = static_cast<std::uint64_t>(state.range(0));
  auto ensemble = std::make_unique<ThreePeers>();
  std::uint64_t counter = 0;
  for (auto _ : state) {
    if (counter > transactions_max) {
      state.PauseTiming();
      ensemble = std::make_unique<ThreePeers>();
      counter = 0;
      state.ResumeTiming();
    }
    Peer& peer = ensemble->peer({1});
    const zab::Epoch epoch = peer.role_status().epoch;
    Effects effects;
    for (std::uint64_t i = 0; i < batch; ++i) {
      effects += peer.step(zab::Received{leader, zab::Proposal{{epoch, ++counter}, payload()}});
    }
    benchmark::DoNotOptimize(effects);
    const Effects committed = peer.step(zab::Received{leader, zab::Commit{{epoch, counter}}});
    if (committed.deliver.size() != batch) state.SkipWithError("the batch was not committed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(follower_batch)->Arg(1)->Arg(64)->Arg(1024);

// One ack for each transaction, as from a follower that syncs its log after every transaction.
void leader_handles_acks(benchmark::State& state) {
  auto ensemble = std::make_unique<ThreePeers>();
  std::uint64_t counter = 0;
  for (auto _ : state) {
    state.PauseTiming();
    if (counter > transactions_max) {
      ensemble = std::make_unique<ThreePeers>();
      counter = 0;
    }
    Peer& peer = ensemble->peer(leader);
    for (int i = 0; i < 1024; ++i) static_cast<void>(peer.step(zab::Submit{payload()}));
    const std::uint64_t last = counter + 1024;
    static_cast<void>(peer.step(zab::Received{leader, zab::Ack{{peer.role_status().epoch, last}}}));
    state.ResumeTiming();
    while (counter < last) {
      const Zxid zxid{peer.role_status().epoch, ++counter};
      benchmark::DoNotOptimize(peer.step(zab::Received{{1}, zab::Ack{zxid}}));
    }
  }
  state.SetItemsProcessed(state.iterations() * 1024);
}
BENCHMARK(leader_handles_acks);

}  // namespace
