#include "server/threads/thread.h"

#include <csignal>
#include <pthread.h>
#include <signal.h>
#include <system_error>
#include <utility>

namespace server {
namespace {

// Blocks all signals that others send, on this thread. A thread inherits that. The others report a
// fault of the program itself.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) {
      ::sigdelset(&all, fault);
    }
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

std::thread start_thread(const std::string& name, std::function<void()> body) {
  const SignalsBlocked blocked;
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error& error) {
    throw std::system_error(
        error.code(), "the thread " + name +
                          " cannot be started; raise the limit of threads (ulimit -u, TasksMax= "
                          "of a systemd unit, pids.max of a container)");
  }
}

}  // namespace server
