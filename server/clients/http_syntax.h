#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/clients/answer.h"

namespace server {

// Refuses a request header that Beast accepts, or repairs, and that a proxy in front of this server
// may understand differently. Then one request could be taken for two (request smuggling).
// `head` has the received bytes, up to and including the empty line. Returns the refusal, if any.
// The connection must be closed after it.
[[nodiscard]] std::optional<Answer> refuse_ambiguous_head(std::string_view head);

// The parts of a target in absolute form (RFC 9112, section 3.2.2), as a proxy writes it. Split by
// hand, because Boost.URL refuses characters that a target without a host may have here.
struct AbsoluteTarget {
  std::string_view host;  // what Host is in other requests
  std::string_view path;  // with the query; "/" if it is empty
};
// Nothing if `target` begins with a slash, or is not in that form.
[[nodiscard]] std::optional<AbsoluteTarget> absolute_target(std::string_view target);

// A header's value without the spaces and tabs at both ends (RFC 9110, section 5.5). Beast has this
// function only in its namespace `detail`.
[[nodiscard]] std::string_view trimmed_header(std::string_view value);

// Whether a line ends without CR. Then the end of the header may never come.
[[nodiscard]] bool has_bare_line_feed(std::string_view text);

}  // namespace server
