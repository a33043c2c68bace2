#pragma once

#include <exception>

namespace server {

// The completion handler of a coroutine for whose end nobody waits. Its exception, such as that
// there is no memory, is an error of this program: it ends the event loop. Otherwise a port that is
// not served any more, or a server that is dialed no more, would stay so without a word.
inline void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace server
