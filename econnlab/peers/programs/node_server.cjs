// Node's http server, alone or under Express: node node_server.cjs SETTINGS, a JSON object.
// It says on stdout, as JSON Lines, where it listens and what happens to each connection.
"use strict";
const http = require("http");

const settings = JSON.parse(process.argv[2]);
// uv_hrtime() reads CLOCK_MONOTONIC, the clock that the lab uses.
const now = () => Number(process.hrtime.bigint()) / 1e9;
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const address = (socket) => `${socket.remoteAddress}:${socket.remotePort}`;
const REQUEST_ID = "x-econnlab-request";

function answer(request, response) {
  const finish = () => response.end("ok\n");
  request.resume();
  request.on("end", () => {
    say({ at: now(), kind: "request", peer: address(request.socket), id: request.headers[REQUEST_ID] || null, method: request.method });
    if (settings.response_delay_ms) setTimeout(finish, settings.response_delay_ms); else finish();
  });
}

function application() {
  if (!settings.express) return { handler: answer, version: process.versions.node };
  const express = require(settings.express);
  const app = express();
  app.use(answer);
  return { handler: app, version: require(require("path").join(settings.express, "package.json")).version };
}

const { handler, version } = application();
const server = http.createServer(handler);
const standard = server.keepAliveTimeout;
if (settings.keepalive_timeout_ms !== null) server.keepAliveTimeout = settings.keepalive_timeout_ms;
if (settings.max_connections) server.maxConnections = settings.max_connections;

server.on("connection", (socket) => {
  const peer = address(socket);
  let answered = null;
  say({ at: now(), kind: "accepted", peer });
  socket.on("econnlab-answered", () => { answered = now(); });
  socket.prependListener("timeout", () => say({ at: now(), kind: "timeout", peer, idle_s: answered === null ? null : now() - answered }));
  socket.on("close", () => say({ at: now(), kind: "closed", peer }));
});
server.on("request", (request, response) => response.on("finish", () => request.socket.emit("econnlab-answered")));
// Since Node 18.6 and 16.17 (nodejs/node#43368 and #43972); earlier ones close without a word.
server.on("drop", (data) => say({ at: now(), kind: "dropped", peer: data ? `${data.remoteAddress}:${data.remotePort}` : null }));
server.listen(settings.port, "127.0.0.1", () => say({
  type: "listening", port: server.address().port, server: settings.express ? "express" : "node", server_version: version,
  runtime: `node ${process.version}`, default_keepalive_timeout_ms: standard, buffer_ms: server.keepAliveTimeoutBuffer || 0,
}));
// Earlier versions close the socket without an event, by this same comparison (lib/net.js, onconnection).
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 16 || (major === 16 && minor < 17) || major === 17 || (major === 18 && minor < 6)) {
  server.once("listening", () => {
    const handle = server._handle;
    const onconnection = handle.onconnection;
    handle.onconnection = function (error, client) {
      if (client && server.maxConnections && server._connections >= server.maxConnections) {
        const name = {};
        client.getpeername(name);
        say({ at: now(), kind: "dropped", peer: `${name.address}:${name.port}` });
      }
      return onconnection.apply(this, arguments);
    };
  });
}
process.stdin.on("data", () => say({ kind: "sync" }));
process.stdin.on("end", () => process.exit(0)); // the lab has gone
