// undici's own request() over an agent of one connection a session; ECONNLAB_UNDICI names the package's folder.
"use strict";
const path = require("path");
const { bodyOf, drive, watchUndici } = require("./protocol.cjs");

const folder = process.env.ECONNLAB_UNDICI;
const { Agent, request } = require(folder);
const bySession = new Map();
watchUndici(bySession);

drive({
  client: "undici",
  version: require(path.join(folder, "package.json")).version,
  open(session, plan, attempts) {
    bySession.set(session.session, attempts);
    const dispatcher = new Agent({ connections: 1, headersTimeout: plan.timeout_ms, bodyTimeout: plan.timeout_ms });
    const body = bodyOf(plan);
    return {
      ask: async (headers) => {
        const response = await request(plan.url, { dispatcher, method: plan.method, headers, body });
        await response.body.dump();
        return response.statusCode;
      },
      close: () => dispatcher.close(),
    };
  },
});
