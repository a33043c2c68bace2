#include "server/peers/greeting.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <xxhash.h>

#include "zab/archive_fields.h"

namespace server {
namespace {

// The first four bytes are "KBAZ". No message between servers begins with 'K', see peer_message.cc.
constexpr std::uint32_t magic = 0x5a41424b;

// Never reuse a tag: other versions of this program skip those that they do not know.
enum class Tag : std::uint8_t {
  from = 1,
  to = 2,
  ensemble = 3,
  cluster = 4,
  protocols = 5,
  levels = 6,
  level = 7,
  program = 8,
  refused = 9,
  instance = 10,
};

constexpr auto bit(Tag tag) { return std::uint32_t{1} << static_cast<unsigned>(tag); }

constexpr std::uint32_t all_of_a_greeting = bit(Tag::from) | bit(Tag::to) | bit(Tag::ensemble) |
                                            bit(Tag::cluster) | bit(Tag::protocols) |
                                            bit(Tag::levels) | bit(Tag::level) | bit(Tag::program);

wire::Error broken_greeting(std::string what) {
  return {wire::ErrorCode::marshalling_error, std::move(what)};
}

wire::Error unreadable() { return broken_greeting("the other server's greeting cannot be read"); }

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

void begin(GreetingForm form, wire::ByteWriter& out) {
  out.integer(magic);
  out.integer(static_cast<std::uint16_t>(form));
}

void encode_fixed(const Greeting& greeting, wire::ByteWriter& out) {
  out.integer(greeting.from.value);
  out.integer(greeting.to.value);
  out.integer(greeting.ensemble);
  wire::archive::write(out, greeting.cluster);
}

std::optional<Greeting> decode_fixed(wire::ByteReader& in) {
  Greeting greeting;
  greeting.from.value = in.integer<std::uint32_t>();
  greeting.to.value = in.integer<std::uint32_t>();
  greeting.ensemble = in.integer<std::uint64_t>();
  greeting.cluster = wire::archive::read<zab::ClusterId>(in);
  greeting.protocols = old_protocols;
  greeting.levels = old_levels;
  greeting.level = old_levels.least;
  greeting.program = old_program;
  if (!in.complete()) return std::nullopt;
  return greeting;
}

template <class Write>
void field(wire::ByteWriter& out, Tag tag, Write write) {
  wire::Bytes bytes;
  wire::ByteWriter content(bytes);
  write(content);
  out.integer(static_cast<std::uint8_t>(tag));
  out.integer(static_cast<std::uint16_t>(bytes.size()));
  out.raw(bytes);
}

void encode_fields(const Greeting& greeting, wire::ByteWriter& out) {
  field(out, Tag::from, [&](auto& to) { to.integer(greeting.from.value); });
  field(out, Tag::to, [&](auto& to) { to.integer(greeting.to.value); });
  field(out, Tag::ensemble, [&](auto& to) { to.integer(greeting.ensemble); });
  field(out, Tag::cluster, [&](auto& to) { wire::archive::write(to, greeting.cluster); });
  field(out, Tag::protocols, [&](auto& to) {
    to.integer(greeting.protocols.least);
    to.integer(greeting.protocols.greatest);
  });
  field(out, Tag::levels, [&](auto& to) {
    to.integer(greeting.levels.least.value);
    to.integer(greeting.levels.greatest.value);
  });
  field(out, Tag::level, [&](auto& to) { to.integer(greeting.level.value); });
  if (greeting.instance != 0) {
    field(out, Tag::instance, [&](auto& to) { to.integer(greeting.instance); });
  }
  field(out, Tag::program,
        [&](auto& to) { to.raw(printable(greeting.program, program_bytes_max)); });
}

// Reads what is written in the form `fields`, one field at a time.
class FieldsDecoder {
 public:
  // False if the field is malformed, or was there before.
  [[nodiscard]] bool take(std::uint8_t number, std::string_view bytes) {
    if (number == 0 || number > static_cast<std::uint8_t>(Tag::instance)) return true;  // unknown
    const auto tag = static_cast<Tag>(number);
    if ((seen_ & bit(tag)) != 0) return false;
    seen_ |= bit(tag);
    wire::ByteReader in(bytes);
    read(tag, in);
    return in.complete();
  }

  // Nothing if a field is missing. GreetingRefused needs no other field.
  [[nodiscard]] std::optional<std::variant<Greeting, GreetingRefused>> result() const {
    if ((seen_ & bit(Tag::refused)) != 0) return refused_;
    if ((seen_ & all_of_a_greeting) != all_of_a_greeting) return std::nullopt;
    return greeting_;
  }

