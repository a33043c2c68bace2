#include "wire/json.h"
#include "wire/json_text.h"

// What servers say. Text goes straight into the buffer: no tree of values in between.
namespace wire::json {
namespace {

void append_stat(const Stat& stat, std::string& out) {
  ObjectWriter object(out);
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

void add_stat(const Stat& stat, ObjectWriter& object) { append_stat(stat, object.field("stat")); }

void add_stat(const std::optional<Stat>& stat, ObjectWriter& object) {
  if (stat) return add_stat(*stat, object);
  object.raw("stat", "null");
}

void add_error(const Error& error, ObjectWriter& object) {
  object.string("error", name(error.code));
  if (const auto code = number(error.code)) object.integer("code", *code);
  object.string("message", error.message);
}

// Adds the fields of each kind of reply to its object.
struct AddFields {
  ObjectWriter& object;
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
    append_array(reply.children, object.field("children"),
                 [&](const Child& child, std::string& out) {
                   if (!reply.with_details) return append_string(child.name, out);
                   ObjectWriter item(out);
                   item.string("name", child.name);
                   if (child.data) item.data(*child.data, encoding);
                   if (child.stat) add_stat(*child.stat, item);
                 });
    add_stat(reply.stat, object);
    object.boolean("more", reply.more);
  }
  void operator()(const CountReply& reply) const { object.integer("count", reply.count); }
  void operator()(const EphemeralsReply& reply) const {
    append_array(reply.paths, object.field("paths"), append_string);
  }
  void operator()(const AclReply& reply) const {
    append_acl(reply.acl, object.field("acl"));
    add_stat(reply.stat, object);
  }
  void operator()(const WatchReply& reply) const {
    object.raw("watch", reply.watch.none() ? "null" : reply.watch.json);
    add_stat(reply.stat, object);
  }
  void operator()(const WhoamiReply& reply) const {
    append_array(reply.identities, object.field("identities"),
                 [](const Identity& identity, std::string& out) {
                   ObjectWriter item(out);
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
    append_array(reply.results, object.field("results"),
                 [&](const Result<OpReply>& result, std::string& out) {
                   ObjectWriter item(out);
                   if (result.has_error()) return add_error(result.error(), item);
                   std::visit(AddFields{item, encoding}, *result);
                 });
  }
};

struct Write {
  std::string& out;

  void operator()(const Reply& reply) const {
    ObjectWriter object(out);
    const bool pong = reply.body && std::holds_alternative<PongReply>(*reply.body);
    const bool closed = reply.body && std::holds_alternative<ClosedReply>(*reply.body);
    if (pong) object.string("op", "pong");
    if (closed) object.string("op", "closed");
    if (!reply.id.none()) object.raw("id", reply.id.json);
    if (!reply.id.none() || !(pong || closed)) object.hex("zxid", reply.zxid.bits());
    if (reply.body.has_error()) return add_error(reply.body.error(), object);
    std::visit(AddFields{object, reply.encoding}, *reply.body);
  }
  void operator()(const WatchEvent& event) const {
    ObjectWriter object(out);
    object.raw("watch", event.watch.none() ? "null" : event.watch.json);
    object.string("event", name(event.kind));
    if (!event.path.empty()) object.string("path", event.path);
    object.hex("zxid", event.zxid.bits());
    if (event.data) object.data(*event.data, Encoding::text_if_utf8);
    if (event.stat) add_stat(*event.stat, object);
  }
  void operator()(const ConnectedReply& reply) const {
    ObjectWriter object(out);
    object.string("op", "connected");
    object.hex("session", reply.session.value);
    object.string("password", reply.password);
    object.integer("timeoutMs", reply.timeout_ms);
    object.integer("server", reply.server);
    object.string("role", name(reply.role));
    object.hex("zxid", reply.zxid.bits());
    object.boolean("resumed", reply.resumed);
    append_array(reply.servers, object.field("servers"), append_string);
  }
  void operator()(const ConnectRefused& refused) const {
    ObjectWriter object(out);
    object.string("op", "connect");
    add_error(refused.error, object);
  }
  void operator()(const Expired&) const { ObjectWriter(out).string("op", "expired"); }
  void operator()(const GoAway& go_away) const {
    ObjectWriter object(out);
    object.string("op", "goaway");
    object.string("reason", go_away.reason);
  }
};

}  // namespace

void write(const ServerMessage& message, std::string& out) { std::visit(Write{out}, message); }

}  // namespace wire::json
