// Node's own fetch. All sessions share its one global pool; the pool opens as many connections as are asked at once.
"use strict";
const { bodyOf, drive, watchUndici } = require("./protocol.cjs");

const bySession = new Map();
watchUndici(bySession);

drive({
  client: "fetch",
  version: process.versions.undici || process.versions.node,
  open(session, plan, attempts) {
    bySession.set(session.session, attempts);
    const body = bodyOf(plan);
    return {
      ask: async (headers) => {
        const signal = AbortSignal.timeout(plan.timeout_ms);
        const response = await fetch(plan.url, { method: plan.method, headers, body, signal });
        await response.arrayBuffer();
        return response.status;
      },
      close: () => {},
    };
  },
});
