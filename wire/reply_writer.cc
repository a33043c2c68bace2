#include "wire/cbor.h"
#include "wire/cbor_text.h"
#include "wire/json.h"
#include "wire/json_text.h"
#include "wire/object_writer.h"

// What servers say, described once for both formats.
namespace wire {
namespace {

template <typename Syntax>
void add_stat(const Stat& stat, ObjectWriter<Syntax>& reply) {
  ObjectWriter<Syntax> object(reply.field("stat"));
  object.hex("czxid", stat.czxid.bits());
  object.hex("mzxid", stat.mzxid.bits());
  object.hex("pzxid", stat.pzxid.bits());
  object.integer("ctime", stat.ctime);
  object.integer("mtime", stat.mtime);
  object.integer("version", stat.version);
  object.integer("cversion", stat.cversion);
  object.integer("aversion", stat.aversion);
  object.hex("ephemeralOwner", stat.ephemeral_owner.value);
  object.integer("dataLength", stat.data_length);
  object.integer("numChildren", stat.num_children);
  if (stat.ttl_ms) object.integer("ttlMs", *stat.ttl_ms);
  if (stat.container) object.boolean("container", true);
}

template <typename Syntax>
void add_stat(const std::optional<Stat>& stat, ObjectWriter<Syntax>& reply) {
  if (stat) return add_stat(*stat, reply);
  reply.null("stat");
}

template <typename Syntax>
void add_error(const Error& error, ObjectWriter<Syntax>& object) {
  object.string("error", name(error.code));
  if (const auto code = number(error.code)) object.integer("code", *code);
  object.string("message", error.message);
}

// Adds the fields of each kind of reply to its object.
template <typename Syntax>
struct AddFields {
  ObjectWriter<Syntax>& object;
  Encoding encoding;

  void operator()(const EmptyReply&) const {}
  void operator()(const CreateReply& reply) const {
    object.string("path", reply.path);
    add_stat(reply.stat, object);
  }
  void operator()(const GetReply& reply) const {
    object.data(reply.data, encoding);
    add_stat(reply.stat, object);
  }
  void operator()(const ExistsReply& reply) const { add_stat(reply.stat, object); }
  void operator()(const SetReply& reply) const { add_stat(reply.stat, object); }
  void operator()(const ChildrenReply& reply) const {
    object.list("children", reply.children, [&](const Child& child, std::string& out) {
      if (!reply.with_details) return Syntax::append_string(child.name, out);
      ObjectWriter<Syntax> item(out);
      item.string("name", child.name);
      if (child.data) item.data(*child.data, encoding);
      if (child.stat) add_stat(*child.stat, item);
    });
    add_stat(reply.stat, object);
    object.boolean("more", reply.more);
  }
  void operator()(const CountReply& reply) const { object.integer("count", reply.count); }
  void operator()(const EphemeralsReply& reply) const { object.strings("paths", reply.paths); }
  void operator()(const AclReply& reply) const {
    add_acl(reply.acl, object);
    add_stat(reply.stat, object);
  }
  void operator()(const WatchReply& reply) const {
    object.id("watch", reply.watch);
    add_stat(reply.stat, object);
  }
  void operator()(const WhoamiReply& reply) const {
    object.objects("identities", reply.identities, [](const Identity& identity, auto& item) {
      item.string("scheme", identity.scheme);
      item.string("id", identity.id);
    });
  }
  void operator()(const PongReply&) const {}
  void operator()(const ClosedReply&) const {}
  void operator()(const MultiReply& reply) const {
    if (reply.failed) {
      const std::size_t index = *reply.failed;
      if (index < reply.results.size() && reply.results[index].has_error()) {
        add_error(reply.results[index].error(), object);
      }
      object.integer("index", index);
    }
    object.objects("results", reply.results, [&](const Result<OpReply>& result, auto& item) {
      if (result.has_error()) return add_error(result.error(), item);
      std::visit(AddFields{item, encoding}, *result);
    });
  }
};

// Writes each kind of message.
template <typename Syntax>
struct Write {
  std::string& out;

  using Object = ObjectWriter<Syntax>;

  void operator()(const Reply& reply) const {
    Object object(out);
    const bool pong = reply.body && std::holds_alternative<PongReply>(*reply.body);
    const bool closed = reply.body && std::holds_alternative<ClosedReply>(*reply.body);
    if (pong) object.string("op", "pong");
    if (closed) object.string("op", "closed");
    if (!reply.id.none()) object.id("id", reply.id);
    if (!reply.id.none() || !(pong || closed)) object.hex("zxid", reply.zxid.bits());
    if (reply.body.has_error()) return add_error(reply.body.error(), object);
    std::visit(AddFields<Syntax>{object, reply.encoding}, *reply.body);
  }
  void operator()(const WatchEvent& event) const {
    Object object(out);
    object.id("watch", event.watch);
    object.string("event", name(event.kind));
    if (!event.path.empty()) object.string("path", event.path);
    object.hex("zxid", event.zxid.bits());
    if (event.data) object.data(*event.data, event.encoding);
    if (event.stat) add_stat(*event.stat, object);
  }
  void operator()(const ConnectedReply& reply) const {
    Object object(out);
    object.string("op", "connected");
    if (!reply.id.none()) object.id("id", reply.id);
    object.hex("session", reply.session.value);
    object.string("password", reply.password);
    object.integer("timeoutMs", reply.timeout_ms);
    object.integer("server", reply.server);
    object.string("role", name(reply.role));
    object.hex("zxid", reply.zxid.bits());
    object.boolean("resumed", reply.resumed);
    if (reply.read_only) object.boolean("readOnly", true);
    object.strings("servers", reply.servers);
  }
  void operator()(const ConnectRefused& refused) const {
    Object object(out);
    object.string("op", "connect");
    if (!refused.id.none()) object.id("id", refused.id);
    if (refused.zxid) object.hex("zxid", refused.zxid->bits());
    add_error(refused.error, object);
  }
  void operator()(const Expired&) const { Object(out).string("op", "expired"); }
  void operator()(const GoAway& go_away) const {
    Object object(out);
    object.string("op", "goaway");
    object.string("reason", go_away.reason);
  }
};

}  // namespace

void json::write(const ServerMessage& message, std::string& out) {
  std::visit(Write<json::JsonSyntax>{out}, message);
}

void cbor::write(const ServerMessage& message, std::string& out) {
  std::visit(Write<cbor::CborSyntax>{out}, message);
}

}  // namespace wire
