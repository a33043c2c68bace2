#include "tools/shell/multi_script.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "tools/shell/only_request.h"
#include "tools/shell/print.h"
#include "tools/shell/words.h"
#include "wire/base64.h"

namespace shell {
namespace {

// Why a line is refused.
struct WrongStatement {
  std::string reason;
};

std::uint64_t hex_of(std::string_view name, std::string_view text) {
  const auto bits = wire::from_hex(text);
  if (!bits) throw WrongStatement{std::string(name) + " must have 16 hex digits"};
  return *bits;
}

std::int32_t version_of(std::string_view text) {
  std::int32_t version = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), version);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    throw WrongStatement{"version must be a number"};
  }
  return version;
}

// "exists", "version=3", "data=v1"
void add_test(std::string_view word, wire::Condition& to) {
  const std::string_view name = word.substr(0, word.find('='));
  const bool has_value = name.size() < word.size();
  const std::string_view value = has_value ? word.substr(name.size() + 1) : std::string_view();
  if (!has_value && name == "exists") {
    to.tests.exists = true;
  } else if (!has_value && name == "gone") {
    to.tests.exists = false;
  } else if (has_value && name == "version") {
    to.version = version_of(value);
  } else if (has_value && name == "czxid") {
    to.tests.czxid = wire::Zxid::from_bits(hex_of(name, value));
  } else if (has_value && name == "mzxid") {
    to.tests.mzxid = wire::Zxid::from_bits(hex_of(name, value));
  } else if (has_value && name == "owner") {
    to.tests.ephemeral_owner = {value == "none" ? 0 : hex_of(name, value)};
  } else if (has_value && name == "data") {
    to.tests.data = wire::Bytes(value);
  } else {
    throw WrongStatement{
        "a test is exists, gone, version=N, czxid=ZXID, mzxid=ZXID, owner=SESSION "
        "or data=DATA, not \"" +
        std::string(word) + '"'};
  }
}

// Parses the form of the variable ZABKEEPER_LOCK_GUARD.
wire::Condition condition_of_json(const std::string& text) try {
  const auto object = nlohmann::json::parse(text);
  wire::Condition condition{object.at("path").get<std::string>(), {}, {}};
  for (const auto& [name, value] : object.items()) {
    if (name == "path") continue;
    if (name == "exists") {
      condition.tests.exists = value.get<bool>();
    } else if (name == "version") {
      condition.version = value.get<std::int32_t>();
    } else if (name == "ephemeralOwner") {
      condition.tests.ephemeral_owner = {hex_of(name, value.get<std::string>())};
    } else if (name == "data64") {
      condition.tests.data = wire::from_base64(value.get<std::string>());
      if (!condition.tests.data) throw WrongStatement{"data64 is not base64"};
    } else {
      add_test(name + '=' + value.get<std::string>(), condition);
    }
  }
  return condition;
} catch (const nlohmann::json::exception&) {
  throw WrongStatement{"a guard in braces is a condition as JSON, with a path and tests"};
}

wire::Condition condition_of(const Words& words, const ScriptContext& context) {
  if (words.size() == 2 && words[1].starts_with('{')) return condition_of_json(words[1]);
  if (words.size() < 3) throw WrongStatement{words[0] + " needs a path and tests"};
  wire::Condition condition{context.path(words[1]), {}, {}};
  for (std::size_t i = 2; i < words.size(); ++i) add_test(words[i], condition);
  return condition;
}

wire::CheckRequest check_of(const wire::Condition& condition) {
  return {condition.path, condition.version.value_or(wire::any_version), condition.tests};
}

// The condition of a line `if {...}`. The words of such a line are not split, because its quotes
// belong to JSON.
std::optional<std::string_view> json_guard_in(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  if (!line.starts_with("if ")) return std::nullopt;
  line.remove_prefix(std::min(line.find_first_not_of(blanks, 2), line.size()));
  return line.starts_with('{') ? std::optional(line) : std::nullopt;
}

// Converts a command of the shell to an operation. Throws WrongStatement if the command or one of
// its options is not possible in a transaction.
class OperationOf {
 public:
  explicit OperationOf(const ScriptContext& context) : context_(context) {}

