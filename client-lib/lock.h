#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client-lib/acquisition_run.h"
#include "client-lib/async_calls.h"
#include "client-lib/client.h"
#include "client-lib/hold.h"
#include "client-lib/recipe_call.h"
#include "client-lib/recipes/queue.h"

// Locks, several locks together, read and write locks, and semaphores. All are fair: holders come
// in the order in which they asked, and a release wakes only the next one.
// client-lib/recipes/acquisition.h says what is guaranteed under which failures.
//
//   zabkeeper::Lock lock(client, "/locks/report");
//   const zabkeeper::Hold hold = lock.acquire().value();
//   while (!hold.stop_token().stop_requested()) work();
namespace zabkeeper {

// A lock, or what else can be acquired. Any thread may use it, and it may be acquired any number of
// times: each acquisition waits for the others, also for those of the same thread (see
// Hold::share). The client must outlive it, its calls, and what it has acquired.
//
// Errors: those of the requests; NotReady if no server was found in time; SessionExpired;
// OperationTimeout at the deadline. After each of them no node is left, or it is being deleted in
// the background.
class Acquirable {
 public:
  // Waits until it holds.
  [[nodiscard]] Result<Hold> acquire() const { return acquire_for({}); }
  // Waits no longer than so; 0: without a limit.
  [[nodiscard]] Result<Hold> acquire_for(std::chrono::milliseconds timeout) const;
  // The hold is empty if others hold or wait.
  [[nodiscard]] Result<Hold> try_acquire() const;

  // The completion signature is void(Error, Hold). A cancelled acquisition leaves no node.
  template <typename Token>
  auto async_acquire(Token&& token) const {
    return async_acquire_for({}, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_acquire_for(std::chrono::milliseconds timeout, Token&& token) const {
    return initiate(false, timeout, std::forward<Token>(token));
  }
  template <typename Token>
  auto async_try_acquire(Token&& token) const {
    return initiate(true, {}, std::forward<Token>(token));
  }

  // What an acquisition with this id (32 hex digits) wants.
  using WantedOf = std::function<Wanted(std::string_view id)>;
  Acquirable(const AsyncCalls& client, WantedOf wanted_of)
      : core_(client.core()), wanted_of_(std::move(wanted_of)) {}

 private:
  template <typename Token>
  auto initiate(bool only_now, std::chrono::milliseconds timeout, Token&& token) const {
    return begin_call<Hold>(
        core_->executor(),
        [core = core_, wanted_of = wanted_of_, only_now] {
          return std::make_shared<AcquisitionRun>(core, some_wanted(wanted_of, only_now));
        },
        [](AcquisitionRun& run, const RecipeCall<Hold>& call) { run.start(call); }, timeout,
        std::forward<Token>(token));
  }
  // With another id each time.
  [[nodiscard]] static Wanted some_wanted(const WantedOf& wanted_of, bool only_now);
  [[nodiscard]] Result<Hold> wait_for(bool only_now, std::chrono::milliseconds timeout) const;

  std::shared_ptr<Core> core_;
  WantedOf wanted_of_;
};

struct LockOptions {
  LockNames names = LockNames::own;
  // The data of the nodes, for people who look.
  wire::Bytes data = {};
  // The ACL of the nodes, and of missing parents; none: open.
  std::optional<wire::Acl> acl = {};
};

// One holder. All users of a path use the same `names`.
class Lock : public Acquirable {
 public:
  Lock(const AsyncCalls& client, std::string path, LockOptions options = {});
};

// Several locks, of 2 to `multi_locks_max` different paths, that are held together. It never waits
// for one of them while it holds another, so clients that want some of the same locks, in whatever
// order, never wait for each other in a circle. Each of its paths is also a Lock for others.
class MultiLock : public Acquirable {
 public:
  // Throws std::invalid_argument if the paths are too few, too many, or not different.
  MultiLock(const AsyncCalls& client, std::vector<std::string> paths, LockOptions options = {});
};

// Many readers or one writer. A reader waits for the writers before it, a writer for all before it.
// A reader cannot become a writer: two readers that tried would wait for each other. See
// Hold::downgrade for the reverse.
class ReadWriteLock {
 public:
  ReadWriteLock(const AsyncCalls& client, std::string path, LockOptions options = {});

  [[nodiscard]] const Acquirable& reader() const { return reader_; }
  [[nodiscard]] const Acquirable& writer() const { return writer_; }

 private:
  Acquirable reader_;
  Acquirable writer_;
};

// As many holders as the limit, which is the data of `path`: see set_semaphore_limit. Without a
// limit, every acquisition fails.
class Semaphore : public Acquirable {
 public:
  Semaphore(const AsyncCalls& client, std::string path, LockOptions options = {});
};

// Sets the limit of a semaphore, from 1 to 1,000,000, and creates its node if it is missing. Those
// that wait keep the limit under which they came.
Result<wire::SetReply> set_semaphore_limit(const Calls& client, std::string path,
                                           std::int32_t limit);

}  // namespace zabkeeper
