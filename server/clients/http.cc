#include "server/clients/http.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "server/clients/http_syntax.h"
#include "server/clients/websocket_frames.h"

namespace server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

using Request = http::request<http::empty_body>;

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
constexpr auto server_name = "zabkeeper";

constexpr std::string_view end_of_head = "\r\n\r\n";
constexpr std::size_t http_read_bytes = 4096;
// The error of a header whose address has used up its budget.
const error_code no_room = asio::error::no_buffer_space;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::string_view text_of(const beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.cdata().data()), buffer.size()};
}

RequestHead head_of(const Request& request) {
  const auto lines = [&](http::field name) {
    std::vector<std::string_view> values;
    const auto [begin, end] = request.equal_range(name);
    for (auto line = begin; line != end; ++line) values.push_back(view(line->value()));
    return values;
  };
  std::vector<std::string_view> forwarded = lines(http::field::forwarded);
  for (const beast::string_view name : {"X-Forwarded-For", "Via"}) {
    const auto [begin, end] = request.equal_range(name);
    for (auto line = begin; line != end; ++line) forwarded.push_back(view(line->value()));
  }
  std::string_view target = view(request.target());
  std::vector<std::string_view> hosts = lines(http::field::host);
  if (const auto absolute = absolute_target(target)) {  // the Host header is ignored then
    target = absolute->path;
    for (std::string_view& host : hosts) host = absolute->host;
    if (hosts.empty() && request.version() < 11) hosts.push_back(absolute->host);
  }
  return {
      .method = view(request.method_string()),
      .target = target,
      .http_version = request.version(),
      .hosts = std::move(hosts),
      .origins = lines(http::field::origin),
      .upgrades = lines(http::field::upgrade),
      .connections = lines(http::field::connection),
      .keys = lines(http::field::sec_websocket_key),
      .versions = lines(http::field::sec_websocket_version),
      .subprotocols = lines(http::field::sec_websocket_protocol),
      .authorizations = lines(http::field::authorization),
      .forwarded = forwarded,
  };
}

enum class After { keep_alive, close };

// Returns whether the answer was written to the socket.
asio::awaitable<bool> send(HttpStream& stream, const Answer& answer, const Request& request,
                           After after, const ClientLimits& limits) {
  http::response<http::string_body> response(static_cast<http::status>(answer.status),
                                             request.version() < 11 ? 10 : 11);
  response.set(http::field::server, server_name);
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (!answer.allow.empty()) response.set(http::field::allow, answer.allow);
  if (answer.status == 426) {
    response.set(http::field::upgrade, "websocket");
    response.set(http::field::sec_websocket_version, "13");
  }
  response.keep_alive(after == After::keep_alive);
  response.content_length(answer.body.size());
  if (request.method() != http::verb::head) response.body() = answer.body;

  stream.expires_after(limits.header_timeout);
  const auto [error, size] = co_await http::async_write(stream, response, as_tuple);
  co_return !error;
}

Answer overloaded(AddressAccounts& accounts, Budget budget) {
  accounts.ledger().count(budget, Measure::closed);
  return error_answer(503, "Overloaded", "this server has no memory left for this address");
}

std::optional<Answer> answer_to_malformed(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return error_answer(431, "HeaderTooLarge", "the request's header is too large");
  }
  // Any other category is an error of the socket: the client is gone.
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() != http::make_error_code(http::error::bad_method).category()) {
    return std::nullopt;
  }
  if (error == http::error::bad_method) {
    return error_answer(400, "BadRequest", "not an HTTP/1.1 request; this port speaks no TLS");
  }
  return error_answer(400, "BadRequest", "not an HTTP/1.1 request: " + error.message());
}

// TLS begins with bytes that no HTTP method has. The end of a header would never come.
bool cannot_be_method(std::string_view head) {
  return !head.empty() && static_cast<unsigned char>(head.front()) < 0x20 && head.front() != '\r' &&
         head.front() != '\n';
}

