#include "server/checkpoints/checkpointer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "server/threads/thread.h"
#include "wire/zxid.h"

namespace server {
namespace {

// Records that are collected in one turn of the event loop. A request never waits for more.
constexpr std::size_t records_a_turn = 128;
// One read of a snapshot for a learner.
constexpr std::size_t portion_bytes = std::size_t{1} << 20;
// After a checkpoint that took t, the next one waits for 4 t, so that checkpoints take at most a
// fifth of the time.
constexpr int rest_for_work = 4;
constexpr std::chrono::seconds after_failure{5};
// The time between two attempts to drop what was written at a former level.
constexpr std::chrono::milliseconds between_drops{500};

// Keeps the last record of each key, in the order of the keys. A checkpoint has the same order.
void squash(std::vector<wire::StoredRecord>& records) {
  std::ranges::stable_sort(records, {}, &wire::StoredRecord::key);
  auto kept = records.begin();
  for (auto record = records.begin(); record != records.end(); ++record) {
    const auto next = std::next(record);
    if (next != records.end() && next->key == record->key) continue;
    if (kept != record) *kept = std::move(*record);
    ++kept;
  }
  records.erase(kept, records.end());
}

wire::Error out_of_date() {
  return {wire::ErrorCode::not_ready, "this server's state is out of date; see /health/ready"};
}

}  // namespace

Checkpointer::Checkpointer(boost::asio::io_context& io, SharedCheckpoint& checkpoint,
                           session::Service& service, LogCalls log, Rules rules, zab::Point at,
                           wire::Level level)
    : io_(io),
      checkpoint_(checkpoint),
      service_(service),
      log_(std::move(log)),
      rules_(std::move(rules)),
      at_(at),
      level_(level),
      level_since_(level),
      level_since_begin_(level),
      last_applied_(at),
      thread_(start_thread("that writes checkpoints", [this] { run(); })) {
  report_.at = at.zxid;
  report_.bytes = checkpoint.file.bytes();
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  const std::lock_guard lock(checkpoint_.mutex);
  checkpoint_.readers.clear();
}

// --- Taking a checkpoint ---

void Checkpointer::applied(zab::Point at, zab::ClusterId cluster) {
  last_applied_ = at;
  cluster_ = cluster;
  report_.since += 1;
  since_begin_ += 1;
  level_since_ = std::max(level_since_, service_.level());
  level_since_begin_ = std::max(level_since_begin_, service_.level());
  tick();
}

void Checkpointer::tick() {
  if (phase_ != Phase::idle || stopped_) return;
  if (is_time()) return begin();
  if (!has_former_level()) return;
  const auto now = Clock::now();
  if (now >= not_dropped_before_ && now >= not_before_) drop_former_level();
}

wire::Level Checkpointer::level_on_disk() const {
  return std::max({level_, level_since_, log_.greatest_level()});
}

bool Checkpointer::has_former_level() const { return level_on_disk() > service_.level(); }

// The first segment of the present level may begin after this checkpoint. Then the checkpoint does
// not cover all segments of former levels, and the next attempt drops the rest.
void Checkpointer::drop_former_level() {
  not_dropped_before_ = Clock::now() + between_drops;
  if (report_.since > 0) return begin();
  log_.drop_before(at_, service_.level());
}

bool Checkpointer::is_time() const {
  return since_begin_ >= rules_.every && Clock::now() >= not_before_;
}

void Checkpointer::take(std::function<void(wire::Result<void>)> done) {
  if (stopped_) {
    return boost::asio::post(io_, [done = std::move(done)] { done(out_of_date()); });
  }
  if (phase_ != Phase::idle) return next_.push_back(std::move(done));
  if (report_.since == 0) return boost::asio::post(io_, [done = std::move(done)] { done({}); });
  waiting_.push_back(std::move(done));
  begin();
}

void Checkpointer::begin() {
  phase_ = Phase::collecting;
  label_ = {rules_.server, cluster_, last_applied_, service_.level(), rules_.program};
  began_ = Clock::now();
  since_begin_ = 0;
  level_since_begin_ = service_.level();
  service_.begin_image();
  collect(++image_);
}

void Checkpointer::collect(std::uint64_t image) {
  if (image != image_) return;
  if (!service_.collect_image(records_a_turn, records_)) {
    return boost::asio::post(io_, [this, image] { collect(image); });
  }
  phase_ = Phase::writing;
  // A checkpoint is never ahead of the log: a transaction may be delivered before this server's own
  // disk has it.
  log_.when_durable([this, image, guard = boost::asio::make_work_guard(io_)] { write(image); });
}

void Checkpointer::write(std::uint64_t image) {
  if (image != image_) return;
  report_.records = records_.size();
  hand_over([this, image, label = label_, guard = boost::asio::make_work_guard(io_),
             records = std::exchange(records_, {})]() mutable {
    squash(records);
    wire::Result<void> result;
    {
      const std::lock_guard lock(checkpoint_.mutex);
      const auto there = checkpoint_.file.label();
      // If a snapshot has replaced the checkpoint meanwhile, these records are stale.
      if (there && *there && (*there)->at.zxid >= label.at.zxid) {
        result = wire::Error{wire::ErrorCode::not_ready, "a snapshot has replaced the checkpoint"};
      } else {
        result = checkpoint_.file.write(label, records);
      }
      checkpoint_.file.close_if_unused();
    }
    if (result) records.clear();
    boost::asio::post(io_, [this, image, result, records = std::move(records)]() mutable {
      written(image, result, std::move(records));
    });
  });
}

void Checkpointer::written(std::uint64_t image, wire::Result<void> result,
                           std::vector<wire::StoredRecord> unwritten) {
  if (image != image_) return;
  const auto took = Clock::now() - began_;
  phase_ = Phase::idle;
  report_.took = std::chrono::duration_cast<std::chrono::microseconds>(took);
  report_.bytes = checkpoint_.file.bytes();
  if (result) {
    report_.at = label_.at.zxid;
    report_.taken += 1;
    report_.since = since_begin_;
    report_.error.clear();
    not_before_ = Clock::now() + rest_for_work * took;
    spdlog::debug("checkpoint at {}", wire::to_string(label_.at.zxid));
    at_ = label_.at;
    level_ = label_.level;
    level_since_ = level_since_begin_;
    log_.purge(at_, rules_.log_keep_bytes);
    if (has_former_level()) log_.drop_before(at_, service_.level());
  } else {
    if (report_.error.empty()) {
      spdlog::error(
          "no checkpoint could be written: {}. The server tries again; until then the log grows",
          result.error().message);
    }
    report_.failed += 1;
    report_.error = result.error().message;
    not_before_ = Clock::now() + after_failure;
    records_ = std::move(unwritten);
    since_begin_ = std::max(since_begin_, report_.since);
  }
  for (const auto& done : std::exchange(waiting_, {})) done(result);
  waiting_ = std::exchange(next_, {});
  if (!waiting_.empty()) begin();
}

void Checkpointer::stop() {
  if (std::exchange(stopped_, true)) return;
  image_ += 1;
  phase_ = Phase::idle;
  records_.clear();
  for (auto& done : std::exchange(next_, {})) waiting_.push_back(std::move(done));
  for (const auto& done : std::exchange(waiting_, {})) done(out_of_date());
}

void Checkpointer::restored(zab::Point at, wire::Level level) {
  stopped_ = false;
  image_ += 1;
  phase_ = Phase::idle;
  records_.clear();
  last_applied_ = at_ = at;
  level_ = level_since_ = level_since_begin_ = level;
  report_.at = at.zxid;
  report_.since = since_begin_ = 0;
  report_.bytes = checkpoint_.file.bytes();
  for (auto& done : std::exchange(next_, {})) waiting_.push_back(std::move(done));
  for (const auto& done : std::exchange(waiting_, {})) done({});
}

// --- Reading the last checkpoint ---

void Checkpointer::read(const zab::ReadSnapshot& what,
                        std::function<void(zab::SnapshotRead)> done) {
  hand_over([this, what, done = std::move(done)]() mutable {
    const std::lock_guard lock(checkpoint_.mutex);
    if (what.first) {
      checkpoint_.readers.erase(what.learner);
      auto begun = storage::CheckpointReader::begin(checkpoint_.file);
      if (!begun) {
        return report_unreadable(what.learner, begun.error().message);
      }
      checkpoint_.readers.emplace(what.learner, std::move(*begun));
    }
    const auto reader = checkpoint_.readers.find(what.learner);
    if (reader == checkpoint_.readers.end()) return;
    auto portion = reader->second->next(portion_bytes, rules_.portion_bytes_max);
    zab::SnapshotRead answer{what.learner, what.ticket, reader->second->label().at, {}, false};
    if (!portion || portion->last) {
      checkpoint_.readers.erase(reader);
      checkpoint_.file.close_if_unused();
    }
    if (!portion) {
      return report_unreadable(what.learner, portion.error().message);
    }
    answer.bytes = std::make_shared<const wire::Bytes>(std::move(portion->bytes));
    answer.last = portion->last;
    boost::asio::post(io_, [done = std::move(done), answer = std::move(answer)]() mutable {
      done(std::move(answer));
    });
  });
}

// The learner asks again and again.
void Checkpointer::report_unreadable(zab::ServerId learner, const std::string& reason) {
  const auto repeats = unreadable_.note(zab::to_string(learner), reason, Clock::now());
  if (!repeats) return;
  spdlog::error("cannot send a snapshot to server {}: {}{}", learner.value, reason,
                repeated(*repeats));
}

void Checkpointer::forget(zab::ServerId learner) {
  hand_over([this, learner] {
    const std::lock_guard lock(checkpoint_.mutex);
    checkpoint_.readers.erase(learner);
    checkpoint_.file.close_if_unused();
  });
}

// --- The thread ---

void Checkpointer::hand_over(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Checkpointer::run() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace server
