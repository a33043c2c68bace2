#include "server/peers/greeting.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "server/peers/agreement.h"

namespace server {
namespace {

const zab::ClusterId cluster{0x1122334455667788, 0x99aabbccddeeff00};

// A greeting of server 3 for server 1, with no field left at zero.
Greeting some_greeting() {
  return {{3},        {1}, 0x1122334455667788, cluster,           {2, 3},
          {{1}, {4}}, {2}, "zabkeeper 0.2.0",  0xa1a2a3a4a5a6a7a8};
}

wire::Bytes bytes_of(const Greeting& greeting, GreetingForm form) {
  wire::Bytes bytes;
  encode(greeting, form, bytes);
  return bytes;
}

wire::Bytes bytes_of(const GreetingRefused& refused) {
  wire::Bytes bytes;
  encode(refused, bytes);
  return bytes;
}

wire::Bytes field(std::uint8_t tag, std::string_view content) {
  wire::Bytes bytes;
  wire::ByteWriter out(bytes);
  out.integer(tag);
  out.integer(static_cast<std::uint16_t>(content.size()));
  out.raw(content);
  return bytes;
}

// The fields of a greeting, each with its tag and length.
std::vector<wire::Bytes> fields_of(std::string_view greeting) {
  std::vector<wire::Bytes> fields;
  wire::ByteReader in(greeting.substr(6));
  while (in.remaining() > 0) {
    const auto tag = in.integer<std::uint8_t>();
    const auto length = in.integer<std::uint16_t>();
    fields.push_back(field(tag, in.raw(length)));
  }
  return fields;
}

constexpr std::uint8_t last_tag = 10;
constexpr std::uint8_t instance_tag = 10;
constexpr std::size_t beginning = 6;  // bytes of magic and version

wire::Bytes with_fields(const std::vector<wire::Bytes>& fields) {
  wire::Bytes bytes = bytes_of(GreetingRefused{}).substr(0, beginning);
  for (const wire::Bytes& one : fields) bytes += one;
  return bytes;
}

bool is_refused(std::string_view content) { return decode_greeting(content).has_error(); }

}  // namespace

TEST_CASE("a greeting with fields equals the original after encoding and decoding") {
  const auto back = decode_greeting(bytes_of(some_greeting(), GreetingForm::fields));
  REQUIRE(back.has_value());
  CHECK(back->form == GreetingForm::fields);
  REQUIRE(std::holds_alternative<Greeting>(back->content));
  const bool same = std::get<Greeting>(back->content) == some_greeting();
  CHECK(same);
}

TEST_CASE(
    "a greeting of the fixed form has the bytes of version 0.1, and is read as that program's") {
  const Greeting hello{{3},        {1}, 0x1122334455667788, cluster, old_protocols,
                       old_levels, {0}, old_program};
  const wire::Bytes bytes = bytes_of(some_greeting(), GreetingForm::fixed);
  CHECK(bytes == std::string("KBAZ\2\0\3\0\0\0\1\0\0\0\x88\x77\x66\x55\x44\x33\x22\x11"
                             "\x88\x77\x66\x55\x44\x33\x22\x11\0\xff\xee\xdd\xcc\xbb\xaa\x99",
                             38));
  const auto back = decode_greeting(bytes);
  REQUIRE(back.has_value());
  CHECK(back->form == GreetingForm::fixed);
  const bool same = std::get<Greeting>(back->content) == hello;
  CHECK(same);
}

TEST_CASE("a greeting with fields is longer than one of the fixed form") {
  // Version 0.1 reads as many bytes as its own greeting has, before it looks at them.
  Greeting shortest = some_greeting();
  shortest.program = "z";
  CHECK(bytes_of(shortest, GreetingForm::fields).size() >
        bytes_of(shortest, GreetingForm::fixed).size());
}

TEST_CASE("a refused greeting is decoded to its sentence, whatever other fields come with it") {
  const std::string sentence = "server 3 is not expected";
  CHECK(std::get<GreetingRefused>(decode_greeting(bytes_of(GreetingRefused{sentence}))->content)
            .sentence == sentence);
  const wire::Bytes with_more = bytes_of(some_greeting(), GreetingForm::fields) + field(9, "why");
  CHECK(std::get<GreetingRefused>(decode_greeting(with_more)->content).sentence == "why");
}

TEST_CASE("a sentence is made printable and short, when it is written and when it is read") {
  const std::string raw = "a\nb\x1b[31m\xc3\xa9\x7f" + std::string(600, 'x');
  const std::string safe = "a?b?[31m???" + std::string(501, 'x');
  CHECK(bytes_of(GreetingRefused{raw}) == with_fields({field(9, safe)}));
  const auto read = decode_greeting(with_fields({field(9, raw.substr(0, 512))}));
  CHECK(std::get<GreetingRefused>(read->content).sentence == safe);
  CHECK(is_refused(with_fields({field(9, raw)})));
}

// Programs that do not know the field skip it, and those that do not write it are understood.
TEST_CASE("a greeting says which process it is from, if that is known") {
  Greeting greeting = some_greeting();
  std::vector<wire::Bytes> fields = fields_of(bytes_of(greeting, GreetingForm::fields));
  const std::string instance("\x0a\x08\0\xa8\xa7\xa6\xa5\xa4\xa3\xa2\xa1", 11);
  CHECK(std::erase(fields, instance) == 1);
  greeting.instance = 0;
  CHECK(bytes_of(greeting, GreetingForm::fields) == with_fields(fields));
  const auto back = decode_greeting(with_fields(fields));
  REQUIRE(back.has_value());
  const bool same = std::get<Greeting>(back->content) == greeting;
  CHECK(same);
}

TEST_CASE("a greeting that is cut anywhere is refused") {
  for (const wire::Bytes& whole :
       {bytes_of(some_greeting(), GreetingForm::fixed),
        bytes_of(some_greeting(), GreetingForm::fields), bytes_of(GreetingRefused{"why"})}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(length);
      CHECK(is_refused(std::string_view(whole).substr(0, length)));
    }
  }
  CHECK(is_refused(bytes_of(some_greeting(), GreetingForm::fixed) + '\0'));
}

