#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "session/image.h"
#include "session/session_table.h"
#include "tests/server/golden_form.h"
#include "tests/session/world.h"
#include "znode/node_record.h"
#include "znode/txn.h"

// The transactions of the tree, and the records of an image.
namespace golden {
namespace {

constexpr wire::SessionId tree_session{0x0102030405060708};

void add_tree_transaction(GoldenForms& forms, std::uint32_t level, const std::string& what,
                          const znode::Txn& txn) {
  const wire::Forms versions = wire::forms_at({level});
  GoldenForm form{"tree transaction " + std::to_string(versions.tree_transaction) + ", " + what,
                  {},
                  [txn](std::string_view bytes) {
                    wire::ByteReader in(bytes);
                    const auto decoded = znode::decode_txn(in);
                    return decoded && *decoded == txn && in.complete();
                  }};
  encode(txn, versions, form.written);
  forms.push_back(std::move(form));
}

wire::ChildrenRequest list_of_children() {
  wire::ChildrenRequest list;
  list.path = "/c";
  list.with_stat = true;
  list.with_data = true;
  list.after = "m";
  list.limit = 3;
  list.read.consistency = wire::AtLeast{{{2}, 9}};
  return list;
}

void add_stored_node(GoldenForms& forms, const znode::Tree& tree, const std::string& path) {
  const znode::Node* node = &tree.at(path);
  // The tree lives as long as the test.
  const auto is_node = [node](std::string_view bytes) {
    const auto stored = znode::decode_node(bytes);
    const auto zxids_of = [](const znode::NodeFields& f) {
      return std::vector<wire::Zxid>{f.czxid, f.mzxid, f.pzxid};
    };
    return stored && stored->name == node->name() && stored->data == node->data() &&
           stored->parent == (node->parent() == nullptr ? 0 : node->parent()->serial()) &&
           stored->lifetime == node->lifetime() && stored->acl == node->acl() &&
           zxids_of(stored->fields) == zxids_of(*node) && stored->fields.ctime == node->ctime &&
           stored->fields.mtime == node->mtime && stored->fields.version == node->version &&
           stored->fields.aversion == node->aversion && stored->fields.creations == node->creations;
  };
  forms.push_back({"node 1, " + path, znode::encode(*node, 1), is_node});
}

session::World& world_with_nodes() {
  static session::World world;
  if (!world.log().empty()) return world;
  const wire::SessionId session = world.open(1);
  world.create(session, "/persistent", "data");
  world.run(session, session::ephemeral_request("/persistent/ephemeral"));
  wire::CreateRequest with_ttl = session::create_request("/ttl");
  with_ttl.ttl_ms = 60'000;
  world.run(session, with_ttl);
  wire::CreateRequest container = session::create_request("/container");
  container.container = true;
  world.run(session, container);
  wire::CreateRequest with_acl = session::create_request("/acl");
  with_acl.acl = wire::Acl{{"digest", "a:b", 3}, {"ip", "10.0.0.0/8", 1}};
  world.run(session, with_acl);
  world.run(session, wire::SetRequest{"/persistent", "data 2", wire::any_version, false});
  world.run(session, wire::SetAclRequest{"/ttl", {{"world", "anyone", 1}}, wire::any_version});
  return world;
}

void add_stored_session(GoldenForms& forms) {
  session::SessionTable table;
  table.open({7}, {session::World::secret(9), 10'000, {2, 0x1112131415161718}, 3});
  table.keep({7}, 5, session::encode_receipt({{3}, 8}));
  table.keep({7}, 6, session::encode_receipt({{3}, 9}));
  table.begin_image(1);
  std::vector<session::SessionRecord> records;
  while (!table.collect_image(100, records)) {
  }
  forms.push_back(
      {"session 1, with two results", *records.at(0).bytes, [table](std::string_view bytes) {
         session::SessionTable restored;
         return restored.restore({7}, bytes) && restored == table;
       }});
}

}  // namespace

void add_tree_transactions(GoldenForms& forms) {
  const znode::CreateTxn create{"/a/b-0000000001",
                                {"/a"},
                                std::string("d\0ta", 4),
                                znode::Lifetime::of_session(tree_session),
                                znode::SharedAcl({{"digest", "a:b", 3}})};
  const znode::SetTxn set{"/z/a", "x", -5, true, {"/z"}};
  const znode::DeleteTxn remove{"/a", 17};
  const auto identities = znode::Identities::of({{"ip", "10.0.0.1"}});
  for (const std::uint32_t level : {0, 2, 3}) {
    const auto add = [&](const std::string& what, const znode::Txn& txn) {
      add_tree_transaction(forms, level, what, txn);
    };
    add("create", create);
    add("create with a TTL", znode::CreateTxn{"/t", {}, "", znode::Lifetime::of_ttl(60'000), {}});
    add("create of a container",
        znode::CreateTxn{"/c", {}, "", znode::Lifetime::of_container(), {}});
    add("set", set);
    add("delete", remove);
    add("delete of many", znode::DeleteManyTxn{{"/a", "/b/c"}});
    add("cleanup", znode::CleanupTxn{{5}, 6});
    add("set of an ACL", znode::SetAclTxn{"/a", {{"world", "anyone", 1}}, 7});
    add("multi", znode::MultiTxn{.ops = {create, set, remove, znode::CheckTxn{},
                                         wire::GetRequest{"/g", {wire::Linearizable{}, false}},
                                         znode::ChildrenTxn{list_of_children(), identities}}});
  }
  for (const std::uint32_t level : {2, 3}) {
    add_tree_transaction(
        forms, level, "multi with bounds",
        znode::MultiTxn{.ops = {set}, .list_bytes_max = 1000, .keeps_receipt = true});
  }
  wire::ChildrenRequest list = list_of_children();
  list.before = "z";
  list.reverse = true;
  list.order = wire::ChildOrder::sequence;
  add_tree_transaction(forms, 3, "multi with a branch",
                       znode::MultiTxn{.ops = {znode::ChildrenTxn{list, identities}},
                                       .branch = wire::Branch::otherwise});
}

void add_stored_records(GoldenForms& forms) {
  const znode::Tree& tree = world_with_nodes().service().tree();
  for (const char* path :
       {"/", "/persistent", "/persistent/ephemeral", "/ttl", "/container", "/acl"}) {
    add_stored_node(forms, tree, path);
  }
  add_stored_session(forms);
  for (const std::uint32_t level : {0, 1}) {
    const session::ImageHeader header{{{1}, 2}, 3, 4, 5, {level}};
    forms.push_back({"image " + std::to_string(wire::forms_at({level}).image) + ", header",
                     *encode(header).value, [header](std::string_view bytes) {
                       const auto decoded = session::decode_header(bytes);
                       return decoded && *decoded == header;
                     }});
  }
}

}  // namespace golden
