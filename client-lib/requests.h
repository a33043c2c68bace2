#pragma once

#include "client-lib/actions.h"
#include "wire/requests.h"

// What a conversation knows about requests.
namespace zabkeeper {

[[nodiscard]] wire::RequestId id_of(Ticket ticket);
// 0 if no ticket has this id.
[[nodiscard]] Ticket ticket_of(const wire::RequestId& id);

// Whether sending it twice could have another effect than sending it once.
[[nodiscard]] bool is_write(const wire::Request& request);

}  // namespace zabkeeper
