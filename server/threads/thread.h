#pragma once

#include <functional>
#include <string>
#include <thread>

namespace server {

// Starts a thread that leaves the signals of the process to the event loop's thread: a signal must
// not interrupt a call of the system that waits for a disk. Throws std::system_error if the system
// has no thread left. Its message names the thread, as in "that writes the log", and what an
// operator can do.
[[nodiscard]] std::thread start_thread(const std::string& name, std::function<void()> body);

}  // namespace server
