#include "tools/shell/data_text.h"

#include "wire/utf8.h"

namespace shell {

bool is_binary(std::string_view data) {
  return data.find('\0') != std::string_view::npos || !wire::is_utf8(data);
}

}  // namespace shell
