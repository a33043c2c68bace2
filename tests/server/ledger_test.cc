#include "server/budgets/ledger.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "server/budgets/network.h"
#include "tests/support/byte_counts.h"

namespace {

using server::Account;
using server::account_of;
using server::Budget;
using server::BudgetLimits;
using server::Charge;
using server::Holding;
using server::Ledger;
using server::Measure;
using support::kibibyte;
using support::mebibyte;

// Every address may have 60 KiB, and the server 100 KiB.
constexpr BudgetLimits small{server::unlimited, 60 * kibibyte, 100 * kibibyte};
std::shared_ptr<Ledger> small_ledger() { return Ledger::make(0, {small, small, small, small}); }

TEST_CASE("the addresses of one IPv6 network share their limits") {
  const auto ledger = small_ledger();
  const auto accounts = ledger->of("2001:db8:1:2::1");
  CHECK(ledger->of("2001:db8:1:2:ffff::77") == accounts);
  CHECK(ledger->of("2001:db8:1:2::1%eth0") == accounts);
  CHECK(ledger->of("2001:db8:1:3::1") != accounts);
  CHECK(ledger->of("10.0.0.1") != ledger->of("10.0.0.2"));
  CHECK(server::network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(server::network_of("::ffff:10.0.0.1") == "::ffff:10.0.0.1");
  CHECK(server::network_of("turns") == "turns");
}

TEST_CASE("an account's second half is for holders of less than an equal share") {
  struct Row {
    std::size_t used;
    int holders;
    std::size_t held;
    std::size_t wanted;
    std::size_t room;
  };
  for (const Row& row : {
           Row{0, 0, 0, 100, 100},
           Row{100, 1, 100, 400, 400},  // any holder may use the first half
           Row{100, 1, 100, 500, 400},  // one holder: its share is the half
           Row{500, 2, 500, 10, 0},     // it has more than its share of 250
           Row{500, 2, 0, 300, 250},    // it has less
           Row{500, 5, 40, 300, 60},
           Row{950, 2, 0, 300, 50},  // never above the limit
           Row{1000, 2, 0, 1, 0},
           Row{2000, 2, 0, 1, 0},
       }) {
    CAPTURE(row.used);
    CAPTURE(row.held);
    Account account(1000);
    account.add(row.used);
    for (int i = 0; i < row.holders; ++i) account.add_holder();
    CHECK(account.room(row.held, row.wanted) == row.room);
  }
  CHECK(Account().room(7, mebibyte) == mebibyte);
}

TEST_CASE("if all holders need more than their shares, they get it one after another") {
  const auto account = std::make_shared<Account>(100 * kibibyte);
  std::vector<Holding> holders;
  for (int i = 0; i < 10; ++i) {
    holders.emplace_back(account);
    holders.back().set(6 * kibibyte);
  }
  CHECK(holders[0].room(kibibyte) == 0);
  CHECK(holders[0].room_to_end(kibibyte, 40 * kibibyte) == 0);  // too much
  CHECK(holders[0].room_to_end(10 * kibibyte, 20 * kibibyte) == 10 * kibibyte);
  CHECK(account->used() >= 80 * kibibyte);
  CHECK(holders[1].room_to_end(kibibyte, 2 * kibibyte) == 0);  // one at a time
  holders[0].set(16 * kibibyte);
  CHECK(holders[0].room_to_end(10 * kibibyte, 10 * kibibyte) == 10 * kibibyte);
  holders[0].set(0);
  CHECK(account->used() == 54 * kibibyte);

  CHECK(holders[1].room_to_end(10 * kibibyte, 20 * kibibyte) == 10 * kibibyte);
  holders[1].has_ended();
  CHECK(account->used() == 54 * kibibyte);
  CHECK(holders[2].room_to_end(10 * kibibyte, 20 * kibibyte) == 10 * kibibyte);
  holders.clear();
  CHECK(account->used() == 0);
  Holding later(account);
  later.set(60 * kibibyte);
  CHECK(later.room_to_end(10 * kibibyte, 20 * kibibyte) == 10 * kibibyte);
}

TEST_CASE("a connection is charged in whole KiB, to its address and to the server") {
  const auto ledger = small_ledger();
  const auto accounts = ledger->of("10.0.0.1");
  Account& address = (*accounts)[Budget::waiting];
  {
    Holding holding(account_of(accounts, Budget::waiting));
    for (const auto& [bytes, charged] :
         {std::pair{1023, 0}, {1024, 1024}, {5000, 4096}, {2047, 1024}, {3072, 3072}}) {
      holding.set(static_cast<std::size_t>(bytes));
      CHECK(holding.bytes() == static_cast<std::size_t>(bytes));
      CHECK(address.used() == static_cast<std::size_t>(charged));
      CHECK(ledger->server(Budget::waiting).used() == static_cast<std::size_t>(charged));
    }
    Holding moved(std::move(holding));
    CHECK(address.used() == 3072);
    CHECK(ledger->server(Budget::requests).used() == 0);
  }
  CHECK(address.used() == 0);
  CHECK(ledger->server(Budget::waiting).used() == 0);
}

TEST_CASE("a charge of less than a KiB always has room") {
  const auto ledger = small_ledger();
  const auto accounts = ledger->of("10.0.0.1");
  Holding greedy(account_of(accounts, Budget::unfinished));
  greedy.set(70 * kibibyte);
  CHECK(greedy.room(1) == 0);
  CHECK(greedy.is_over());
  Holding modest(account_of(accounts, Budget::unfinished));
  CHECK(modest.room(5000) == 1023);
  modest.set(1000);
  CHECK(modest.room(5000) == 23);
  CHECK_FALSE(modest.is_over());
}

TEST_CASE("the budget of an address keeps room for other addresses") {
  const auto ledger = small_ledger();
  std::vector<Holding> greedy;
  for (int i = 0; i < 50; ++i) {
    greedy.emplace_back(account_of(ledger->of("10.0.0.1"), Budget::waiting));
    greedy.back().set(greedy.back().room(50 * kibibyte));
  }
  CHECK(ledger->server(Budget::waiting).used() <= 60 * kibibyte);
  Holding bystander(account_of(ledger->of("10.0.0.2"), Budget::waiting));
  CHECK_FALSE(greedy.front().fits_server(50 * kibibyte));
  CHECK(bystander.fits(900));
  CHECK(bystander.fits_server(900));
}

TEST_CASE("an address has accounts as long as anything refers to them") {
  const auto ledger = small_ledger();
  auto first = ledger->of("10.0.0.1");
  CHECK(ledger->of("10.0.0.1") == first);
  CHECK(ledger->of("10.0.0.2") != first);
  CHECK(ledger->addresses() == 1);
  Charge charge(account_of(first, Budget::requests), 5000);
  first = nullptr;
  CHECK(ledger->addresses() == 1);
  CHECK(ledger->server(Budget::requests).used() == 5000);
  Charge moved;
  moved = std::move(charge);
  moved.give_back();
  CHECK(ledger->addresses() == 0);
  CHECK(ledger->server(Budget::requests).used() == 0);
}

TEST_CASE("threads charge one account, and all of it is given back") {
  const auto ledger = small_ledger();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&ledger, i] {
      for (std::size_t round = 0; round < 1000; ++round) {
        const auto accounts = ledger->of("10.0.0." + std::to_string(i / 2));
        Holding holding(account_of(accounts, Budget::waiting));
        holding.set(round * 37);
        const Charge charge(account_of(accounts, Budget::requests), round);
        ledger->count(Budget::waiting, Measure::closed);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(ledger->addresses() == 0);
  CHECK(ledger->server(Budget::waiting).used() == 0);
  CHECK(ledger->server(Budget::requests).used() == 0);
  CHECK(ledger->counted(Budget::waiting, Measure::closed) == 4000);
}

const BudgetLimits& of(const server::BudgetTable& table, Budget budget) {
  return table[static_cast<std::size_t>(budget)];
}

TEST_CASE("the budgets are parts of the memory limit, and have a limit of their own") {
  struct Row {
    std::size_t memory;
    Budget budget;
    std::size_t address;
    std::size_t server;
  };
  for (const Row& row : {
           Row{64 * mebibyte, Budget::unfinished, 2, 4},
           Row{64 * mebibyte, Budget::requests, 4, 8},
           Row{64 * mebibyte, Budget::waiting, 4, 8},
           Row{1024 * mebibyte, Budget::unfinished, 32, 64},
           Row{1024 * mebibyte, Budget::waiting, 64, 128},
           Row{64 * 1024 * mebibyte, Budget::unfinished, 64, 256},
           Row{64 * 1024 * mebibyte, Budget::requests, 64, 512},
           Row{64 * 1024 * mebibyte, Budget::waiting, 128, 512},
           Row{64 * mebibyte, Budget::watches, 2, 4},
           Row{1024 * mebibyte, Budget::watches, 32, 64},
           Row{64 * 1024 * mebibyte, Budget::watches, 128, 4096},
       }) {
    CAPTURE(row.memory);
    CAPTURE(name(row.budget));
    const BudgetLimits limits = of(server::budget_table(row.memory), row.budget);
    CHECK(limits.address == row.address * mebibyte);
    CHECK(limits.server == row.server * mebibyte);
    CHECK(limits.connection <= limits.address / 2);
  }
  const server::BudgetTable large = server::budget_table(std::uint64_t{1} << 40);
  CHECK(of(large, Budget::requests).connection == 32 * mebibyte);
  CHECK(of(large, Budget::waiting).connection == 16 * mebibyte);
}

TEST_CASE("every budget of messages has room for the largest one, whatever the memory limit") {
  const server::BudgetTable table = server::budget_table(64 * mebibyte, 300 * mebibyte);
  for (const Budget budget : {Budget::unfinished, Budget::requests, Budget::waiting}) {
    const BudgetLimits limits = of(table, budget);
    Account account(limits.address);
    CHECK(account.room(0, 300 * mebibyte) == 300 * mebibyte);
    CHECK(limits.connection >= 300 * mebibyte);
    CHECK(limits.server >= limits.address);
  }
  CHECK(of(table, Budget::watches).server == 4 * mebibyte);
  CHECK(server::message_budgets(64 * mebibyte, 300 * mebibyte) == 3 * 600 * mebibyte);
  CHECK(server::message_budgets(64 * mebibyte, mebibyte) == 20 * mebibyte);
}

}  // namespace
