#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "tools/shell/node_copy.h"
#include "wire/limits.h"
#include "wire/result.h"

// The lines of an export, each of which is a JSON object: a header, the nodes, and a footer.
// docs/shell.md is the reference.
namespace shell {

struct ExportHeader {
  std::string path;  // of the top
  wire::Zxid zxid;   // at which it began
  bool with_acls = true;

  bool operator==(const ExportHeader&) const = default;
};

struct ExportFooter {
  std::uint64_t nodes = 0;
  bool exact = false;  // all nodes are as they were at the zxid of the header
  std::uint64_t changes = 0;
  std::uint64_t left_out = 0;  // nodes that could not be read

  bool operator==(const ExportFooter&) const = default;
};

// Each appends a line with its end.
void append_line(const ExportHeader& header, std::string& out);
void append_line(const NodeCopy& node, std::string& out);
void append_line(const ExportFooter& footer, std::string& out);

using ExportLine = std::variant<ExportHeader, NodeCopy, ExportFooter>;
// Parses a line of an export. BadArguments says why a line is not valid.
[[nodiscard]] wire::Result<ExportLine> parse_export_line(std::string_view line);

// No line of an export is longer. In JSON, one byte of a text may need six.
inline constexpr std::size_t export_line_bytes_max = 6 * wire::data_bytes_max + (1 << 20);

}  // namespace shell
