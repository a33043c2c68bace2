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

// Returns ZooKeeper's number of an error. An error that ZooKeeper does not have gets the number of
// the error that clients handle in the best way.
[[nodiscard]] std::int32_t error_number(ErrorCode code);

// Appends the record of a successful reply, in the form that the opcode needs. `text` is Ask::text.
// Returns 0 or an error number: for ZooKeeper, `exists` of a missing node is an error, and so is a
// list of children that does not fit into one reply.
[[nodiscard]] std::int32_t write_body(Opcode type, const ReplyBody& body,
                                      const std::optional<std::string>& text, std::string& out);
// Appends the results of a multi.
void write_multi(const MultiReply& reply, const std::vector<Opcode>& types, std::string& out);
// Appends one result of a multiRead.
void write_read_result(const Result<ReplyBody>& result, std::string& out);
// Appends the end of the results of a multi or a multiRead.
void write_results_end(std::string& out);

// Each of these functions appends one frame, with its length.
void write_reply(std::int32_t xid, std::int64_t zxid, std::int32_t error, std::string_view body,
                 std::string& out);
void write_event(EventKind kind, Zxid zxid, std::string_view path, std::string& out);
// The reply to a connect. `has_read_only`: the client knows read-only servers, so its reply has one
// more byte.
void write_connected(const ConnectedReply& reply, bool has_read_only, std::string& out);
// The reply to a connect whose session has ended, or whose password is wrong.
void write_no_session(bool has_read_only, std::string& out);

}  // namespace wire::jute
