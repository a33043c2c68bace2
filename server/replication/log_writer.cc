#include "server/replication/log_writer.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>
#include <variant>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "server/threads/thread.h"

namespace server {
namespace {

// After this time without a write the log is marked. It is long enough not to delay a client that
// waits for one write before it sends the next.
constexpr std::chrono::milliseconds idle{200};

}  // namespace

LogWriter::LogWriter(boost::asio::io_context& io, storage::Log log, IncomingSnapshot& snapshot,
                     std::function<void(const wire::Error&)> failed)
    : io_(io),
      log_(std::move(log)),
      snapshot_(snapshot),
      failed_(std::move(failed)),
      greatest_level_(log_.greatest_level().value),
      thread_(start_thread("that writes the log", [this] { run(); })) {}

LogWriter::~LogWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LogWriter::write(std::vector<zab::Persist> persist, std::function<void()> done) {
  waiting_ += 1;
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back({std::move(persist), std::move(done), std::nullopt});
  }
  wake_.notify_one();
}

void LogWriter::read(zab::Point after, std::uint64_t max_bytes, std::function<void(Stretch)> done) {
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back({after, max_bytes, std::move(done)});
  }
  wake_.notify_one();
}

void LogWriter::purge(zab::Point checkpoint, std::uint64_t keep_bytes) {
  {
    const std::lock_guard lock(mutex_);
    purge_ = Purge{checkpoint, keep_bytes};
  }
  wake_.notify_one();
}

void LogWriter::set_level(wire::Level level) {
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back({{}, {}, level});
  }
  wake_.notify_one();
}

void LogWriter::run() {
  bool marked = true;
  for (;;) {
    std::vector<Order> orders;
    std::vector<Question> questions;
    std::optional<Purge> purge;
    {
      std::unique_lock lock(mutex_);
      const auto wanted = [this] {
        return stopping_ || !orders_.empty() || !questions_.empty() || purge_;
      };
      if (marked) {
        wake_.wait(lock, wanted);
      } else {
        wake_.wait_for(lock, idle, wanted);
      }
      if (stopping_ && orders_.empty()) break;
      orders.swap(orders_);
      questions.swap(questions_);
      purge.swap(purge_);
    }
    wire::Result<void> done;
    if (orders.empty() && questions.empty() && !purge) {
      done = log_.mark();
      marked = true;
    }
    if (std::ranges::any_of(orders, [](const Order& order) { return !order.level; })) {
      marked = false;
    }
    if (done) done = carry_out(std::move(orders));
    if (done) answer(std::move(questions));
    // A failure does no harm: the next checkpoint purges again.
    if (done && purge) static_cast<void>(log_.purge(purge->checkpoint, purge->keep_bytes));
    if (!done) return failed_(done.error());
    greatest_level_ = log_.greatest_level().value;
  }
  if (const auto done = log_.mark(); !done) failed_(done.error());
}

// The orders between two changes of the level are one commit.
wire::Result<void> LogWriter::carry_out(std::vector<Order> orders) {
  std::vector<Order> together;
  for (Order& order : orders) {
    if (!order.level) {
      together.push_back(std::move(order));
      continue;
    }
    if (!together.empty()) {
      if (auto done = write(std::exchange(together, {})); !done) return done;
    }
    log_.set_level(*order.level);
    if (auto done = log_.prepare(); !done) return done;
  }
  if (together.empty()) return {};
  return write(std::move(together));
}

// The bytes of snapshots go to the incoming snapshot; the log only records that one is adopted.
wire::Result<void> LogWriter::stage(std::vector<zab::Persist> persists,
                                    std::optional<zab::AdoptHistory>& adopted) {
  bool chunks = false;
  for (const zab::Persist& persist : persists) {
    if (const auto* chunk = std::get_if<zab::StoreSnapshot>(&persist)) {
      if (const auto stored = snapshot_.store(*chunk); !stored) return stored;
      chunks = true;
    } else if (const auto* adopt = std::get_if<zab::AdoptHistory>(&persist);
               adopt != nullptr && adopt->snapshot) {
      adopted = {adopt->epoch, adopt->cluster, adopt->from, true, {}};
    }
  }
  if (chunks) {
    std::erase_if(persists, [](const zab::Persist& persist) {
      return std::holds_alternative<zab::StoreSnapshot>(persist);
    });
  }
  log_.stage(std::move(persists));
  return {};
}

// Next: Log::commit (server/storage/log.cc). Then `done` of each order: Driver::send_promises.
wire::Result<void> LogWriter::write(std::vector<Order> orders) {
  std::optional<zab::AdoptHistory> adopted;
  for (Order& order : orders) {
    if (auto staged = stage(std::move(order.persist), adopted); !staged) return staged;
  }
  const std::size_t bytes = log_.staged_bytes();
  const auto begun = SteadyClock::now();
  if (const auto written = log_.commit(); !written) return written;
  const auto took = SteadyClock::now() - begun;
  if (adopted) {
    if (const auto done = snapshot_.adopt(*adopted); !done) return done;
  }
  boost::asio::post(io_, [this, bytes, took, orders = std::move(orders)] {
    if (bytes > 0) {  // else nothing was written: promises only waited for earlier writes
      counters_.writes += 1;
      counters_.bytes += bytes;
      counters_.sync.observe(took);
    }
    waiting_ -= orders.size();
    for (const Order& order : orders) order.done();
  });
  work_ahead();
  return log_.prepare();
}

void LogWriter::report_without_spare(const std::string& reason) {
  const auto repeats = reported_.note("spare file", reason, std::chrono::steady_clock::now());
  if (!repeats) return;
  spdlog::warn("no spare file could be prepared for the log: {}. The log works without it{}",
               reason, repeated(*repeats));
}

// The log also works without a spare file, so errors are only logged.
void LogWriter::work_ahead() {
  if (making_ && making_->outcome.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
    const auto done = making_->outcome.get();
    if (!done) report_without_spare(done.error().message);
    log_.spare_made(std::exchange(making_, std::nullopt)->work, done);
  }
  const auto work = log_.spare_work();
  if (!work) return;
  try {
    making_.emplace(*work, std::async(std::launch::async, [work = *work] { return work.run(); }));
  } catch (const std::system_error& none) {  // no thread is available
    log_.spare_made(*work, wire::Error{wire::ErrorCode::system_error, none.what()});
  }
}

// A learner asks again and again.
void LogWriter::report_damage(const std::string& what) {
  const auto repeats = reported_.note("damage", what, std::chrono::steady_clock::now());
  if (!repeats) return;
  spdlog::error(
      "the log is damaged: a learner needs transactions that cannot be read from it: {}. The log "
      "is still written. Once the other servers have caught up, restart this server: they then "
      "repair its log{}",
      what, repeated(*repeats));
}

void LogWriter::answer(std::vector<Question> questions) {
  for (Question& question : questions) {
    auto stretch = log_.read_after(question.after, question.max_bytes);
    if (!stretch) {
      report_damage(stretch.error().message);
    }
    boost::asio::post(io_, [this, done = std::move(question.done), readable = stretch.has_value(),
                            found = stretch ? std::move(*stretch) : std::nullopt]() mutable {
      if (!readable) unreadable_();
      done(std::move(found));
    });
  }
}

}  // namespace server
