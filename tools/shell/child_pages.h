#pragma once

#include <optional>
#include <string>

#include "client-lib/client.h"
#include "tools/shell/begun_request.h"
#include "wire/replies.h"

namespace shell {

// The children of one node, page by page, in the order of their names. One reply for very many
// children would be too large. The constructor requests the first page, and `next` requests the one
// after the page that it returns.
class ChildPages {
 public:
  struct Want {
    bool stat = false;
    bool data = false;
    std::optional<std::string> after = {};  // only names after this one
  };
  struct Page {
    wire::ChildrenReply reply;
    wire::Zxid zxid;
  };

  ChildPages(const zabkeeper::Client& client, std::string path, Want want);

  // The next page. A page without `more` is the last one. Throws Refused.
  [[nodiscard]] Page next();

 private:
  const zabkeeper::Client* client_;
  wire::ChildrenRequest request_;
  std::optional<BegunRequest> begun_;
};

}  // namespace shell
