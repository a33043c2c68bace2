#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/error.h"
#include "wire/jute/requests.h"
#include "wire/replies.h"

// The replies and events of ZooKeeper's client protocol, as the bytes of frames.
namespace wire::jute {

// ZooKeeper's number of an error. Errors of our own, which have none, get the one that clients
// understand best.
[[nodiscard]] std::int32_t error_number(ErrorCode code);

// Appends the record of a reply without an error, in the form of the opcode. `text` is that of Ask.
// A node that does not exist is an error of exists: returns its number, or 0.
[[nodiscard]] std::int32_t write_body(Opcode type, const ReplyBody& body,
                                      const std::optional<std::string>& text, std::string& out);
// Appends the results of a multi.
void write_multi(const MultiReply& reply, const std::vector<Opcode>& types, std::string& out);
// Appends one result of a multiRead, and the end of its results.
void write_read_result(const Result<ReplyBody>& result, std::string& out);
void write_results_end(std::string& out);

// Appends frames. The length is before each.
void write_reply(std::int32_t xid, std::int64_t zxid, std::int32_t error, std::string_view body,
                 std::string& out);
void write_event(EventKind kind, Zxid zxid, std::string_view path, std::string& out);
// The reply to a connect, for clients that know of read-only servers and for others.
void write_connected(const ConnectedReply& reply, bool has_read_only, std::string& out);
// The session is gone, or the password is wrong.
void write_no_session(bool has_read_only, std::string& out);

}  // namespace wire::jute
