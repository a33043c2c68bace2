#include "client-lib/lock.h"

#include "client-lib/block.h"

namespace zabkeeper {

using std::chrono::milliseconds;

Result<Hold> Acquirable::acquire_for(milliseconds timeout) const {
  return wait_for(some_queue(false), timeout);
}

Result<Hold> Acquirable::try_acquire() const { return wait_for(some_queue(true), {}); }

QueueOptions Acquirable::some_queue(bool only_now) const {
  QueueOptions queue = queue_of_(random_id());
  queue.only_now = only_now;
  return queue;
}

Result<Hold> Acquirable::wait_for(QueueOptions queue, milliseconds timeout) const {
  if (core_->runs_here()) return would_wait_for_itself();
  return block<Hold>(
      [&](auto handler) { initiate(std::move(queue), timeout, std::move(handler)); });
}

namespace {

// Makes queues with these options.
template <typename Make>
Acquirable::QueueOf queues(Make make, LockOptions options) {
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
