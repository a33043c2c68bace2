#include "tools/shell/export_format.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include <nlohmann/json.hpp>

#include "wire/base64.h"
#include "wire/json_text.h"
#include "wire/path.h"
#include "wire/utf8.h"

namespace shell {
namespace {

using Json = nlohmann::json;

constexpr std::string_view format_name = "zabkeeper-export";
constexpr int format_version = 1;
constexpr std::array<std::string_view, 4> kind_names{"persistent", "container", "ttl", "ephemeral"};

// Why a line is refused.
struct WrongLine {
  std::string reason;
};

void append_acl(const wire::Acl& acl, std::string& out) {
  out += ",\"acl\":";
  wire::json::JsonSyntax::append_array(acl, out, [](const wire::AclEntry& entry, std::string& to) {
    to += "{\"scheme\":";
    wire::json::append_string(entry.scheme, to);
    to += ",\"id\":";
    wire::json::append_string(entry.id, to);
    to += ",\"perms\":\"" + wire::perm_letters(entry.perms) + "\"}";
  });
}

void expect_fields(const Json& object, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(names, name) == names.end()) {
      throw WrongLine{"unknown field \"" + name + '"'};
    }
  }
}

// The value of a field; a value of another type is refused.
template <typename T>
std::optional<T> field(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return std::nullopt;
  bool fits = found->is_string();
  if constexpr (std::is_same_v<T, bool>) {
    fits = found->is_boolean();
  } else if constexpr (std::is_integral_v<T>) {
    fits = found->is_number_unsigned();
  }
  if (!fits) throw WrongLine{std::string("field \"") + name + "\" has a wrong type"};
  return found->get<T>();
}

template <typename T>
T required(const Json& object, const char* name) {
  auto value = field<T>(object, name);
  if (!value) throw WrongLine{std::string("missing field \"") + name + '"'};
  return std::move(*value);
}

wire::Bytes data_of(const Json& object) {
  auto text = field<std::string>(object, "data");
  const auto encoded = field<std::string>(object, "data64");
  if (text.has_value() == encoded.has_value()) {
    throw WrongLine{"needs either the field \"data\" or the field \"data64\""};
  }
  if (text) return std::move(*text);
  auto bytes = wire::from_base64(*encoded);
  if (!bytes) throw WrongLine{"field \"data64\" is not base64"};
  return std::move(*bytes);
}

std::optional<wire::Acl> acl_of(const Json& object) {
  const auto found = object.find("acl");
  if (found == object.end()) return std::nullopt;
  if (!found->is_array()) throw WrongLine{"field \"acl\" has a wrong type"};
  wire::Acl acl;
  for (const Json& entry : *found) {
    if (!entry.is_object()) throw WrongLine{"field \"acl\" has a wrong type"};
    expect_fields(entry, {"scheme", "id", "perms"});
    const auto perms = wire::perms_of(required<std::string>(entry, "perms"));
    if (!perms) throw WrongLine{"perms of an ACL are letters of cdrwa"};
    acl.push_back(
        {required<std::string>(entry, "scheme"), required<std::string>(entry, "id"), *perms});
  }
  return acl;
}

NodeCopy node_of(const Json& object) {
  expect_fields(object, {"path", "data", "data64", "kind", "ttlMs", "acl"});
  NodeCopy node{required<std::string>(object, "path"), data_of(object)};
  if (node.path != top_of_subtree) {
    const auto valid = wire::validate_path('/' + node.path);
    if (valid.has_error()) throw WrongLine{valid.error().message};
  }
  if (const auto kind = field<std::string>(object, "kind")) {
    const auto* const name = std::ranges::find(kind_names, *kind);
    if (name == kind_names.end()) throw WrongLine{"unknown kind \"" + *kind + '"'};
    node.kind = static_cast<NodeCopy::Kind>(name - kind_names.begin());
  }
  if (const auto ttl = field<std::uint64_t>(object, "ttlMs")) {
    node.ttl_ms = static_cast<std::int64_t>(std::min<std::uint64_t>(*ttl, INT64_MAX));
  }
  if (node.ttl_ms.has_value() != (node.kind == NodeCopy::Kind::ttl)) {
    throw WrongLine{"the kind \"ttl\" has a field \"ttlMs\", and no other kind has it"};
  }
  node.acl = acl_of(object);
  return node;
}

