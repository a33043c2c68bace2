#include "server/clients/first_bytes.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "server/clients/http.h"

namespace server {
namespace {

namespace asio = boost::asio;
constexpr auto with_error = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t word_bytes = 4;
// One read is enough for a short HTTP request. A connection that waits for a second read can lose
// its place to another connection.
constexpr std::size_t first_read_bytes = 512;

// All four-letter words of ZooKeeper. Any other four letters are read as HTTP.
constexpr std::array<std::string_view, 18> words{"conf", "cons", "crst", "dirs", "dump", "envi",
                                                 "gtmk", "hash", "isro", "mntr", "ruok", "srst",
                                                 "srvr", "stat", "stmk", "wchc", "wchp", "wchs"};

bool begins_word(std::string_view bytes) {
  return std::ranges::any_of(words, [&](auto word) { return word.starts_with(bytes); });
}

}  // namespace

asio::awaitable<FirstBytes> read_first_bytes(HttpStream& stream, const ClientLimits& limits) {
  FirstBytes first;
  stream.expires_after(limits.header_timeout);
  for (;;) {
    char bytes[first_read_bytes];
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(bytes), with_error);
    first.bytes.append(bytes, size);
    if (first.bytes.empty()) co_return first;
    if (first.bytes.front() == '\0') {
      first.speaks = Speaks::zookeeper;
      co_return first;
    }
    const std::string_view begin = std::string_view(first.bytes).substr(0, word_bytes);
    if (error || !begins_word(begin)) {
      first.speaks = Speaks::http;
      co_return first;
    }
    if (begin.size() == word_bytes) {
      first.speaks = Speaks::word;
      co_return first;
    }
  }
}

asio::awaitable<void> answer_word(HttpStream& stream, const std::string& text,
                                  const ClientLimits& limits) {
  stream.expires_after(limits.header_timeout);
  const auto [failed, size] = co_await asio::async_write(stream, asio::buffer(text), with_error);
  if (failed) co_return;
  co_await close_gently(stream, limits, 64 * 1024);
}

}  // namespace server