 private:
  void read(Tag tag, wire::ByteReader& in) {
    switch (tag) {
      case Tag::from: greeting_.from.value = in.integer<std::uint32_t>(); return;
      case Tag::to: greeting_.to.value = in.integer<std::uint32_t>(); return;
      case Tag::ensemble: greeting_.ensemble = in.integer<std::uint64_t>(); return;
      case Tag::cluster: greeting_.cluster = wire::archive::read<zab::ClusterId>(in); return;
      case Tag::protocols:
        greeting_.protocols.least = in.integer<std::uint16_t>();
        greeting_.protocols.greatest = in.integer<std::uint16_t>();
        if (greeting_.protocols.least > greeting_.protocols.greatest) in.fail();
        return;
      case Tag::levels:
        greeting_.levels.least.value = in.integer<std::uint32_t>();
        greeting_.levels.greatest.value = in.integer<std::uint32_t>();
        if (greeting_.levels.least > greeting_.levels.greatest) in.fail();
        return;
      case Tag::level: greeting_.level.value = in.integer<std::uint32_t>(); return;
      case Tag::program:
        greeting_.program = text(in, program_bytes_max);
        if (greeting_.program.empty()) in.fail();
        if (!std::ranges::all_of(greeting_.program, is_printable)) in.fail();
        return;
      case Tag::refused:
        refused_.sentence = printable(text(in, sentence_bytes_max), sentence_bytes_max);
        return;
      case Tag::instance: greeting_.instance = in.integer<std::uint64_t>(); return;
    }
  }

  static std::string text(wire::ByteReader& in, std::size_t bytes_max) {
    if (in.remaining() > bytes_max) in.fail();
    return std::string(in.raw(in.remaining()));
  }

  std::uint32_t seen_ = 0;
  Greeting greeting_;
  GreetingRefused refused_;
};

std::optional<std::variant<Greeting, GreetingRefused>> decode_fields(wire::ByteReader& in) {
  FieldsDecoder decoder;
  while (in.remaining() > 0) {
    const auto tag = in.integer<std::uint8_t>();
    const auto length = in.integer<std::uint16_t>();
    const std::string_view bytes = in.raw(length);
    if (in.failed() || !decoder.take(tag, bytes)) return std::nullopt;
  }
  return decoder.result();
}

}  // namespace

std::string to_string(const ProtocolRange& range) {
  if (range.least == range.greatest) return "protocol " + std::to_string(range.least);
  return "protocols " + std::to_string(range.least) + " to " + std::to_string(range.greatest);
}

void encode(const Greeting& greeting, GreetingForm form, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  begin(form, writer);
  if (form == GreetingForm::fixed) return encode_fixed(greeting, writer);
  encode_fields(greeting, writer);
}

void encode(const GreetingRefused& refused, wire::Bytes& out) {
  wire::ByteWriter writer(out);
  begin(GreetingForm::fields, writer);
  field(writer, Tag::refused,
        [&](auto& to) { to.raw(printable(refused.sentence, sentence_bytes_max)); });
}

wire::Result<ReceivedGreeting> decode_greeting(std::string_view content) {
  wire::ByteReader in(content);
  if (in.integer<std::uint32_t>() != magic)
    return broken_greeting("the other end is no Zabkeeper server");
  const auto version = in.integer<std::uint16_t>();
  if (in.failed() || content.size() > greeting_bytes_max) return unreadable();
  if (begins_as(GreetingForm::fixed, content)) {
    auto greeting = decode_fixed(in);
    if (!greeting) return unreadable();
    return ReceivedGreeting{GreetingForm::fixed, *std::move(greeting)};
  }
  if (begins_as(GreetingForm::fields, content)) {
    auto result = decode_fields(in);
    if (!result) return unreadable();
    return ReceivedGreeting{GreetingForm::fields, *std::move(result)};
  }
  return broken_greeting(
      "the other server's greeting has version " + std::to_string(version) +
      ", which this program does not know: start a program of the same version on both");
}

bool begins_as(GreetingForm form, std::string_view content) {
  wire::Bytes beginning;
  wire::ByteWriter writer(beginning);
  begin(form, writer);
  return content.starts_with(beginning);
}

std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string result(text.substr(0, bytes_max));
  std::ranges::replace_if(
      result, [](char c) { return !is_printable(c); }, '?');
  return result;
}

std::uint64_t fingerprint(const std::vector<LinkedServer>& servers) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  std::map<std::uint32_t, const LinkedServer*> by_id;
  for (const LinkedServer& line : servers) by_id[line.id] = &line;
  for (const auto& [id, line] : by_id) {
    out.integer(id);
    out.boolean(line->observer);
    out.integer(line->weight);
    out.integer(line->group);
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace server
