#include "tools/shell/data_text.h"
#include "tools/shell/print.h"
#include "tools/shell/requests.h"

// The command that prints data.
namespace shell {

void Runner::on(const Get& get) {
  const std::string path = absolute(get.path);
  const wire::GetReply reply = ask(wire::GetRequest{path, {}}, path);
  if (json_) return;
  if (get.pretty) {
    if (!print_indented_json(reply.data, out_)) {
      return fail(exit_other, path + ": the data are not JSON");
    }
  } else if (get.raw || (common_.format == Format::raw && !get.stat)) {
    out_.write_raw(reply.data);
  } else if (out_.is_terminal() && is_binary(reply.data)) {
    print_hex(reply.data, out_);
  } else {
    out_ << reply.data;
    // A file or another program gets the data alone, byte for byte.
    const bool is_exact = settings_.mode == Mode::one_shot && !out_.is_terminal() && !get.stat;
    const bool has_end = out_.is_terminal() && reply.data.ends_with('\n');
    if (!is_exact && !has_end) out_ << '\n';
  }
  if (get.stat) out_ << stat_text(reply.stat);
}

}  // namespace shell