// Reads until the buffer has a whole header. Beast's own reader would consume the header, and
// then its lines could not be checked.
// `kept` is charged for the buffer.
asio::awaitable<error_code> read_head(HttpStream& stream, beast::flat_buffer& buffer, Holding& kept,
                                      const ClientLimits& limits) {
  for (;;) {
    if (cannot_be_method(text_of(buffer))) co_return http::error::bad_method;
    const std::size_t end = text_of(buffer).find(end_of_head);
    const std::size_t head_bytes = end == std::string_view::npos ? buffer.size() : end;
    if (head_bytes > limits.header_bytes_max) co_return http::error::header_limit;
    if (end != std::string_view::npos) co_return error_code{};
    if (has_bare_line_feed(text_of(buffer))) co_return http::error::bad_line_ending;
    if (!kept.accepts(kept.bytes() + http_read_bytes)) co_return no_room;
    const auto [error, size] = co_await stream.async_read_some(
        buffer.prepare(std::min(buffer.max_size() - buffer.size(), http_read_bytes)), as_tuple);
    buffer.commit(size);
    kept.set(buffer.capacity());
    if (error) co_return error;
  }
}

// Parses the header that the buffer begins with, and removes it from the buffer.
error_code parse_head(beast::flat_buffer& buffer, http::request_parser<http::empty_body>& parser) {
  error_code error;
  const std::size_t head_bytes = text_of(buffer).find(end_of_head) + end_of_head.size();
  buffer.consume(parser.put(asio::buffer(buffer.data(), head_bytes), error));
  return error;
}

bool has_body(const http::request_parser<http::empty_body>& parser) {
  return parser.chunked() || parser.content_length().value_or(0) != 0;
}

// A command. The gate has admitted its sender.
struct Command {
  std::string_view target;
};

// The decision about a request: an answer, a command whose result is the answer, or a WebSocket
// upgrade. It also tells whether the connection stays open after the answer.
struct Verdict {
  std::variant<Answer, Command, Upgrade> answer;
  After after = After::close;
};

Verdict judge(const Request& request, std::string_view remote, const Gate& gate,
              const HttpHandlers& handlers, Capacity capacity) {
  const RequestHead head = head_of(request);
  if (auto refused = gate.refuses(head)) return {*std::move(refused)};

  if (head.target.substr(0, head.target.find('?')) == "/v1") {
    if (auto refused = gate.refuses_upgrade(head)) return {*std::move(refused)};
    return {Upgrade{std::string(head.keys.front()), Gate::subprotocol_of(head)}};
  }
  const bool stays = request.keep_alive() && capacity == Capacity::available;
  const After after = stays ? After::keep_alive : After::close;
  if (head.target.starts_with(command_prefix)) {
    if (auto refused = gate.refuses_command(head, remote)) {
      handlers.command_refused();
      return {*std::move(refused), after};
    }
    return {Command{head.target}, after};
  }
  return {handlers.page(head.method, head.target), after};
}

// A command may take longer than its client waits for the answer. The command is not stopped then.
asio::awaitable<Answer> run(const Command& command, const HttpHandlers& handlers,
                            const ClientLimits& limits) {
  struct Outcome {
    explicit Outcome(const asio::any_io_executor& executor) : timeout(executor) {}
    asio::steady_timer timeout;
    std::optional<Answer> answer;
  };
  const auto outcome = std::make_shared<Outcome>(co_await asio::this_coro::executor);
  outcome->timeout.expires_after(limits.command_timeout);
  handlers.command(command.target, [outcome](Answer answer) {
    outcome->answer = std::move(answer);
    outcome->timeout.cancel();
  });
  if (!outcome->answer) co_await outcome->timeout.async_wait(as_tuple);
  if (outcome->answer) co_return *std::move(outcome->answer);
  co_return error_answer(504, "StillUnderWay", "the command is not finished yet; it continues");
}

}  // namespace

asio::awaitable<void> close_gently(HttpStream& stream, const ClientLimits& limits,
                                   std::size_t drained_max) {
  error_code gone;
  stream.socket().shutdown(asio::socket_base::shutdown_send, gone);
  stream.expires_after(limits.close_timeout);
  char rest[4096];
  for (std::size_t drained = 0; !gone && drained < drained_max;) {
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(rest), as_tuple);
    gone = error;
    drained += size;
  }
  stream.close();
}

