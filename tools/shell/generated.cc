#include "tools/shell/generated.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "tools/shell/command_line.h"
#include "tools/shell/exit_codes.h"
#include "tools/shell/global_options.h"
#include "tools/shell/grammar.h"

namespace shell {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

// A pattern for `case` of the program's options whose value is the next word.
std::string valued_pattern(const Grammar& program) {
  std::vector<std::string> names;
  for (const std::string& name : names_of_options(program)) {
    if (takes_value(program, name)) names.push_back(name);
  }
  return joined(names, "|");
}

// The words that may follow a command, besides paths and data.
std::vector<std::string> words_after(const Grammar& program, const Grammar& command) {
  std::vector<std::string> words = names_of_commands(command);
  for (const std::string& name : names_of_options(command)) words.push_back(name);
  for (const std::string& name : names_of_options(program)) words.push_back(name);
  std::ranges::sort(words);
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

std::string bash_script() {
  const Grammar program = program_grammar();
  std::string text =
      "# Completion for bash, made by `zab --generate bash`.\n"
      "_zab() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} command= words= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in\n"
      "      --) return ;;\n"
      "      " +
      valued_pattern(program) +
      ") ((i++)) ;;\n"
      "      -*) ;;\n"
      "      *) [[ -n $command ]] || command=${COMP_WORDS[i]} ;;\n"
      "    esac\n"
      "  done\n"
      "  case $command in\n"
      "    '') words='" +
      joined(names_of_commands(program), " ") + ' ' + joined(names_of_options(program), " ") +
      "' ;;\n    help) words='" + joined(names_of_commands(program), " ") + "' ;;\n";
  for (const Grammar& each : program.subcommands) {
    if (each.command == "help") continue;
    text +=
        "    " + each.command + ") words='" + joined(words_after(program, each), " ") + "' ;;\n";
  }
  return text +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
         "}\n"
         "complete -o default -F _zab zab\n";
}

// Escapes text for single quotes, and for a description after a colon.
std::string zsh_text(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else if (c == ':') {
      quoted += "\\:";
    } else {
      quoted += c;
    }
  }
  return quoted;
}

std::string zsh_script() {
  const Grammar program = program_grammar();
  std::string text =
      "#compdef zab\n"
      "# Completion for zsh, made by `zab --generate zsh`.\n"
      "_zab() {\n"
      "  local command= i\n"
      "  local -a commands options\n"
      "  commands=(\n";
  for (const CommandHelp& each : command_helps()) {
    text += "    '" + each.name + ':' + zsh_text(each.purpose) + "'\n";
  }
  text +=
      "  )\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case ${words[i]} in\n"
      "      --) _files; return ;;\n"
      "      " +
      valued_pattern(program) +
      ") ((i++)) ;;\n"
      "      -*) ;;\n"
      "      *) [[ -n $command ]] || command=${words[i]} ;;\n"
      "    esac\n"
      "  done\n"
      "  case $command in\n"
      "    '') options=(" +
      joined(names_of_options(program), " ") +
      ")\n"
      "      _describe -t commands command commands ;;\n"
      "    help) _describe -t commands command commands; return ;;\n";
  for (const Grammar& each : program.subcommands) {
    if (each.command == "help") continue;
    text +=
        "    " + each.command + ") options=(" + joined(words_after(program, each), " ") + ") ;;\n";
  }
  return text +
         "  esac\n"
         "  compadd -- $options\n"
         "  [[ -n $command && $PREFIX != -* ]] && _files\n"
         "  return 0\n"
         "}\n"
         "_zab \"$@\"\n";
}

// Joins the lines that the arguments have in the help.
std::string in_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const char next = c == '\n' ? ' ' : c;
    if (next != ' ' || (!line.empty() && line.back() != ' ')) line += next;
  }
  return line;
}

// Escapes text for a manual page. So troff reads no word of it as a request.
std::string troff(std::string_view text) {
  std::string escaped;
  bool is_line_begun = false;
  for (const char c : text) {
    if (!is_line_begun && (c == '.' || c == '\'')) escaped += "\\&";
    is_line_begun = c != '\n';
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string man_page() {
  std::string text =
      ".TH ZAB 1 \"\" Zabkeeper \"User Commands\"\n"
      ".SH NAME\nzab \\- the shell of Zabkeeper\n"
      ".SH SYNOPSIS\n.nf\n\\fBzab\\fR [OPTION...] COMMAND ...\n\\fBzab\\fR [OPTION...] [\\-]\n.fi\n"
      ".SH DESCRIPTION\nReads and changes the tree of a Zabkeeper ensemble, and looks after its "
      "servers.\nWith a command, it runs the command. Without one, it reads commands from the "
      "terminal or from\nstandard input.\n"
      ".SH OPTIONS\n";
  for (const GlobalOption& option : global_options()) {
    text += ".TP\n\\fB" + troff(option.name) + "\\fR " + troff(option.argument) + '\n' +
            troff(option.purpose) + '\n';
    if (!option.environment.empty()) {
      text += "(environment: \\fB" + std::string(option.environment) + "\\fR)\n";
    }
  }
  text += ".SH COMMANDS\n";
  for (const CommandHelp& each : command_helps()) {
    text += ".TP\n\\fB" + troff(each.name) + "\\fR " + troff(in_one_line(each.arguments)) + '\n' +
            troff(each.purpose) + ".\n";
    if (!each.details.empty()) text += ".IP\n" + troff(each.details);
    text += ".IP\nExample: \\fBzab " + troff(each.example) + "\\fR\n";
  }
  return text + ".SH EXIT STATUS\n.nf\n" + troff(exit_codes_help()) + ".fi\n" +
         ".SH FILES\n.TP\n~/.config/zabkeeper/config.toml\nthe contexts: see \\fBcontext\\fR\n"
         ".TP\n~/.local/state/zabkeeper/history\nthe lines of the interactive shell\n";
}

}  // namespace

std::optional<std::string> generated(const std::string& what) {
  if (what == "bash") return bash_script();
  if (what == "zsh") return zsh_script();
  if (what == "man") return man_page();
  return std::nullopt;
}

}  // namespace shell
