#include "client-lib/lock.h"

#include <algorithm>
#include <stdexcept>

#include "client-lib/block.h"

namespace zabkeeper {

using std::chrono::milliseconds;

Result<Hold> Acquirable::acquire_for(milliseconds timeout) const {
  return wait_for(false, timeout);
}

Result<Hold> Acquirable::try_acquire() const { return wait_for(true, {}); }

Wanted Acquirable::some_wanted(const WantedOf& wanted_of, bool only_now) {
  Wanted wanted = wanted_of(random_id());
  std::visit([&](auto& one) { one.only_now = only_now; }, wanted);
  return wanted;
}

Result<Hold> Acquirable::wait_for(bool only_now, milliseconds timeout) const {
  return block_elsewhere<Hold>(
      *core_, [&](auto handler) { initiate(only_now, timeout, std::move(handler)); });
}

namespace {

// Makes queues with these options.
template <typename Make>
Acquirable::WantedOf queues(Make make, LockOptions options) {
  return [make, options = std::move(options)](std::string_view id) {
    QueueOptions queue = make(id);
    queue.data = options.data;
    queue.acl = options.acl;
    return queue;
  };
}

}  // namespace

Lock::Lock(const AsyncCalls& client, std::string path, LockOptions options)
    : Acquirable(client, queues([path = std::move(path), names = options.names](
                                    std::string_view id) { return lock_queue(path, id, names); },
                                options)) {}

MultiLock::MultiLock(const AsyncCalls& client, std::vector<std::string> paths, LockOptions options)
    : Acquirable(client, [paths, options = std::move(options)](std::string_view id) {
        return MultiOptions{.paths = paths,
                            .id = std::string(id),
                            .names = options.names,
                            .data = options.data,
                            .acl = options.acl};
      }) {
  std::ranges::sort(paths);
  const bool are_different = std::ranges::adjacent_find(paths) == paths.end();
  if (paths.size() < 2 || paths.size() > multi_locks_max || !are_different) {
    throw std::invalid_argument("a MultiLock has 2 to " + std::to_string(multi_locks_max) +
                                " different paths");
  }
}

ReadWriteLock::ReadWriteLock(const AsyncCalls& client, std::string path, LockOptions options)
    : reader_(client,
              queues([path](std::string_view id) { return read_queue(path, id); }, options)),
      writer_(client,
              queues([path](std::string_view id) { return write_queue(path, id); }, options)) {}

Semaphore::Semaphore(const AsyncCalls& client, std::string path, LockOptions options)
    : Acquirable(client, queues([path = std::move(path)](
                                    std::string_view id) { return semaphore_queue(path, id); },
                                std::move(options))) {}

Result<wire::SetReply> set_semaphore_limit(const Calls& client, std::string path,
                                           std::int32_t limit) {
  if (limit < 1 || limit > wire::turn_limit_max) {
    return Error{{ErrorCode::bad_arguments, "the limit of a semaphore is from 1 to 1000000"},
                 std::move(path)};
  }
  return client.call(semaphore_limit(std::move(path), limit));
}

}  // namespace zabkeeper
