#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tools/shell/export_format.h"
#include "tools/shell/print.h"
#include "tools/shell/progress.h"
#include "tools/shell/refused.h"
#include "tools/shell/replacement.h"
#include "tools/shell/runner.h"
#include "tools/shell/subtree_reader.h"

namespace shell {
namespace {

constexpr std::size_t part_bytes = std::size_t{256} << 10;

// Only a regular file can be replaced. A device or a pipe is written to.
bool is_replaceable(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

int opened_for_writing(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), file);
  return descriptor;
}

// The destination of an export's lines: an output, or a file. The file appears only when it is
// complete.
class ExportSink {
 public:
  ExportSink(const std::string& file, Output& standard) : file_(file) {
    if (file == "-") {
      out_ = &standard;
    } else if (is_replaceable(file)) {
      replacement_.emplace(file);
    } else {
      out_ = &device_.emplace(opened_for_writing(file), DescriptorBuffer::Failure::throws);
    }
  }

  std::string& buffer() { return buffer_; }
  void write() try {
    if (out_ != nullptr) {
      *out_ << buffer_ << std::flush;
    } else {
      replacement_->append(buffer_);
    }
    buffer_.clear();
  } catch (const OutputFailed& failed) {
    if (!device_) throw;
    throw Ended{exit_other, file_ + ": " + failed.what()};
  }
  void write_if_large() {
    if (buffer_.size() >= part_bytes) write();
  }
  void finish() {
    write();
    if (out_ != nullptr) return;
    replacement_->finish();
    replacement_->replace();
  }

 private:
  std::string file_;
  std::string buffer_;
  Output* out_ = nullptr;
  std::optional<Output> device_;
  std::optional<Replacement> replacement_;
};

nlohmann::json json_of(const ExportHeader& header, const ExportFooter& footer) {
  return {{"nodes", footer.nodes},
          {"exact", footer.exact},
          {"zxid", wire::to_hex(header.zxid)},
          {"changes", footer.changes},
          {"leftOut", footer.left_out}};
}

std::string export_text(const ExportHeader& header, const ExportFooter& footer) {
  std::string text = "exported " + std::to_string(footer.nodes) +
                     (footer.nodes == 1 ? " node of " : " nodes of ") + header.path;
  if (footer.exact) return text + ", exact at " + wire::to_hex(header.zxid) + '\n';
  return text + ", not exact: " + std::to_string(footer.changes) +
         (footer.changes == 1 ? " change was" : " changes were") + " made meanwhile, after " +
         wire::to_hex(header.zxid) + '\n';
}

}  // namespace

void Runner::on(const Export& command) try {
  settings_.catch_interrupts();
  const std::string top = absolute(command.path);
  SubtreeReader reader(client_(), top,
                       {!command.no_acls, command.ephemerals, [] { return interrupted.load(); }});
  const ExportHeader header{top, reader.begin(), !command.no_acls};
  ExportSink sink(command.file, out_);
  append_line(header, sink.buffer());

  ExportFooter footer;
  Progress progress(command.file == "-" && out_.is_terminal() ? -1 : STDERR_FILENO);
  for (auto nodes = reader.next(); !nodes.empty(); nodes = reader.next()) {
    for (const NodeCopy& node : nodes) {
      append_line(node, sink.buffer());
      sink.write_if_large();
    }
    footer.nodes += nodes.size();
    progress.show("exported " + std::to_string(footer.nodes) + " nodes");
  }
  footer.changes = reader.changes();
  footer.exact = footer.changes == 0;
  footer.left_out = reader.remarks().unreadable;
  append_line(footer, sink.buffer());
  sink.finish();
  progress.clear();

  std::ostream& results = command.file == "-" ? static_cast<std::ostream&>(err_) : out_;
  results << (json_ ? json_line(json_of(header, footer)) : export_text(header, footer));
  remark_on(reader.remarks(), top);
} catch (const std::system_error& failed) {
  throw Ended{exit_other, failed.what()};
}

void Runner::remark_on(const SubtreeReader::Remarks& remarks, const std::string& top) {
  if (remarks.ephemerals > 0) {
    err_ << top << ": " << remarks.ephemerals
         << (remarks.ephemerals == 1 ? " ephemeral node is" : " ephemeral nodes are")
         << " left out; --ephemerals includes them\n";
  }
  if (remarks.hidden_hashes > 0) {
    err_ << top << ": " << remarks.hidden_hashes
         << " ACLs have hashes that the server does not show to this client: they cannot be "
            "restored; use --auth\n";
  }
  if (remarks.unreadable > 0) {
    err_ << remarks.first_unreadable;
    if (remarks.unreadable > 1) err_ << " and " << remarks.unreadable - 1 << " more";
    err_ << ": not allowed (NoAuth); left out, with what is below\n";
    exit_code_ = exit_no_auth;
  }
}

}  // namespace shell