TEST_CASE("the fields of a greeting come in any order, and unknown ones are skipped") {
  std::vector<wire::Bytes> fields = fields_of(bytes_of(some_greeting(), GreetingForm::fields));
  fields.insert(fields.begin() + 1, field(last_tag + 1, "a later field"));
  fields.insert(fields.begin(), field(0, ""));
  fields.push_back(field(255, std::string(1000, '\xff')));
  fields.push_back(field(255, "unknown fields may be there twice"));
  const auto forward = decode_greeting(with_fields(fields));
  const auto backward = decode_greeting(with_fields({fields.rbegin(), fields.rend()}));
  for (const auto& read : {forward, backward}) {
    REQUIRE(read.has_value());
    const bool same = std::get<Greeting>(read->content) == some_greeting();
    CHECK(same);
  }
}

TEST_CASE("a greeting that lacks a field, or has one twice or of a wrong length, is refused") {
  const std::vector<wire::Bytes> fields =
      fields_of(bytes_of(some_greeting(), GreetingForm::fields));
  CHECK(fields.size() == last_tag - 1);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    CAPTURE(i);
    const auto changed = [&](const std::vector<wire::Bytes>& instead) {
      std::vector<wire::Bytes> others = fields;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      others.insert(others.end(), instead.begin(), instead.end());
      return with_fields(others);
    };
    const auto tag = static_cast<std::uint8_t>(fields[i][0]);
    const std::string content = fields[i].substr(3);
    CHECK_FALSE(is_refused(changed({fields[i]})));
    CHECK(is_refused(changed({})) == (tag != instance_tag));
    CHECK(is_refused(changed({fields[i], fields[i]})));
    CHECK(is_refused(changed({field(tag, "")})));
    CHECK(is_refused(changed({field(tag, content + std::string(60, '\0'))})));
    const bool is_text = content.starts_with("zabkeeper");
    CHECK(is_refused(changed({field(tag, content.substr(1))})) != is_text);
  }
  const wire::Bytes twice = with_fields({field(9, "why"), field(9, "why")});
  CHECK(is_refused(twice));
}

TEST_CASE("a greeting whose values are impossible is refused") {
  struct Row {
    const char* what;
    wire::Bytes field;
  };
  const std::string numbers("\3\0\2\0", 4);
  const std::string levels("\2\0\0\0\1\0\0\0", 8);
  for (const Row& row : {
           Row{"the least protocol is above the greatest", field(5, numbers)},
           Row{"the least level is above the greatest", field(6, levels)},
           Row{"the program's name cannot be logged", field(8, "zabkeeper\n0.2")},
           Row{"the program's name is too long", field(8, std::string(65, 'z'))},
       }) {
    CAPTURE(row.what);
    std::vector<wire::Bytes> fields = fields_of(bytes_of(some_greeting(), GreetingForm::fields));
    for (wire::Bytes& one : fields) {
      if (one[0] == row.field[0]) one = row.field;
    }
    CHECK(is_refused(with_fields(fields)));
  }
}

