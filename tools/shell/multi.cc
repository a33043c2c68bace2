#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "tools/shell/input.h"
#include "tools/shell/multi_script.h"
#include "tools/shell/requests.h"
#include "wire/limits.h"

namespace shell {
namespace {

// A longer script does not fit into any transaction.
constexpr std::size_t script_bytes_max = 2 * wire::transaction_bytes_max;

std::string line_name(std::size_t line) { return "line " + std::to_string(line) + ": "; }

// Throws Ended if the script is not valid.
MultiScript read_script(int descriptor, const std::string& name, const ScriptContext& context) {
  Input input(descriptor);
  MultiParser parser(context);
  std::size_t bytes = 0;
  std::size_t number = 0;
  while (const auto line = input.line(script_bytes_max)) {
    bytes += line->size();
    ++number;
    if (bytes > script_bytes_max) {
      throw Ended{exit_other, name + ": is too large for one transaction (TooLarge)"};
    }
    const std::string place = name + ", " + line_name(number);
    try {
      const auto added = parser.add(*line);
      if (added.has_error()) throw Ended{exit_usage, added.error().message};
    } catch (const Ended& ended) {
      throw Ended{ended.code, place + ended.words};
    }
  }
  auto script = parser.finish();
  if (script.has_error()) throw Ended{exit_usage, name + ": " + script.error().message};
  return std::move(*script);
}

// An error of the server, with the line of the operation.
Refused refused_at(std::size_t line, wire::Error error, const std::string& path, wire::Zxid zxid) {
  if (!error.message.empty()) error.message = line_name(line) + error.message;
  return {std::move(error), line_name(line) + path, Effect::write, zxid};
}

std::string path_of_operation(const wire::MultiOp& op) {
  return std::visit([](const auto& each) { return each.path; }, op);
}

}  // namespace

void Runner::on(const Multi& command) {
  const bool is_input = command.file == "-";
  if (is_input && settings_.mode == Mode::interactive) {
    throw Ended{exit_usage, "FILE - reads standard input, but the commands come from there"};
  }
  const int descriptor =
      is_input ? STDIN_FILENO : ::open(command.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw Ended{exit_other, command.file + ": " + std::strerror(errno)};
  const ScriptContext context{[this](const std::string& path) { return absolute(path); },
                              [this](const std::string& data) {
                                if (data == "-") {
                                  throw Ended{exit_usage,
                                              "DATA - is not possible in a script: "
                                              "@FILE reads a file"};
                                }
                                return read_data(data);
                              }};
  MultiScript script;
  try {
    script = read_script(descriptor, is_input ? "standard input" : command.file, context);
  } catch (const InputFailed& failed) {
    if (is_input) throw;
    throw Ended{exit_other, command.file + ": " + failed.what()};
  }
  if (!is_input) ::close(descriptor);
  carry_out(script);
}

void Runner::carry_out(const MultiScript& script) {
  const auto reply = client_().ask(script.request, {}, script.conditions);
  last_zxid_ = reply.zxid;
  if (reply.result.has_error()) {
    const wire::Error& error = reply.result.error();
    const bool is_guard =
        error.unmet && error.unmet->condition && *error.unmet->condition < script.conditions.size();
    if (!is_guard) throw Refused{error, {}, Effect::write, reply.zxid};
    const std::size_t at = *error.unmet->condition;
    throw refused_at(script.condition_lines[at], error, script.conditions[at].path, reply.zxid);
  }
  const auto* multi = std::get_if<wire::MultiReply>(&*reply.result);
  if (json_) print_json(wire::Reply{{}, reply.zxid, {}, reply.result});
  if (multi == nullptr) {  // done, but the results are lost
    if (!json_) err_ << "done, but the results were lost with a connection: read what it wrote\n";
    return;
  }
  const bool is_otherwise = multi->branch == wire::Branch::otherwise;
  const auto& ops = is_otherwise ? *script.request.otherwise : script.request.ops;
  const auto& lines = is_otherwise ? script.otherwise_lines : script.op_lines;
  if (multi->failed) {
    Refused refused = refused_at(lines[*multi->failed], multi->results[*multi->failed].error(),
                                 path_of_operation(ops[*multi->failed]), reply.zxid);
    refused.is_in_output = true;
    throw refused;
  }
  if (json_) return;
  if (is_otherwise) out_ << "else\n";
  for (std::size_t i = 0; i < ops.size(); ++i) {
    out_ << result_text(ops[i], multi->results[i].value());
  }
}

}  // namespace shell
