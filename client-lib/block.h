#pragma once

#include <future>
#include <memory>
#include <utility>

#include "client-lib/error.h"

namespace zabkeeper {

// Begins an asynchronous operation whose handler is void(Error, Reply), and waits for its result.
// The handler may be called by any thread but this one.
template <typename Reply, typename Begin>
Result<Reply> block(Begin begin) try {
  std::promise<Result<Reply>> promise;
  std::future<Result<Reply>> result = promise.get_future();
  begin([promise = std::move(promise)](const Error& error, Reply reply) mutable {
    if (error) {
      promise.set_value(error);
    } else {
      promise.set_value(std::move(reply));
    }
  });
  return result.get();
} catch (const std::future_error&) {
  return Error{{ErrorCode::system_error, "the client's executor has ended"}};
}

// The result of a blocking call for a thread that runs the client's executor.
[[nodiscard]] inline Error would_wait_for_itself() {
  return {{ErrorCode::bad_arguments,
           "a blocking call by the client's own executor would wait for itself: "
           "use the asynchronous calls there"}};
}

// As `block`, for calls of a client whose `runs_here` tells whether the thread would wait for
// itself.
template <typename Reply, typename Core, typename Begin>
Result<Reply> block_elsewhere(const Core& core, Begin begin) {
  if (core.runs_here()) return would_wait_for_itself();
  return block<Reply>(std::move(begin));
}

}  // namespace zabkeeper