TEST_CASE("a greeting of more than 4 KiB is refused") {
  const wire::Bytes greeting = bytes_of(some_greeting(), GreetingForm::fields);
  const std::size_t room = greeting_bytes_max - greeting.size() - 3;
  CHECK_FALSE(is_refused(greeting + field(99, std::string(room, 'x'))));
  CHECK(is_refused(greeting + field(99, std::string(room + 1, 'x'))));
}

TEST_CASE("bytes of another program are distinguished from another version of the greeting") {
  const auto why = [](std::string_view content) {
    return decode_greeting(content).error().message;
  };
  CHECK(why("GET / HTTP/1.1\r\nHost: zabkeeper\r\n").find("no Zabkeeper") != std::string::npos);
  for (const int version : {1, 4}) {
    wire::Bytes other = bytes_of(some_greeting(), GreetingForm::fields);
    other[4] = static_cast<char>(version);
    CHECK(why(other).find("version " + std::to_string(version)) != std::string::npos);
  }
}

// --- What a pair of greetings leads to ---

namespace {

Greeting greeting_of(std::uint32_t from, std::uint32_t to) {
  return {{from}, {to}, 7, cluster, {2, 3}, {{0}, {1}}, {0}, "zabkeeper 0.2.0"};
}

// Of a program of version 0.1.
Greeting old_greeting(std::uint32_t from, std::uint32_t to) {
  const auto greeting = decode_greeting(bytes_of(greeting_of(from, to), GreetingForm::fixed));
  return std::get<Greeting>(greeting->content);
}

template <class Change>
Greeting with(Greeting greeting, Change change) {
  change(greeting);
  return greeting;
}

// "protocol 3", or why the sender of `theirs` is refused.
std::string outcome(const Greeting& mine, const Greeting& theirs) {
  const auto agreed =
      agree(mine, theirs, [&](zab::ServerId id) { return id.value == 1 || id.value == 3; });
  if (!agreed) return agreed.error().message;
  CHECK(agreed->levels == theirs.levels);
  CHECK(agreed->program == theirs.program);
  return "protocol " + std::to_string(agreed->protocol);
}

const auto at_level = [](std::uint32_t level) { return [=](Greeting& g) { g.level = {level}; }; };
const auto with_levels = [](std::uint32_t least, std::uint32_t greatest) {
  return [=](Greeting& g) { g.levels = {{least}, {greatest}}; };
};
const auto with_protocols = [](std::uint16_t least, std::uint16_t greatest) {
  return [=](Greeting& g) { g.protocols = {least, greatest}; };
};

}  // namespace

TEST_CASE("two compatible servers choose the same protocol from their greetings") {
  const Greeting one = greeting_of(1, 3);
  const Greeting three = greeting_of(3, 1);
  struct Row {
    const char* what;
    Greeting one;
    Greeting three;
    const char* at_both;
  };
  for (const Row& row : {
           Row{"equal programs", one, three, "protocol 3"},
           Row{"an old program", one, old_greeting(3, 1), "protocol 2"},
           Row{"two old programs", old_greeting(1, 3), old_greeting(3, 1), "protocol 2"},
           Row{"a level that one has not delivered yet", with(one, at_level(1)), three,
               "protocol 3"},
           Row{"a server without a cluster", with(one, [](Greeting& g) { g.cluster = {}; }), three,
               "protocol 3"},
           Row{"a later program", one, with(three, with_protocols(3, 9)), "protocol 3"},
       }) {
    CAPTURE(row.what);
    CHECK(outcome(row.one, row.three) == row.at_both);
    CHECK(outcome(row.three, row.one) == row.at_both);
  }
}

