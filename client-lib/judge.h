#pragma once

#include <optional>
#include <vector>

#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

namespace zabkeeper {

// The reply to a request that no server can accept, whatever its configuration: text that is not
// UTF-8 (a server would close the connection), a path that is not valid, more data than any server
// takes, conditions that say nothing. Nothing if a server has to judge the request.
[[nodiscard]] std::optional<wire::Result<wire::ReplyBody>> refusal_of(
    const wire::Request& request, const std::vector<wire::Condition>& conditions = {});

// The same for the request that opens a connection.
[[nodiscard]] std::optional<wire::Error> refusal_of(const wire::ConnectRequest& connect);

}  // namespace zabkeeper
