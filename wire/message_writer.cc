#include "wire/cbor.h"
#include "wire/cbor_text.h"
#include "wire/field_writer.h"
#include "wire/json.h"
#include "wire/json_text.h"

// The messages of clients and servers, for both formats.
namespace wire {
namespace {

template <typename Syntax>
void write_request(const ClientRequest& request, std::string& out) {
  ObjectWriter<Syntax> object(out);
  if (!request.id.none()) object.id("id", request.id);
  FieldWriter<Syntax> fields(object);
  std::visit([&](const auto& each) { fields.write_request(each); }, request.request);
  if (!request.conditions.empty()) fields.write_list(conditions_name, request.conditions);
  if (request.encoding == Encoding::base64) object.string("encoding", "base64");
}

template <typename Syntax>
void write_reply(const Reply& reply, ObjectWriter<Syntax>& object) {
  const bool is_pong = reply.body && std::holds_alternative<PongReply>(*reply.body);
  const bool is_closed = reply.body && std::holds_alternative<ClosedReply>(*reply.body);
  if (is_pong) object.string("op", "pong");
  if (is_closed) object.string("op", "closed");
  if (!reply.id.none()) object.id("id", reply.id);
  const auto* truncated = reply.body ? std::get_if<TruncatedReply>(&*reply.body) : nullptr;
  const Zxid zxid = truncated ? truncated->written : reply.zxid;
  if (!reply.id.none() || !(is_pong || is_closed)) object.hex("zxid", zxid.bits());
  FieldWriter<Syntax> fields(object, reply.encoding);
  reply.body ? fields.write(*reply.body) : fields.write(reply.body.error());
}

// Writes each kind of message to its object.
template <typename Syntax>
struct WriteMessage {
  ObjectWriter<Syntax>& object;

  void operator()(const Reply& reply) const { write_reply(reply, object); }
  void operator()(const WatchEvent& event) const {
    FieldWriter<Syntax>(object, event.encoding).write(event);
  }
  void operator()(const ConnectedReply& reply) const { write("connected", reply); }
  void operator()(const ConnectRefused& refused) const { write("connect", refused); }
  void operator()(const Expired& expired) const { write("expired", expired); }
  void operator()(const GoAway& go_away) const { write("goaway", go_away); }

  void write(std::string_view op, const auto& message) const {
    object.string("op", op);
    FieldWriter<Syntax>(object).write(message);
  }
};

template <typename Syntax>
void write_message(const ServerMessage& message, std::string& out) {
  ObjectWriter<Syntax> object(out);
  std::visit(WriteMessage<Syntax>{object}, message);
}

}  // namespace

void json::write(const ClientRequest& request, std::string& out) {
  write_request<json::JsonSyntax>(request, out);
}
// Next: ClientProtocol::compose (server/clients/client_protocol.cc), Carrier::write, in a server.
void json::write(const ServerMessage& message, std::string& out) {
  write_message<json::JsonSyntax>(message, out);
}
void cbor::write(const ClientRequest& request, std::string& out) {
  write_request<cbor::CborSyntax>(request, out);
}
void cbor::write(const ServerMessage& message, std::string& out) {
  write_message<cbor::CborSyntax>(message, out);
}

}  // namespace wire
