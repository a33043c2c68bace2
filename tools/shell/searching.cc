#include <algorithm>
#include <chrono>
#include <string_view>

#include "tools/shell/data_text.h"
#include "tools/shell/omissions.h"
#include "tools/shell/print.h"
#include "tools/shell/regular_flush.h"
#include "tools/shell/requests.h"
#include "tools/shell/tree_walk.h"
#include "wire/json_text.h"

// The commands that look for nodes.
namespace shell {
namespace {

using JsonObject = wire::ObjectWriter<wire::json::JsonSyntax>;

wire::TimeMs present_time() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// Prints the lines of nodes that match.
class LineSearch {
 public:
  LineSearch(const Grep& grep, bool json, std::ostream& out)
      : grep_(grep), json_(json), out_(out) {}

  // Prints the lines of one node that match. Returns whether there are any.
  bool look_at(const std::string& path, std::string_view data) {
    const bool is_text = !is_binary(data);
    bool has_matched = false;
    std::size_t number = 0;
    while (!data.empty()) {
      const std::size_t end = std::min(data.find('\n'), data.size());
      const std::string_view line = data.substr(0, end);
      data.remove_prefix(std::min(end + 1, data.size()));
      ++number;
      if (!grep_.pattern.matches(line)) continue;
      has_matched = true;
      if (grep_.names_only) {
        print_name(path);
      } else if (is_text) {
        print_line(path, number, line);
      } else {
        print_binary(path);
      }
      if (grep_.names_only || !is_text) break;
    }
    return has_matched;
  }

 private:
  void print_name(const std::string& path) {
    if (json_) {
      print_object([&](JsonObject& object) { object.string("path", path); });
    } else {
      out_ << path << (grep_.null_separated ? '\0' : '\n');
    }
  }
  void print_line(const std::string& path, std::size_t number, std::string_view line) {
    if (json_) {
      return print_object([&](JsonObject& object) {
        object.string("path", path);
        object.integer("line", number);
        object.string("text", line);
      });
    }
    out_ << path << ':';
    if (grep_.line_numbers) out_ << number << ':';
    out_ << line << '\n';
  }
  void print_binary(const std::string& path) {
    if (json_) {
      return print_object([&](JsonObject& object) {
        object.string("path", path);
        object.boolean("binary", true);
      });
    }
    out_ << path << ": binary data match\n";
  }
  template <typename AddFields>
  void print_object(AddFields add_fields) {
    std::string text;
    {
      JsonObject object(text);
      add_fields(object);
    }
    out_ << text << '\n';
  }

  const Grep& grep_;
  bool json_;
  std::ostream& out_;
};

}  // namespace

void Runner::on(const Find& find) {
  const wire::TimeMs now = present_time();
  Omissions omissions(err_);
  TreeWalk walk(client_(), absolute(find.path), {find.filter.contains.has_value(), find.depth_max},
                omissions);
  RegularFlush flush(out_);
  while (const auto node = walk.next()) {
    flush.tick();
    if (!find.filter.matches(*node, now)) continue;
    if (json_) {
      out_ << node_line(node->path, node->stat);
    } else {
      out_ << node->path << (find.null_separated ? '\0' : '\n');
    }
  }
  exit_code_ = omissions.finish();
}

void Runner::on(const Grep& grep) {
  Omissions omissions(err_);
  TreeWalk walk(client_(), absolute(grep.path), {.with_data = true}, omissions);
  RegularFlush flush(out_);
  LineSearch search(grep, json_, out_);
  bool has_matched = false;
  while (const auto node = walk.next()) {
    flush.tick();
    if (node->data && search.look_at(node->path, *node->data)) has_matched = true;
  }
  exit_code_ = omissions.finish();
  if (exit_code_ == exit_ok && !has_matched) exit_code_ = exit_no_match;
}

}  // namespace shell
