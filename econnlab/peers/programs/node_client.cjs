// Node's own http client with its agent.
"use strict";
const http = require("http");
const { bodyOf, drive, watchedAgent } = require("./protocol.cjs");

drive({
  client: "node",
  version: process.versions.node,
  open(session, plan, attempts) {
    const agent = watchedAgent(http.Agent, { keepAlive: true, maxSockets: 1 }, attempts);
    const body = bodyOf(plan);
    return {
      ask: (headers) => new Promise((resolve, reject) => {
        const request = http.request(plan.url, { agent, method: plan.method, headers }, (response) => {
          response.on("error", reject);
          response.on("aborted", () => reject(Object.assign(new Error("aborted"), { code: "ECONNRESET" })));
          response.on("end", () => resolve(response.statusCode));
          response.resume();
        });
        request.setTimeout(plan.timeout_ms, () => request.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })));
        request.on("error", reject);
        request.end(body);
      }),
      close: () => agent.destroy(),
    };
  },
});
