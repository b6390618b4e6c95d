// Node's own fetch. Each session has a dispatcher of the class of fetch's global one, so that it has its own pool.
"use strict";
const { bodyOf, drive, watchUndici } = require("./protocol.cjs");

const bySession = new Map();
// undici, lib/global.js: the name under which the dispatcher is kept, set when fetch is first used.
const GLOBAL = Symbol.for("undici.globalDispatcher.1");
fetch("data:,").catch(() => {});
watchUndici(bySession);

drive({
  client: "fetch",
  version: process.versions.undici || process.versions.node,
  open(session, plan, attempts) {
    bySession.set(session.session, attempts);
    const { constructor: Agent } = globalThis[GLOBAL];
    const dispatcher = new Agent({ connections: 1 });
    const body = bodyOf(plan);
    return {
      ask: async (headers) => {
        const signal = AbortSignal.timeout(plan.timeout_ms);
        const response = await fetch(plan.url, { method: plan.method, headers, body, signal, dispatcher });
        await response.arrayBuffer();
        return response.status;
      },
      close: () => dispatcher.close(),
    };
  },
});
