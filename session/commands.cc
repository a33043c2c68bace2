#include "session/commands.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "session/archive_fields.h"
#include "wire/ensure.h"
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

constexpr std::uint8_t oldest_command = 2;  // of commands and refusals
constexpr std::uint8_t conditions_version = 3;
static_assert(wire::newest_forms.command == conditions_version &&
                  wire::newest_forms.refusal == conditions_version,
              "each version has a reader");

bool is_known(std::uint8_t version, std::uint8_t newest) {
  return oldest_command <= version && version <= newest;
}

Error malformed(std::string_view what) {
  return {ErrorCode::marshalling_error, std::string(what) + " is truncated, too long or malformed"};
}

void put_error(const Error& error, const wire::Forms& forms, wire::ByteWriter& out) {
  out.integer(static_cast<std::int32_t>(code_in(forms, error.code)));
  out.string(error.message);
  if (forms.refusal >= conditions_version) wire::archive::write(out, error.unmet);
}

std::optional<Error> take_error(std::uint8_t version, wire::ByteReader& in) {
  const auto code = in.integer<std::int32_t>();
  Error error{static_cast<ErrorCode>(code), std::string(in.string()), {}};
  if (version >= conditions_version) {
    error.unmet = wire::archive::read<std::optional<wire::Unmet>>(in);
  }
  if (in.failed() || !wire::is_error_code(code)) return std::nullopt;
  return error;
}

std::optional<wire::MultiReply> take_multi(std::uint8_t version, wire::ByteReader& in) {
  wire::MultiReply reply;
  if (version >= conditions_version) {
    reply.branch = wire::archive::read<std::optional<wire::Branch>>(in);
  }
  reply.failed = in.integer<std::uint32_t>();
  for (auto left = in.integer<std::uint32_t>(); left > 0; --left) {
    std::optional<Error> error = take_error(version, in);
    if (!error) return std::nullopt;
    reply.results.emplace_back(*std::move(error));
  }
  if (*reply.failed >= reply.results.size()) return std::nullopt;
  return reply;
}

// --- The fields that version 3 adds to a command, after those of version 2 ---

// The added fields of the operations of a multi.
struct WriteAdded {
  wire::ByteWriter& out;

  void operator()(const wire::CheckRequest& check) const { wire::archive::write(out, check.tests); }
  void operator()(const wire::ChildrenRequest& list) const {
    wire::archive::write_added(out, list);
  }
  void operator()(const auto&) const {}
};

struct ReadAdded {
  wire::ByteReader& in;

  void operator()(wire::CheckRequest& check) const {
    check.tests = wire::archive::read<wire::NodeTests>(in);
  }
  void operator()(wire::ChildrenRequest& list) const { wire::archive::read_added(in, list); }
  void operator()(const auto&) const {}
};

// Whether an operation of a multi has such a field.
struct HasAdded {
  bool operator()(const wire::CheckRequest& check) const { return !check.tests.none(); }
  bool operator()(const wire::ChildrenRequest& list) const {
    return list.before || list.reverse || list.order != wire::ChildOrder::name;
  }
  bool operator()(const auto&) const { return false; }
};

template <class Ops, class Visitor>
void visit_all(Ops& ops, const Visitor& visitor) {
  for (auto& op : ops) std::visit(visitor, op);
}

void write_added(const Command& command, wire::ByteWriter& out) {
  wire::archive::write(out, command.conditions);
  const auto* multi = std::get_if<wire::MultiRequest>(&command.body);
  if (multi == nullptr) return;
  wire::archive::write(out, multi->otherwise);
  visit_all(multi->ops, WriteAdded{out});
  if (multi->otherwise) visit_all(*multi->otherwise, WriteAdded{out});
}

void read_added(Command& command, wire::ByteReader& in) {
  command.conditions = wire::archive::read<std::vector<wire::Condition>>(in);
  auto* multi = std::get_if<wire::MultiRequest>(&command.body);
  if (multi == nullptr || in.failed()) return;
  multi->otherwise = wire::archive::read<std::optional<std::vector<wire::MultiOp>>>(in);
  visit_all(multi->ops, ReadAdded{in});
  if (multi->otherwise) visit_all(*multi->otherwise, ReadAdded{in});
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

std::uint8_t least_version(const Command& command) {
  const auto* multi = std::get_if<wire::MultiRequest>(&command.body);
  const auto is_added = [](const wire::MultiOp& op) { return std::visit(HasAdded{}, op); };
  const bool has_added =
      !command.conditions.empty() ||
      (multi != nullptr && (multi->otherwise || std::ranges::any_of(multi->ops, is_added)));
  return has_added ? conditions_version : oldest_command;
}

wire::Error needs_newer_level() {
  return {ErrorCode::unimplemented,
          "conditions (if, else, and tests besides a version), and before, reverse and order in a "
          "multi, need level 3 of the ensemble: upgrade every server, or raise the level"};
}

void encode(const Command& command, const wire::Forms& forms, wire::Bytes& out) {
  ensure(least_version(command) <= forms.command, "a command is written with all that it says");
  wire::ByteWriter writer(out);
  writer.integer(forms.command);
  wire::archive::write(writer, command);
  if (forms.command >= conditions_version) write_added(command, writer);
}

wire::Result<Command> decode_command(std::string_view bytes, const wire::Forms& newest) {
  wire::ByteReader in(bytes);
  const auto version = in.integer<std::uint8_t>();
  if (!is_known(version, newest.command)) return malformed("a command");
  auto command = wire::archive::read<Command>(in);
  if (version >= conditions_version) read_added(command, in);
  if (!in.complete()) return malformed("a command");
  return command;
}

wire::ErrorCode code_in(const wire::Forms& forms, wire::ErrorCode code) {
  if (code == ErrorCode::condition_failed && forms.refusal < conditions_version) {
    return ErrorCode::bad_version;
  }
  const bool is_full = code == ErrorCode::overloaded || code == ErrorCode::too_many_sessions;
  return is_full && forms.outcome < 2 ? ErrorCode::throttled : code;
}

void encode(const Refusal& refusal, const wire::Forms& forms, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  writer.integer(forms.refusal);
  put_error(refusal.error, forms, writer);
  const bool is_branch = refusal.multi && refusal.multi->branch;
  const bool has_multi = refusal.multi && (!is_branch || forms.refusal >= conditions_version);
  writer.boolean(has_multi);
  if (!has_multi) return;
  if (forms.refusal >= conditions_version) wire::archive::write(writer, refusal.multi->branch);

  writer.integer(static_cast<std::uint32_t>(refusal.multi->failed.value_or(0)));
  writer.integer(static_cast<std::uint32_t>(refusal.multi->results.size()));
  for (const auto& result : refusal.multi->results) put_error(result.error(), forms, writer);
}

wire::Result<Refusal> decode_refusal(std::string_view bytes, const wire::Forms& newest) {
  // With in_place_error, because an Error converts to a Refusal too.
  wire::Result<Refusal> bad(boost::system::in_place_error, malformed("a refusal"));
  wire::ByteReader in(bytes);
  const auto version = in.integer<std::uint8_t>();
  if (!in.failed() && !is_known(version, newest.refusal)) {
    return wire::Result<Refusal>(boost::system::in_place_error,
                                 wire::unknown_version("a refusal", version));
  }
  std::optional<Error> error = take_error(version, in);
  if (!error) return bad;

  Refusal refusal{*std::move(error), std::nullopt};
  if (in.boolean()) {
    refusal.multi = take_multi(version, in);
    if (!refusal.multi) return bad;
  }
  if (!in.complete()) return bad;
  return refusal;
}

}  // namespace session
