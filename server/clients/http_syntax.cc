#include "server/clients/http_syntax.h"

#include <algorithm>
#include <string>

#include <boost/beast/core/string.hpp>

namespace server {
namespace {

Answer bad_request(const std::string& why) {
  return error_answer(400, "BadRequest", "not an HTTP/1.1 request: " + why);
}

// Removes the first line from `rest`, with its CRLF.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 2);
  return line;
}

// Beast accepts lists of equal numbers.
bool is_one_number(std::string_view value) {
  value = trimmed_header(value);
  return !value.empty() && value.find_first_not_of("0123456789") == value.npos;
}

bool equal_names(std::string_view name, boost::beast::string_view known) {
  return boost::beast::iequals({name.data(), name.size()}, known);
}

}  // namespace

std::string_view trimmed_header(std::string_view value) {
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  return value;
}

std::optional<AbsoluteTarget> absolute_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://", "ws://", "wss://"}) {
    if (target.size() < scheme.size() ||
        !equal_names(target.substr(0, scheme.size()), {scheme.data(), scheme.size()})) {
      continue;
    }
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    const std::string_view path = target.substr(end);
    return AbsoluteTarget{target.substr(0, end), path.starts_with('/') ? path : "/"};
  }
  return std::nullopt;
}

bool has_bare_line_feed(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return true;
  }
  return false;
}

// RFC 9112, sections 2.2, 3, 5.1, 5.2 and 6.
std::optional<Answer> refuse_ambiguous_head(std::string_view head) {
  const std::string_view request_line = take_line(head);
  if (!request_line.ends_with(" HTTP/1.1") && !request_line.ends_with(" HTTP/1.0")) {
    return bad_request("its first line does not end with HTTP/1.1 or HTTP/1.0");
  }
  if (request_line.find_first_of("\r\n") != request_line.npos) {
    return bad_request("a line does not end with CR and LF");
  }
  int lengths = 0;
  bool has_encoding = false;
  while (!head.empty()) {
    const std::string_view line = take_line(head);
    if (line.empty()) break;
    if (line.find_first_of("\r\n") != line.npos) {
      return bad_request("a line does not end with CR and LF");
    }
    if (line.front() == ' ' || line.front() == '\t') {
      return bad_request("a header line is continued on the next line");
    }
    const std::string_view name = line.substr(0, line.find(':'));
    if (name.empty() || name.size() == line.size() || name.find_first_of(" \t") != name.npos) {
      return bad_request("a header line must begin with a name and a colon");
    }
    if (equal_names(name, "Content-Length")) {
      lengths += 1;
      if (!is_one_number(line.substr(name.size() + 1)))
        return bad_request("Content-Length is invalid");
    }
    has_encoding = has_encoding || equal_names(name, "Transfer-Encoding");
  }
  if (lengths > 1) return bad_request("Content-Length comes twice");
  if (has_encoding && lengths > 0) {
    return bad_request("Content-Length and Transfer-Encoding exclude each other");
  }
  if (has_encoding) {
    return error_answer(501, "NotImplemented", "no Transfer-Encoding is understood here");
  }
  return std::nullopt;
}

}  // namespace server
