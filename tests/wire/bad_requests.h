#pragma once

#include <vector>

#include "wire/error.h"

namespace samples {

struct BadRow {
  const char* text;
  const char* message;
  wire::ErrorCode code = wire::ErrorCode::bad_arguments;
};

// Invalid requests, and their errors.
inline std::vector<BadRow> bad_requests() {
  return {
      BadRow{R"({"id":1})", R"(missing field "op")"},
      BadRow{R"({"id":1,"op":7})", R"(field "op" must be a string)"},
      BadRow{R"({"id":1,"op":"x"})", R"(unknown op "x")"},
      BadRow{R"({"id":1,"op":"check","path":"/a"})", R"(unknown op "check")"},
      BadRow{R"({"id":1,"op":"get"})", R"(missing field "path")"},
      BadRow{R"({"op":"get","id":1})", R"(missing field "path")"},
      BadRow{R"({"op":"get","path":{"deep":[1,{"id":2}]},"id":1})",
             R"(field "path" must be a string)"},
      BadRow{R"({"id":1,"op":"get","path":null})", R"(field "path" must be a string)"},
      BadRow{R"({"id":1,"op":"get","path":"/a","path":"/b"})", R"(duplicate field "path")"},
      BadRow{R"({"path":"/a","id":1,"op":"get","id":2})", R"(duplicate field "id")"},
      BadRow{R"({"op":"create","path":"/a","foo":[{"bar":1}],"id":1})",
             R"(unknown field "foo" in create)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","limit":1})",
             R"(unknown field "limit" in create)"},
      BadRow{R"({"id":1,"op":"ping","path":"/a"})", R"(unknown field "path" in ping)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","data":5})", R"(field "data" must be a string)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","data":"a","data64":"YQ=="})",
             R"(fields "data" and "data64" exclude each other)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","data64":"YQ"})",
             R"(field "data64" must be base64, padded and without whitespace)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","ephemeral":1})",
             R"(field "ephemeral" must be true or false)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","ttlMs":"5"})",
             R"(field "ttlMs" must be an integer)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","ttlMs":9223372036854775808})",
             R"(field "ttlMs" must be between -9223372036854775808 and 9223372036854775807)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","acl":"open"})", R"(field "acl" must be a list)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","acl":["open"]})",
             R"(acl[0]: must be an object)"},
      BadRow{
          R"({"id":1,"op":"create","path":"/a","acl":[{"scheme":"world","id":"anyone","perms":"r"},{"scheme":"ip","perms":"r"}]})",
          R"(acl[1]: missing field "id")"},
      BadRow{
          R"({"id":1,"op":"create","path":"/a","acl":[{"scheme":"ip","id":"::1","perms":"rx"}]})",
          R"(acl[0]: field "perms" must be letters out of "cdrwa")", wire::ErrorCode::invalid_acl},
      BadRow{R"({"id":1,"op":"create","path":"/a","acl":[{"scheme":"ip","id":"::1","perms":31}]})",
             R"(acl[0]: field "perms" must be a string)"},
      BadRow{R"({"id":1,"op":"create","path":"/a","acl":[{"schema":"ip"}]})",
             R"(acl[0]: unknown field "schema" in acl)"},
      BadRow{R"({"id":1,"op":"set","path":"/a"})", R"(missing field "data")"},
      BadRow{R"({"id":1,"op":"set","path":"/a","data":"","version":"1"})",
             R"(field "version" must be an integer)"},
      BadRow{R"({"id":1,"op":"set","path":"/a","data":"","version":1.0})",
             R"(field "version" must be an integer)"},
      BadRow{R"({"id":1,"op":"set","path":"/a","data":"","version":1e2})",
             R"(field "version" must be an integer)"},
      BadRow{R"({"id":1,"op":"set","path":"/a","data":"","version":true})",
             R"(field "version" must be an integer)"},
      BadRow{R"({"id":1,"op":"set","path":"/a","data":"","version":2147483648})",
             R"(field "version" must be between -2147483648 and 2147483647)"},
      BadRow{R"({"id":1,"op":"delete","path":"/a","version":99999999999999999999})",
             R"(field "version" must be between -2147483648 and 2147483647)"},
      BadRow{R"({"id":1,"op":"children","path":"/a","limit":-1})",
             R"(field "limit" must be between 0 and 4294967295)"},
      BadRow{R"({"id":1,"op":"children","path":"/a","after":3})",
             R"(field "after" must be a string)"},
      BadRow{R"({"id":1,"op":"get","path":"/a","encoding":"hex"})",
             R"(field "encoding" must be "text" or "base64")"},
      BadRow{R"({"id":1,"op":"get","path":"/a","consistency":"strong"})",
             R"(field "consistency" must be "session", "linearizable" or {"atLeast": zxid})"},
      BadRow{R"({"id":1,"op":"get","path":"/a","consistency":{}})", R"(missing field "atLeast")"},
      BadRow{R"({"id":1,"op":"get","path":"/a","consistency":{"atLeast":5}})",
             R"(field "atLeast" must be a string of 16 lower-case hex digits)"},
      BadRow{
          R"({"id":1,"op":"get","path":"/a","consistency":{"atLeast":"0000010000000005","or":1}})",
          R"(unknown field "or" in consistency)"},
      BadRow{R"({"op":"get","path":"/a","watch":true})", R"(missing field "id")"},
      BadRow{R"({"op":"watch","path":"/a"})", R"(missing field "id")"},
      BadRow{R"({"id":1,"op":"watch","path":"/a","scope":"tree"})",
             R"(field "scope" must be "node" or "children" or "subtree")"},
      BadRow{R"({"id":1,"op":"watch","path":"/a","from":"5"})",
             R"(field "from" must be a string of 16 lower-case hex digits)"},
      BadRow{R"({"id":1,"op":"unwatch"})", R"(missing field "watch")"},
      BadRow{R"({"id":1,"op":"unwatch","watch":true})",
             R"(field "watch" must be a number or a string)"},
      BadRow{R"({"id":1,"op":"multi"})", R"(missing field "ops")"},
      BadRow{R"({"id":1,"op":"multi","ops":{}})", R"(field "ops" must be a list)"},
      BadRow{R"({"id":1,"op":"multi","ops":[3]})", R"(ops[0]: must be an object)"},
      BadRow{R"({"id":1,"op":"multi","ops":[{"op":"create","path":"/a"},{"op":"delete"}]})",
             R"(ops[1]: missing field "path")"},
      BadRow{R"({"id":1,"op":"multi","ops":[{"path":"/a"}]})", R"(ops[0]: missing field "op")"},
      BadRow{R"({"id":1,"op":"multi","ops":[{"op":"multi","ops":[]}]})",
             R"(ops[0]: no place in a multi for op "multi")"},
      BadRow{R"({"id":1,"op":"multi","ops":[{"op":"get","path":"/a","watch":true}]})",
             R"(ops[0]: unknown field "watch" in get)"},
      BadRow{R"({"id":1,"op":"multi","ops":[{"op":"get","path":"/a","id":2}]})",
             R"(ops[0]: unknown field "id" in get)"},
      BadRow{R"({"id":1,"op":"multi","ops":[{"op":"check","path":"/a","data":""}]})",
             R"(ops[0]: unknown field "data" in check)"},
      BadRow{R"({"id":1,"op":"auth","scheme":"digest"})", R"(missing field "token")"},
      BadRow{R"({"id":1,"op":"connect","session":"01000197c3b2a001"})",
             R"(missing field "password")"},
      BadRow{R"({"id":1,"op":"connect","password":"9f"})", R"(missing field "session")"},
      BadRow{R"({"id":1,"op":"connect","session":"1","password":""})",
             R"(field "session" must be a string of 16 lower-case hex digits)"},
      BadRow{R"({"id":1,"op":"connect","auth":[{"scheme":"digest"}]})",
             R"(auth[0]: missing field "token")"},
      BadRow{R"({"id":1,"op":"connect","timeoutMs":"soon"})",
             R"(field "timeoutMs" must be an integer)"},
  };
}

}  // namespace samples
