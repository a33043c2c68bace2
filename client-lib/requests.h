#pragma once

#include <cstddef>
#include <string>

#include "client-lib/actions.h"
#include "wire/requests.h"

// What a conversation knows about requests.
namespace zabkeeper {

[[nodiscard]] wire::RequestId id_of(Ticket ticket);
// 0 if no ticket has this id.
[[nodiscard]] Ticket ticket_of(const wire::RequestId& id);

// Of its paths, names and data: what it takes in memory and in a frame, roughly.
[[nodiscard]] std::size_t bytes_of(const wire::Request& request);
// Empty if it has none.
[[nodiscard]] std::string path_of(const wire::Request& request);

// Whether sending it twice could have another effect than sending it once.
[[nodiscard]] bool is_write(const wire::Request& request);

}  // namespace zabkeeper