asio::awaitable<HttpOutcome> serve_http(HttpStream& stream, std::string received,
                                        std::string remote,
                                        std::shared_ptr<AddressAccounts> accounts, const Gate& gate,
                                        const HttpHandlers& handlers, Capacity capacity,
                                        const ClientLimits& limits) {
  beast::flat_buffer buffer(limits.header_bytes_max + 4096);
  buffer.commit(asio::buffer_copy(buffer.prepare(received.size()), asio::buffer(received)));
  Holding kept(account_of(accounts, Budget::unfinished));
  Holding waiting(account_of(accounts, Budget::waiting));
  for (;;) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    parser.body_limit(boost::none);
    stream.expires_after(limits.header_timeout);
    error_code error = co_await read_head(stream, buffer, kept, limits);
    std::optional<Answer> ambiguous;
    if (!error) {
      ambiguous = refuse_ambiguous_head(
          text_of(buffer).substr(0, text_of(buffer).find(end_of_head) + end_of_head.size()));
      error = parse_head(buffer, parser);
      buffer.shrink_to_fit();
      kept.set(buffer.capacity());
    }
    const Request& request = parser.get();

    Verdict verdict;
    if (ambiguous) {
      verdict.answer = *std::move(ambiguous);
    } else if (error == no_room) {
      verdict.answer = overloaded(*accounts, Budget::unfinished);
    } else if (error == beast::error::timeout) {
      co_return HttpOutcome{{}, buffer.size() > 0};
    } else if (error) {
      auto answer = answer_to_malformed(error);
      if (!answer) co_return HttpOutcome{};
      verdict.answer = *std::move(answer);
    } else if (has_body(parser)) {
      verdict.answer =
          error_answer(413, "BodyNotWanted", "requests to this server must not have a body");
    } else {
      verdict = judge(request, remote, gate, handlers, capacity);
    }

    if (auto* upgrade = std::get_if<Upgrade>(&verdict.answer)) {
      if (buffer.size() == 0) co_return HttpOutcome{std::move(*upgrade)};
      verdict.answer = error_answer(
          400, "BadRequest", "a client must not send frames before the upgrade has been answered");
    }
    if (const auto* found = std::get_if<Command>(&verdict.answer)) {
      const Command command = *found;
      verdict.answer = co_await run(command, handlers, limits);
    }
    auto& answer = std::get<Answer>(verdict.answer);
    if (!waiting.fits(answer.body.size())) {
      answer = overloaded(*accounts, Budget::waiting);
      verdict.after = After::close;
    }
    waiting.set(answer.body.size());
    const bool sent = co_await send(stream, answer, request, verdict.after, limits);
    if (!sent) co_return HttpOutcome{};
    waiting.set(0);
    if (verdict.after == After::close) {
      co_await close_gently(stream, limits);
      co_return HttpOutcome{};
    }
  }
}

asio::awaitable<void> refuse_upgrade(HttpStream& stream, const ClientLimits& limits) {
  const Answer answer = error_answer(503, "TooManyConnections",
                                     "too many connections to this server, in all or from this "
                                     "address; the limits are maxCnxns, maxClientCnxns and "
                                     "ulimit -n");
  const bool sent = co_await send(stream, answer, {}, After::close, limits);
  if (sent) co_await close_gently(stream, limits);
}

asio::awaitable<bool> grant_upgrade(HttpStream& stream, const Upgrade& upgrade,
                                    const ClientLimits& limits) {
  http::response<http::empty_body> response(http::status::switching_protocols, 11);
  response.set(http::field::server, server_name);
  response.set(http::field::upgrade, "websocket");
  response.set(http::field::connection, "Upgrade");
  response.set(http::field::sec_websocket_accept, websocket_accept(upgrade.key));
  if (upgrade.subprotocol != nullptr) {
    const std::string_view name = upgrade.subprotocol->name;
    response.set(http::field::sec_websocket_protocol, beast::string_view(name.data(), name.size()));
  }
  stream.expires_after(limits.upgrade_timeout);
  const auto [error, size] = co_await http::async_write(stream, response, as_tuple);
  co_return !error;
}

}  // namespace server
