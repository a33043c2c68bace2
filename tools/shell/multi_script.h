#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/shell/command_line.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

namespace shell {

// The script of `multi`: a transaction with guards. docs/shell.md is the reference.
struct MultiScript {
  std::vector<wire::Condition> conditions;
  wire::MultiRequest request;
  // The line number of each condition and operation. Numbers begin at 1.
  std::vector<std::size_t> condition_lines;
  std::vector<std::size_t> op_lines;
  std::vector<std::size_t> otherwise_lines;
};

// Converts the words of a script. `path` makes a path absolute. `data` reads data that are in a
// file.
struct ScriptContext {
  std::function<std::string(const std::string& path)> path;
  std::function<std::string(const std::string& argument)> data;
};

// Parses a script line by line.
class MultiParser {
 public:
  explicit MultiParser(ScriptContext context) : context_(std::move(context)) {}

  // BadArguments says what is wrong with the line.
  [[nodiscard]] wire::Result<void> add(std::string_view line);
  [[nodiscard]] wire::Result<MultiScript> finish();

 private:
  void add_words(Words words);
  void add_guard(const Words& words);
  void add_operation(Words words);

  ScriptContext context_;
  MultiScript script_;
  std::size_t line_ = 0;
};

// "set /app v4": the result of an operation, with its end of line.
[[nodiscard]] std::string result_text(const wire::MultiOp& op, const wire::OpReply& reply);

}  // namespace shell
