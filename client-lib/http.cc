#include "client-lib/http.h"

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace zabkeeper {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

using Request = http::request<http::empty_body>;

// Connects to the first address that answers. Each one gets its share of the time, so that one that
// does not answer does not hide the others.
asio::awaitable<void> connect_to_one(std::optional<beast::tcp_stream>& stream,
                                     const tcp::resolver::results_type& addresses,
                                     std::chrono::milliseconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  boost::system::error_code error = asio::error::host_not_found;
  int left = static_cast<int>(addresses.size());
  for (const auto& address : addresses) {
    stream.emplace(executor);
    stream->expires_after((deadline - std::chrono::steady_clock::now()) / left--);
    co_await stream->async_connect(address.endpoint(),
                                   asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return;
  }
  throw boost::system::system_error(error);
}

asio::awaitable<HttpReply> exchange(const Endpoint& endpoint, Request request,
                                    std::chrono::milliseconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto addresses = co_await resolver.async_resolve(
      endpoint.address.host, std::to_string(endpoint.address.port), asio::use_awaitable);
  std::optional<beast::tcp_stream> stream;
  co_await connect_to_one(stream, addresses, timeout);

  request.set(http::field::host, to_string(endpoint.address));
  request.set(http::field::user_agent, "zabkeeper-client");
  request.keep_alive(false);
  stream->expires_after(timeout);
  co_await http::async_write(*stream, request, asio::use_awaitable);
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  co_await http::async_read(*stream, buffer, response, asio::use_awaitable);
  co_return HttpReply{response.result_int(), std::move(response.body())};
}

wire::Result<HttpReply> exchange_and_wait(const Endpoint& endpoint, Request request,
                                          std::chrono::milliseconds timeout) {
  asio::io_context io{1};
  std::optional<wire::Result<HttpReply>> result;
  asio::co_spawn(io, exchange(endpoint, std::move(request), timeout),
                 [&](const std::exception_ptr& failure, HttpReply reply) {
                   if (!failure) {
                     result = std::move(reply);
                     return;
                   }
                   try {
                     std::rethrow_exception(failure);
                   } catch (const boost::system::system_error& error) {
                     result = wire::Error{wire::ErrorCode::connection_loss, error.code().message()};
                   } catch (const std::exception& error) {
                     result = wire::Error{wire::ErrorCode::system_error, error.what()};
                   }
                 });
  io.run_for(2 * timeout);
  if (!result) return wire::Error{wire::ErrorCode::connection_loss, "no reply in time"};
  return *result;
}

}  // namespace

wire::Result<HttpReply> http_get(const Endpoint& endpoint, const std::string& target,
                                 std::chrono::milliseconds timeout) {
  return exchange_and_wait(endpoint, Request(http::verb::get, target, 11), timeout);
}

wire::Result<HttpReply> http_post(const Endpoint& endpoint, const std::string& target,
                                  const std::string& authorization,
                                  std::chrono::milliseconds timeout) {
  Request request(http::verb::post, target, 11);
  request.content_length(0);
  if (!authorization.empty()) request.set(http::field::authorization, authorization);
  return exchange_and_wait(endpoint, std::move(request), timeout);
}

}  // namespace zabkeeper
