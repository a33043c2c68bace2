#include "tools/shell/line_pattern.h"

#include <array>
#include <locale.h>
#include <regex.h>
#include <stdexcept>
#include <utility>

namespace shell {
namespace {

// While an object exists, this thread reads text as UTF-8. So a dot matches one character of any
// script.
class Utf8Locale {
 public:
  Utf8Locale() : former_(::uselocale(utf8())) {}
  ~Utf8Locale() { ::uselocale(former_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  // Null if the system has no such locale. Then the locale is not changed.
  static ::locale_t utf8() {
    static const ::locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;
  }

  ::locale_t former_;
};

std::string expression_for(std::string_view text) {
  std::string expression;
  for (const char c : text) {
    if (std::string_view(R"(\.[]{}()*+?^$|)").find(c) != std::string_view::npos) expression += '\\';
    expression += c;
  }
  return expression;
}

}  // namespace

struct LinePattern::Expression {
  Expression(const std::string& pattern, int flags) {
    const Utf8Locale locale;
    const int error = ::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB | flags);
    if (error == 0) return;
    std::array<char, 256> words{};
    ::regerror(error, &compiled, words.data(), words.size());
    throw std::invalid_argument(words.data());
  }
  ~Expression() { ::regfree(&compiled); }
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

  regex_t compiled{};
};

LinePattern::LinePattern(std::string pattern, Options options) : text_(std::move(pattern)) {
  if (!options.is_expression && !options.ignores_case) return;
  const std::string expression = options.is_expression ? text_ : expression_for(text_);
  expression_ =
      std::make_shared<const Expression>(expression, options.ignores_case ? REG_ICASE : 0);
}

bool LinePattern::matches(std::string_view line) const {
  if (!expression_) return line.find(text_) != std::string_view::npos;
  const Utf8Locale locale;
  regmatch_t part{0, static_cast<regoff_t>(line.size())};
  // An empty view may have a null pointer, which regexec does not allow.
  const char* const begin = line.empty() ? "" : line.data();
  return ::regexec(&expression_->compiled, begin, 0, &part, REG_STARTEND) == 0;
}

}  // namespace shell