ExportHeader header_of(const Json& object) {
  if (required<std::string>(object, "format") != format_name) {
    throw WrongLine{"is not an export of zab: its format has another name"};
  }
  if (required<std::uint64_t>(object, "version") != format_version) {
    throw WrongLine{"has a version of the format that this zab does not know: it knows 1"};
  }
  expect_fields(object, {"format", "version", "path", "zxid", "acls"});
  ExportHeader header{required<std::string>(object, "path"), {}, required<bool>(object, "acls")};
  const auto valid = wire::validate_path(header.path);
  if (valid.has_error()) throw WrongLine{valid.error().message};
  const auto zxid = wire::from_hex(required<std::string>(object, "zxid"));
  if (!zxid) throw WrongLine{"field \"zxid\" must have 16 hex digits"};
  header.zxid = wire::Zxid::from_bits(*zxid);
  return header;
}

ExportFooter footer_of(const Json& object) {
  expect_fields(object, {"nodes", "exact", "changes", "leftOut"});
  return {required<std::uint64_t>(object, "nodes"), required<bool>(object, "exact"),
          required<std::uint64_t>(object, "changes"), required<std::uint64_t>(object, "leftOut")};
}

}  // namespace

void append_line(const ExportHeader& header, std::string& out) {
  out += "{\"format\":\"" + std::string(format_name) +
         "\",\"version\":" + std::to_string(format_version) + ",\"path\":";
  wire::json::append_string(header.path, out);
  out += ",\"zxid\":\"" + wire::to_hex(header.zxid) + "\",\"acls\":";
  out += header.with_acls ? "true}\n" : "false}\n";
}

void append_line(const NodeCopy& node, std::string& out) {
  out += "{\"path\":";
  wire::json::append_string(node.path, out);
  if (wire::is_utf8(node.data)) {
    out += ",\"data\":";
    wire::json::append_string(node.data, out);
  } else {
    out += ",\"data64\":\"";
    wire::append_base64(node.data, out);
    out += '"';
  }
  if (node.kind != NodeCopy::Kind::persistent) {
    out += ",\"kind\":\"";
    out += kind_names[static_cast<std::size_t>(node.kind)];
    out += '"';
  }
  if (node.ttl_ms) out += ",\"ttlMs\":" + std::to_string(*node.ttl_ms);
  if (node.acl) append_acl(*node.acl, out);
  out += "}\n";
}

void append_line(const ExportFooter& footer, std::string& out) {
  out += "{\"nodes\":" + std::to_string(footer.nodes) +
         ",\"exact\":" + (footer.exact ? "true" : "false") +
         ",\"changes\":" + std::to_string(footer.changes) +
         ",\"leftOut\":" + std::to_string(footer.left_out) + "}\n";
}

wire::Result<ExportLine> parse_export_line(std::string_view line) try {
  const Json object = Json::parse(line);
  if (!object.is_object()) throw WrongLine{"is not a JSON object"};
  if (object.contains("format")) return ExportLine(header_of(object));
  if (object.contains("path")) return ExportLine(node_of(object));
  if (object.contains("nodes")) return ExportLine(footer_of(object));
  throw WrongLine{"is neither a header, nor a node, nor a footer of an export"};
} catch (const WrongLine& wrong) {
  return wire::Error{wire::ErrorCode::bad_arguments, wrong.reason};
} catch (const Json::exception&) {
  return wire::Error{wire::ErrorCode::bad_arguments, "is not JSON"};
}

}  // namespace shell