  wire::MultiOp operator()(const Create& create) const {
    wire::CreateRequest request;
    request.path = path_of_new(create, context_.path(create.path));
    request.data = context_.data(create.data);
    request.ephemeral = create.ephemeral;
    request.sequential = create.sequential;
    request.container = create.container;
    request.parents = create.parents;
    request.ttl_ms = create.ttl_ms;
    return request;
  }
  wire::MultiOp operator()(const Set& set) const {
    return wire::SetRequest{context_.path(set.path), context_.data(set.data), set.version,
                            set.create};
  }
  wire::MultiOp operator()(const Delete& remove) const {
    return wire::DeleteRequest{context_.path(remove.path), remove.version, remove.recursive};
  }
  wire::MultiOp operator()(const Get& get) const {
    return wire::GetRequest{context_.path(get.path), {}};
  }
  wire::MultiOp operator()(const Ls& ls) const {
    if (ls.recursive) throw WrongStatement{"ls -R is not possible in a transaction"};
    wire::ChildrenRequest request;
    request.path = context_.path(ls.path);
    return request;
  }
  template <typename Other>
  wire::MultiOp operator()(const Other&) const {
    throw WrongStatement{"an operation is create, set, delete, check, get or ls"};
  }

 private:
  const ScriptContext& context_;
};

// The first line of an error's text has the reason.
std::string first_line_of(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string result_name(const wire::MultiOp& op) {
  constexpr std::array<const char*, 6> names{"create", "set", "delete", "check", "get", "ls"};
  return names[op.index()];
}

}  // namespace

wire::Result<void> MultiParser::add(std::string_view line) try {
  ++line_;
  if (const auto json = json_guard_in(line)) {
    add_guard({"if", std::string(*json)});
    return {};
  }
  auto words = split_words(line);
  if (words.has_error()) return words.error();
  if (!words->empty() && !words->front().starts_with('#')) add_words(std::move(*words));
  return {};
} catch (const WrongStatement& wrong) {
  return wire::Error{wire::ErrorCode::bad_arguments, wrong.reason};
}

void MultiParser::add_words(Words words) {
  if (words.front() == "if") return add_guard(words);
  if (words.front() != "else") return add_operation(std::move(words));
  if (words.size() > 1) throw WrongStatement{"else must be alone in its line"};
  if (script_.request.otherwise) throw WrongStatement{"a second else"};
  if (script_.conditions.empty()) throw WrongStatement{"else needs an if before it"};
  script_.request.otherwise.emplace();
}

void MultiParser::add_guard(const Words& words) {
  if (!script_.request.ops.empty() || script_.request.otherwise) {
    throw WrongStatement{"if must come before the operations; check tests a node after them"};
  }
  script_.conditions.push_back(condition_of(words, context_));
  script_.condition_lines.push_back(line_);
}

void MultiParser::add_operation(Words words) {
  const bool is_otherwise = script_.request.otherwise.has_value();
  auto& ops = is_otherwise ? *script_.request.otherwise : script_.request.ops;
  if (words.front() == "check") {
    ops.emplace_back(check_of(condition_of(words, context_)));
  } else {
    auto parsed = parse_line(std::move(words));
    if (const auto* notice = std::get_if<Notice>(&parsed)) {
      throw WrongStatement{first_line_of(notice->text)};
    }
    ops.push_back(std::visit(OperationOf(context_), *std::get<CommandLine>(parsed).command));
  }
  (is_otherwise ? script_.otherwise_lines : script_.op_lines).push_back(line_);
}

wire::Result<MultiScript> MultiParser::finish() {
  if (!script_.request.ops.empty() || script_.request.otherwise) return std::move(script_);
  return wire::Error{wire::ErrorCode::bad_arguments, "the script has no operations"};
}

std::string result_text(const wire::MultiOp& op, const wire::OpReply& reply) {
  const std::string path = std::visit([](const auto& each) { return each.path; }, op);
  std::string text = result_name(op) + ' ';
  if (const auto* created = std::get_if<wire::CreateReply>(&reply)) {
    text += created->path;
  } else if (const auto* set = std::get_if<wire::SetReply>(&reply)) {
    text += path + " v" + std::to_string(set->stat.version);
  } else if (const auto* got = std::get_if<wire::GetReply>(&reply)) {
    text += path + (got->data.empty() ? "" : " " + data_in_a_line(got->data));
  } else if (const auto* listed = std::get_if<wire::ChildrenReply>(&reply)) {
    text += path;
    for (const wire::Child& child : listed->children) text += "\n  " + child.name;
    if (listed->more) text += "\n  (and more)";
  } else {
    text += path;
  }
  return text + '\n';
}

}  // namespace shell
