#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/shell/export_format.h"
#include "tools/shell/input.h"
#include "tools/shell/print.h"
#include "tools/shell/progress.h"
#include "tools/shell/refused.h"
#include "tools/shell/runner.h"
#include "tools/shell/subtree_writer.h"

namespace shell {
namespace {

constexpr const char* not_complete =
    "the export is not complete: its last line, the footer, is missing; --partial imports what is "
    "there";

// Reads the lines of an export. Errors name the line.
class ExportReader {
 public:
  // `file` is `-` for standard input.
  explicit ExportReader(const std::string& file)
      : name_(file == "-" ? "standard input" : file),
        descriptor_(file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC)),
        input_(descriptor_, [] { return interrupted.load(); }) {
    if (descriptor_ < 0) throw Ended{exit_other, name_ + ": " + std::strerror(errno)};
  }
  ~ExportReader() {
    if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
  }
  ExportReader(const ExportReader&) = delete;
  ExportReader& operator=(const ExportReader&) = delete;

  // Throws Ended if a file does not end with a footer. The end of a pipe is not known yet.
  void expect_footer() const {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return;
    std::array<char, 4096> end{};
    const off_t from = std::max<off_t>(status.st_size - static_cast<off_t>(end.size()), 0);
    const ssize_t size = ::pread(descriptor_, end.data(), end.size(), from);
    std::string_view text(end.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (text.ends_with('\n')) text.remove_suffix(1);
    const auto line = parse_export_line(text.substr(text.rfind('\n') + 1));
    if (!line.has_value() || !std::holds_alternative<ExportFooter>(*line)) {
      throw Ended{exit_other, name_ + ": " + not_complete};
    }
  }

  std::optional<ExportLine> next() {
    const std::optional<std::string> text = read();
    if (!text) return std::nullopt;
    ++line_;
    auto line = parse_export_line(*text);
    if (line.has_error()) throw Ended{exit_usage, place() + ": " + line.error().message};
    return std::move(*line);
  }
  [[nodiscard]] std::string place() const { return name_ + ", line " + std::to_string(line_); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::optional<std::string> read() try {
    std::optional<std::string> line = input_.line(export_line_bytes_max);
    if (interrupted) throw Ended{exit_interrupted, "interrupted"};
    return line;
  } catch (const InputFailed& failed) {
    throw Ended{exit_other, name_ + ": " + failed.what()};
  }

  std::string name_;
  int descriptor_;
  Input input_;
  std::size_t line_ = 0;
};

constexpr std::string_view name_of(SubtreeWriter::Action action) {
  constexpr std::array<std::string_view, 4> names{"create", "overwrite", "skip", "exists"};
  return names[static_cast<std::size_t>(action)];
}

nlohmann::json json_of(const SubtreeWriter::Counts& counts, bool is_dry_run) {
  return {{"created", counts.created},
          {"overwritten", counts.overwritten},
          {"skipped", counts.skipped},
          {"refused", counts.refused},
          {"dryRun", is_dry_run}};
}

std::string import_text(const SubtreeWriter::Counts& counts, bool is_dry_run) {
  std::string text = (is_dry_run ? "would create " : "created ") + std::to_string(counts.created);
  if (counts.overwritten > 0) {
    text += (is_dry_run ? ", overwrite " : ", overwrote ") + std::to_string(counts.overwritten);
  }
  if (counts.skipped > 0) {
    text += (is_dry_run ? ", skip " : ", skipped ") + std::to_string(counts.skipped);
  }
  if (counts.refused > 0) text += ", refuse " + std::to_string(counts.refused) + " that exist";
  return text + '\n';
}

ExportHeader header_from(ExportReader& lines) {
  const auto first = lines.next();
  if (!first) throw Ended{exit_usage, lines.name() + ": is empty; it needs the lines of an export"};
  const auto* header = std::get_if<ExportHeader>(&*first);
  if (header == nullptr)
    throw Ended{exit_usage, lines.place() + ": is not the header of an export"};
  return *header;
}

void check_footer(const ExportFooter& footer, std::uint64_t nodes, ExportReader& lines) {
  if (footer.nodes != nodes) {
    throw Ended{exit_other, lines.place() + ": the export had " + std::to_string(footer.nodes) +
                                " nodes, but there are " + std::to_string(nodes) +
                                " lines of nodes"};
  }
  if (lines.next()) throw Ended{exit_usage, lines.place() + ": nothing may follow the footer"};
}

void import_nodes(const Import& command, ExportReader& lines, SubtreeWriter& writer) {
  Progress progress(STDERR_FILENO);
  std::optional<ExportFooter> footer;
  std::uint64_t nodes = 0;
  while (!footer) {
    auto line = lines.next();
    if (!line) break;
    if (std::holds_alternative<ExportHeader>(*line)) {
      throw Ended{exit_usage, lines.place() + ": a second header"};
    }
    if (auto* node = std::get_if<NodeCopy>(&*line)) {
      if (command.no_acls) node->acl.reset();
      if (node->acl && has_hidden_hash(*node->acl)) {
        throw Ended{exit_no_auth, lines.place() +
                                      ": its ACL has a hash that was hidden when it was exported; "
                                      "--no-acls imports without ACLs"};
      }
      writer.add(std::move(*node), lines.place());
      progress.show("imported " + std::to_string(writer.counts().created) + " nodes");
      ++nodes;
    } else {
      footer = std::get<ExportFooter>(*line);
    }
  }
  writer.finish();
  if (footer) return check_footer(*footer, nodes, lines);
  if (!command.partial) throw Ended{exit_other, lines.name() + ": " + not_complete};
}

}  // namespace

void Runner::on(const Import& command) {
  if (command.file == "-" && settings_.mode == Mode::interactive) {
    throw Ended{exit_usage, "FILE - reads standard input, but the commands come from there"};
  }
  settings_.catch_interrupts();
  ExportReader lines(command.file);
  if (!command.partial) lines.expect_footer();
  const ExportHeader header = header_from(lines);
  const std::string top = command.path.empty() ? header.path : absolute(command.path);
  SubtreeWriter writer(
      client_(), {top, command.existing, command.parents, !command.no_acls && header.with_acls,
                  command.dry_run,
                  [this](const std::string& path, SubtreeWriter::Action action) {
                    out_ << (json_ ? json_line({{"path", path}, {"action", name_of(action)}})
                                   : std::string(name_of(action)) + ' ' + path + '\n');
                  },
                  [] { return interrupted.load(); }});
  try {
    import_nodes(command, lines, writer);
  } catch (...) {
    const std::uint64_t written = writer.counts().created + writer.counts().overwritten;
    if (written > 0 && !command.dry_run) {
      err_ << top << ": " << written << (written == 1 ? " node is" : " nodes are") << " imported; "
           << (command.existing == Existing::overwrite
                   ? "the same command goes on\n"
                   : "with --skip-existing the command goes on\n");
    }
    throw;
  }
  const SubtreeWriter::Counts& counts = writer.counts();
  if (json_) {
    out_ << json_line(json_of(counts, command.dry_run));
  } else {
    out_ << import_text(counts, command.dry_run);
  }
  if (counts.refused > 0) exit_code_ = exit_node_exists;
}

}  // namespace shell
