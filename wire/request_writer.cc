#include "wire/cbor.h"
#include "wire/cbor_text.h"
#include "wire/json.h"
#include "wire/json_text.h"
#include "wire/object_writer.h"

// What clients say, described once for both formats. Fields that have their default are left out.
namespace wire {
namespace {

template <typename Syntax>
void add_flag(std::string_view name, bool value, ObjectWriter<Syntax>& object) {
  if (value) object.boolean(name, true);
}

template <typename Syntax>
void add_version(std::int32_t version, ObjectWriter<Syntax>& object) {
  if (version != any_version) object.integer("version", version);
}

template <typename Syntax>
void add_read_options(const ReadOptions& options, ObjectWriter<Syntax>& object) {
  if (std::holds_alternative<Linearizable>(options.consistency)) {
    object.string("consistency", "linearizable");
  } else if (const auto* at_least = std::get_if<AtLeast>(&options.consistency)) {
    ObjectWriter<Syntax>(object.field("consistency")).hex("atLeast", at_least->zxid.bits());
  }
  add_flag("watch", options.watch, object);
}

template <typename Syntax>
void add_auth(const AuthRequest& auth, ObjectWriter<Syntax>& object) {
  object.string("scheme", auth.scheme);
  object.string("token", auth.token);
}

// Adds `op` and the fields of each kind of request to its object.
template <typename Syntax>
struct AddFields {
  ObjectWriter<Syntax>& object;

  void begin(std::string_view op) const { object.string("op", op); }
  void begin(std::string_view op, std::string_view path) const {
    begin(op);
    object.string("path", path);
  }

  void operator()(const CreateRequest& request) const {
    begin("create", request.path);
    object.data(request.data, Encoding::text_if_utf8);
    add_flag("ephemeral", request.ephemeral, object);
    add_flag("sequential", request.sequential, object);
    add_flag("container", request.container, object);
    add_flag("parents", request.parents, object);
    if (request.ttl_ms) object.integer("ttlMs", *request.ttl_ms);
    if (request.acl) add_acl(*request.acl, object);
  }
  void operator()(const GetRequest& request) const {
    begin("get", request.path);
    add_read_options(request.read, object);
  }
  void operator()(const ExistsRequest& request) const {
    begin("exists", request.path);
    add_read_options(request.read, object);
  }
  void operator()(const SetRequest& request) const {
    begin("set", request.path);
    object.data(request.data, Encoding::text_if_utf8);
    add_version(request.version, object);
    add_flag("create", request.create, object);
  }
  void operator()(const DeleteRequest& request) const {
    begin("delete", request.path);
    add_version(request.version, object);
    add_flag("recursive", request.recursive, object);
  }
  void operator()(const ChildrenRequest& request) const {
    begin("children", request.path);
    add_flag("withStat", request.with_stat, object);
    add_flag("withData", request.with_data, object);
    if (request.after) object.string("after", *request.after);
    if (request.limit) object.integer("limit", *request.limit);
    add_read_options(request.read, object);
  }
  void operator()(const CountRequest& request) const {
    begin("count", request.path);
    add_read_options(request.read, object);
  }
  void operator()(const EphemeralsRequest& request) const {
    begin("ephemerals");
    object.string("prefix", request.prefix);
  }
  void operator()(const GetAclRequest& request) const { begin("getAcl", request.path); }
  void operator()(const SetAclRequest& request) const {
    begin("setAcl", request.path);
    add_acl(request.acl, object);
    add_version(request.version, object);
  }
  void operator()(const CheckRequest& request) const {
    begin("check", request.path);
    add_version(request.version, object);
  }
  void operator()(const MultiRequest& request) const {
    begin("multi");
    object.objects("ops", request.ops,
                   [](const MultiOp& op, auto& item) { std::visit(AddFields{item}, op); });
  }
  void operator()(const SyncRequest& request) const { begin("sync", request.path); }
  void operator()(const WatchRequest& request) const {
    begin("watch", request.path);
    object.string("scope", name(request.scope));
    add_flag("once", request.once, object);
    add_flag("withData", request.with_data, object);
    if (request.from) object.hex("from", request.from->bits());
  }
  void operator()(const UnwatchRequest& request) const {
    begin("unwatch");
    object.id("watch", request.watch);
  }
  void operator()(const AuthRequest& request) const {
    begin("auth");
    add_auth(request, object);
  }
  void operator()(const WhoamiRequest&) const { begin("whoami"); }
  void operator()(const PingRequest&) const { begin("ping"); }
  void operator()(const CloseRequest&) const { begin("close"); }
  void operator()(const ConnectRequest& request) const {
    begin("connect");
    if (request.timeout_ms) object.integer("timeoutMs", *request.timeout_ms);
    if (request.session) {
      object.hex("session", request.session->value);
      object.string("password", request.password);
    }
    if (request.last_zxid) object.hex("lastZxid", request.last_zxid->bits());
    if (!request.auth.empty()) {
      object.objects("auth", request.auth,
                     [](const AuthRequest& auth, auto& item) { add_auth(auth, item); });
    }
    add_flag("readOnly", request.read_only, object);
    add_flag("dedup", request.dedup, object);
    add_flag("batch", request.batch, object);
  }
};

template <typename Syntax>
void write(const ClientRequest& request, std::string& out) {
  ObjectWriter<Syntax> object(out);
  if (!request.id.none()) object.id("id", request.id);
  std::visit(AddFields<Syntax>{object}, request.request);
  if (request.encoding == Encoding::base64) object.string("encoding", "base64");
}

}  // namespace

void json::write(const ClientRequest& request, std::string& out) {
  wire::write<json::JsonSyntax>(request, out);
}

void cbor::write(const ClientRequest& request, std::string& out) {
  wire::write<cbor::CborSyntax>(request, out);
}

}  // namespace wire
