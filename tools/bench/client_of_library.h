#pragma once

#include <cstddef>
#include <functional>

#include <boost/asio/io_context.hpp>

#include "client-lib/client.h"
#include "tools/bench/clock.h"
#include "tools/bench/ensemble.h"

// Clients of the C++ library on the benchmark's own thread.
namespace bench {

// For so many servers, of which the first one is a follower.
[[nodiscard]] zabkeeper::Options options_for_ports(Ensemble& ensemble, std::size_t servers);
// Throws std::runtime_error if there is an error.
void require(const zabkeeper::Error& error);
// Runs the handlers of the executor for so long.
void run_for(boost::asio::io_context& io, Micros time);
// The same. Returns by how much `count()` grows in a second.
[[nodiscard]] double rate_of(boost::asio::io_context& io, Micros time,
                             const std::function<std::size_t()>& count);
// Runs them until it is done. Throws std::runtime_error after 20 seconds.
void run_until(boost::asio::io_context& io, const std::function<bool()>& is_done);
void close_client(boost::asio::io_context& io, zabkeeper::Client& client);

}  // namespace bench