TEST_CASE("two servers with incompatible programs both say which one has to change") {
  const Greeting one = greeting_of(1, 3);
  const Greeting three = greeting_of(3, 1);
  struct Row {
    const char* what;
    Greeting one;
    Greeting three;
    const char* at_both;
  };
  for (const Row& row : {
           Row{"an old program at level 1", with(one, at_level(1)), old_greeting(3, 1),
               "server 3 runs zabkeeper 0.1, which can run at level 0; the ensemble or one of "
               "its disks is at level 1: start a program on server 3 that can run at level 1"},
           Row{"a program that lacks the level", with(one, at_level(1)),
               with(three, with_levels(0, 0)),
               "server 3 runs zabkeeper 0.2.0, which can run at level 0; the ensemble or one "
               "of its disks is at level 1: start a program on server 3 that can run at level 1"},
           Row{"a program whose levels begin later", one, with(three, with_levels(1, 2)),
               "server 3 runs zabkeeper 0.2.0, which can run at levels 1 to 2; the ensemble or "
               "one of its disks is at level 0: start a program on server 3 that can run at level "
               "0"},
       }) {
    CAPTURE(row.what);
    CHECK(outcome(row.one, row.three) == row.at_both);
    CHECK(outcome(row.three, row.one) == row.at_both);
  }
}

TEST_CASE("two servers that may not be linked say so, and name both") {
  const Greeting one = greeting_of(1, 3);
  const Greeting three = greeting_of(3, 1);
  CHECK(outcome(one, with(three, with_protocols(4, 5))) ==
        "no protocol is common to server 3 (zabkeeper 0.2.0, protocols 4 to 5) and server 1 "
        "(zabkeeper 0.2.0, protocols 2 to 3): start a program on one of them that speaks a "
        "protocol of the other");
  CHECK(outcome(with(one, with_protocols(3, 3)), old_greeting(3, 1)) ==
        "no protocol is common to server 3 (zabkeeper 0.1, protocol 2) and server 1 (zabkeeper "
        "0.2.0, protocol 3): start a program on one of them that speaks a protocol of the other");
  CHECK(outcome(one, with(three, [](Greeting& g) { g.ensemble = 8; })) ==
        "server 3 and server 1 have different server lines in their configurations: make them the "
        "same on all servers");
  CHECK(outcome(one, with(three,
                          [](Greeting& g) {
                            g.cluster = {1, 2};
                          })) ==
        "server 3 belongs to cluster 00000000000000010000000000000002, and server 1 to cluster "
        "112233445566778899aabbccddeeff00: one of them has another's data directory");
}

TEST_CASE("a server that is at the wrong address, or not expected, is refused") {
  CHECK(outcome(greeting_of(1, 3), greeting_of(3, 2)) ==
        "server 3 expects server 2 at the address of server 1: compare the server lines of both");
  CHECK(outcome(greeting_of(1, 4), greeting_of(4, 1)) ==
        "server 4 is not expected by server 1 on this connection: compare the ids (myid) and the "
        "server lines of both");
}

TEST_CASE("every sentence of a refusal fits into its frame") {
  const std::string name(program_bytes_max, 'z');
  const std::uint32_t id = 0xffffffff;
  Greeting one = greeting_of(id, id);
  one.program = name;
  one.protocols = {65534, 65535};
  one.levels = {{0xfffffffe}, {0xffffffff}};
  Greeting three = one;
  three.level = {0xffffffff};
  const auto check = [&] {
    const auto agreed = agree(one, three, [](zab::ServerId) { return true; });
    REQUIRE(agreed.has_error());
    CHECK(agreed.error().message.size() <= sentence_bytes_max);
  };
  check();  // the level
  three.protocols = {65532, 65533};
  check();
  three.cluster = {1, 2};
  check();
  three.ensemble = 8;
  check();
}

TEST_CASE(
    "two unanswered greetings with fields are followed by one of the fixed form, at level 0") {
  struct Row {
    std::vector<Dialed> dials;
    std::uint32_t level;
    GreetingForm next;
  };
  constexpr Dialed yes = Dialed::answered;
  constexpr Dialed no = Dialed::unanswered;
  for (const Row& row : {
           Row{{}, 0, GreetingForm::fields},
           Row{{no}, 0, GreetingForm::fields},
           Row{{no, yes, no}, 0, GreetingForm::fields},
           Row{{no, no}, 0, GreetingForm::fixed},
           Row{{no, no}, 1, GreetingForm::fields},
           Row{{no, no, no}, 0, GreetingForm::fields},
           Row{{no, no, yes}, 0, GreetingForm::fields},
           Row{{no, no, no, no, no}, 0, GreetingForm::fixed},
       }) {
    DialForms forms;
    for (const Dialed dialed : row.dials) forms.dialed(dialed, {row.level});
    CHECK(forms.now() == row.next);
  }
}

}  // namespace server
