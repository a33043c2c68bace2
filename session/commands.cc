#include "session/commands.h"

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "session/archive_fields.h"
#include "wire/unknown_version.h"

template <>
inline constexpr auto wire::archive::fields<session::OpenSession> =
    std::tuple(&session::OpenSession::secret_hash, &session::OpenSession::timeout_ms,
               &session::OpenSession::results_max);
template <>
inline constexpr auto wire::archive::fields<session::MoveSession> =
    std::tuple(&session::MoveSession::secret_hash, &session::MoveSession::timeout_ms,
               &session::MoveSession::results_max);
template <>
inline constexpr auto wire::archive::fields<session::CloseSession> =
    std::tuple(&session::CloseSession::expired);
template <>
inline constexpr auto wire::archive::fields<session::ReapNodes> = std::tuple();
template <>
inline constexpr auto wire::archive::fields<session::Command> =
    std::tuple(&session::Command::session, &session::Command::owner, &session::Command::tag,
               &session::Command::body, &session::Command::identities, &session::Command::number);

// 1 to 8 are requests, see wire/archive_fields.h.
template <>
inline constexpr std::uint8_t wire::archive::kind<session::OpenSession> = 16;
template <>
inline constexpr std::uint8_t wire::archive::kind<session::MoveSession> = 17;
template <>
inline constexpr std::uint8_t wire::archive::kind<session::CloseSession> = 18;
template <>
inline constexpr std::uint8_t wire::archive::kind<session::ReapNodes> = 19;

namespace session {
namespace {

using wire::Error;
using wire::ErrorCode;

constexpr std::uint8_t command_version = wire::newest_forms.command;
constexpr std::uint8_t refusal_version = wire::newest_forms.refusal;
static_assert(command_version == 2 && refusal_version == 2, "each version has a reader");

Error malformed(std::string_view what) {
  return {ErrorCode::marshalling_error, std::string(what) + " is truncated, too long or malformed"};
}

void put_error(const Error& error, wire::ByteWriter& out) {
  out.integer(static_cast<std::int32_t>(error.code));
  out.string(error.message);
}

std::optional<Error> take_error(wire::ByteReader& in) {
  const auto code = in.integer<std::int32_t>();
  std::string message(in.string());
  if (in.failed() || !wire::is_error_code(code)) return std::nullopt;
  return Error{static_cast<ErrorCode>(code), std::move(message)};
}

std::optional<wire::MultiReply> take_multi(wire::ByteReader& in) {
  wire::MultiReply reply;
  reply.failed = in.integer<std::uint32_t>();
  for (auto left = in.integer<std::uint32_t>(); left > 0; --left) {
    std::optional<Error> error = take_error(in);
    if (!error) return std::nullopt;
    reply.results.emplace_back(*std::move(error));
  }
  if (*reply.failed >= reply.results.size()) return std::nullopt;
  return reply;
}

}  // namespace

std::optional<CommandBody> command_body_of(const wire::Request& request) {
  return std::visit(
      [](const auto& each) -> std::optional<CommandBody> {
        using Request = std::remove_cvref_t<decltype(each)>;
        if constexpr (std::is_same_v<Request, wire::CloseRequest>) {
          return CloseSession{};
        } else if constexpr (std::is_constructible_v<CommandBody, std::in_place_type_t<Request>,
                                                     Request>) {
          return CommandBody(std::in_place_type<Request>, each);
        } else {
          return std::nullopt;
        }
      },
      request);
}

void encode(const Command& command, const wire::Forms& forms, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  writer.integer(forms.command);
  wire::archive::write(writer, command);
}

wire::Result<Command> decode_command(std::string_view bytes) {
  wire::ByteReader in(bytes);
  if (in.integer<std::uint8_t>() != command_version) return malformed("a command");
  auto command = wire::archive::read<Command>(in);
  if (!in.complete()) return malformed("a command");
  return command;
}

void encode(const Refusal& refusal, const wire::Forms& forms, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  writer.integer(forms.refusal);
  put_error(refusal.error, writer);
  writer.boolean(refusal.multi.has_value());
  if (!refusal.multi) return;

  writer.integer(static_cast<std::uint32_t>(refusal.multi->failed.value_or(0)));
  writer.integer(static_cast<std::uint32_t>(refusal.multi->results.size()));
  for (const auto& result : refusal.multi->results) put_error(result.error(), writer);
}

wire::Result<Refusal> decode_refusal(std::string_view bytes) {
  // With in_place_error, because an Error converts to a Refusal too.
  wire::Result<Refusal> bad(boost::system::in_place_error, malformed("a refusal"));
  wire::ByteReader in(bytes);
  const auto version = in.integer<std::uint8_t>();
  if (!in.failed() && version != refusal_version) {
    return wire::Result<Refusal>(boost::system::in_place_error,
                                 wire::unknown_version("a refusal", version));
  }
  std::optional<Error> error = take_error(in);
  if (!error) return bad;

  Refusal refusal{*std::move(error), std::nullopt};
  if (in.boolean()) {
    refusal.multi = take_multi(in);
    if (!refusal.multi) return bad;
  }
  if (!in.complete()) return bad;
  return refusal;
}

}  // namespace session
