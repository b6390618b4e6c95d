// The client protocol of econnlab for Node (docs/client-protocol.md): JSON Lines in on stdin, out on stdout.
// A client calls drive({client, version, open}), where open(session, plan) gives {ask, close}.
"use strict";
const readline = require("readline");

const VERSION = 1;
// setTimeout is a millisecond late or more; the rest of the wait yields to the event loop in turns.
const SPIN_S = 0.002;

// uv_hrtime() reads CLOCK_MONOTONIC, the clock that the lab uses.
const now = () => Number(process.hrtime.bigint()) / 1e9;
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

function at(due, then) {
  const left = due - now();
  if (left <= 0) then();
  else if (left > SPIN_S) setTimeout(at, Math.max(1, (left - SPIN_S) * 1000), due, then);
  else setImmediate(at, due, then);
}

// What an error says of itself, with the error that it names as its cause.
function described(error, depth = 0) {
  if (!error) return null;
  const { name, code, syscall, errno } = error;
  const kind = error.constructor && error.constructor.name ? error.constructor.name : name;
  const inner = depth < 3 && error.cause ? described(error.cause, depth + 1) : null;
  return { name: kind, message: String(error.message || error), code, syscall, errno, cause: inner };
}

// The attempts of one session: whoever watches the connections begins one and fills it in.
class Attempts {
  constructor() { this.list = []; }
  begin() {
    const attempt = { began: now(), sent: null, first_byte: null, ended: null, local: null, reused: false, status: null, error: null };
    this.list.push(attempt);
    return attempt;
  }
  take() { const list = this.list; this.list = []; return list; }
}

function run(session, plan, begin, open, done) {
  const attempts = new Attempts();
  const client = open(session, plan, attempts);
  const one = (number, due) => at(due, () => {
    const began = now();
    const id = `${session.session}-${number}`;
    const headers = Object.assign({}, plan.headers, { "X-Econnlab-Request": id });
    if (plan.idempotency_key) headers["Idempotency-Key"] = id;
    let asked;
    try { asked = Promise.resolve(client.ask(headers)); } catch (error) { asked = Promise.reject(error); }
    asked.then((status) => end(status, null), (error) => end(null, error));
    function end(status, error) {
      const ended = now();
      const list = attempts.take();
      if (!list.length) list.push({ began, sent: null, first_byte: null, ended, local: null, reused: false, status, error: null });
      const last = list[list.length - 1];
      if (error) { last.error = described(error); if (error.response) last.status = error.response.status || error.response.statusCode; }
      else if (last.status === null) last.status = status;
      list.forEach((each, index) => say({
        type: "attempt", session: session.session, request: number, id, due, attempt: index + 1, last: each === last,
        ...each, ended: each.ended || ended,
      }));
      if (number < session.requests) one(number + 1, ended + session.interval_ms / 1000);
      else done(client);
    }
  });
  one(1, begin + session.start_s);
}

function drive({ client, version, open }) {
  let plan = null;
  const lines = readline.createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const order = JSON.parse(line);
    if (order.type === "plan") {
      plan = order;
      say({ type: "ready", version: VERSION, client, client_version: version, runtime: `node ${process.version}` });
    } else if (order.type === "go") {
      let left = plan.sessions.length;
      const clients = [];
      for (const session of plan.sessions) {
        run(session, plan, order.at, open, (each) => {
          clients.push(each);
          if (!--left) say({ type: "done" });
        });
      }
    }
  });
  lines.on("close", () => process.exit(0)); // the lab has gone, or has seen enough
}

// An agent that watches each request it is given: who asks through it is watched without knowing.
function watchedAgent(Agent, options, attempts) {
  const agent = new Agent(options);
  const addRequest = agent.addRequest;
  agent.addRequest = function (request, ...rest) {
    const attempt = attempts.begin();
    request.once("socket", (socket) => {
      attempt.reused = Boolean(request.reusedSocket);
      const connected = () => { attempt.sent = now(); attempt.local = `${socket.localAddress}:${socket.localPort}`; };
      if (socket.connecting) socket.once(socket.encrypted ? "secureConnect" : "connect", connected);
      else connected();
    });
    request.once("response", (response) => {
      attempt.first_byte = now();
      attempt.status = response.statusCode;
      response.once("end", () => { attempt.ended = now(); });
      response.once("aborted", () => { attempt.ended = attempt.ended || now(); attempt.error = attempt.error || described(Object.assign(new Error("aborted"), { code: "ECONNRESET" })); });
    });
    request.once("error", (error) => { attempt.ended = now(); attempt.error = described(error); });
    return addRequest.call(this, request, ...rest);
  };
  return agent;
}

// undici and Node's fetch tell what they do over diagnostics_channel (undici, docs/api/DiagnosticsChannel.md).
// Their events name a request by its headers, by which its session is found.
const SESSION_HEADER = /x-econnlab-request:?[\s,"]*([0-9]+)-/i;
function watchUndici(bySession) {
  const channel = require("diagnostics_channel");
  const current = new WeakMap();
  const used = new WeakSet();
  const subscribe = (name, listener) => channel.channel(name).subscribe(listener);
  const attemptOf = (request) => current.get(request);
  subscribe("undici:client:sendHeaders", ({ request, headers, socket }) => {
    const found = SESSION_HEADER.exec(String(headers));
    const attempts = found && bySession.get(Number(found[1]));
    if (!attempts) return;
    const attempt = attempts.begin();
    attempt.sent = now();
    attempt.local = `${socket.localAddress}:${socket.localPort}`;
    attempt.reused = used.has(socket);
    used.add(socket);
    current.set(request, attempt);
  });
  subscribe("undici:request:headers", ({ request, response }) => {
    const attempt = attemptOf(request);
    if (attempt) { attempt.first_byte = now(); attempt.status = response.statusCode; }
  });
  subscribe("undici:request:trailers", ({ request }) => {
    const attempt = attemptOf(request);
    if (attempt) attempt.ended = now();
  });
  subscribe("undici:request:error", ({ request, error }) => {
    const attempt = attemptOf(request);
    if (attempt) { attempt.ended = now(); attempt.error = described(error); }
  });
}

// The body that the plan asks for; undefined for none.
const bodyOf = (plan) => (plan.body_size ? "one order\n".repeat(plan.body_size / 10 + 1).slice(0, plan.body_size) : undefined);

module.exports = { bodyOf, drive, now, watchUndici, watchedAgent };
