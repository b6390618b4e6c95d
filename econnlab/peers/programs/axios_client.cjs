// axios with an agent that keeps connections, as the article has it; with axios-retry if the plan asks for it.
// ECONNLAB_AXIOS and ECONNLAB_AXIOS_RETRY name the folders of the packages.
"use strict";
const http = require("http");
const path = require("path");
const { bodyOf, drive, watchedAgent } = require("./protocol.cjs");

const folder = process.env.ECONNLAB_AXIOS;
const loaded = require(folder);
const axios = loaded.default && loaded.default.create ? loaded.default : loaded;

drive({
  client: "axios",
  version: require(path.join(folder, "package.json")).version,
  open(session, plan, attempts) {
    const agent = watchedAgent(http.Agent, { keepAlive: true, maxSockets: 1 }, attempts);
    const client = axios.create({ httpAgent: agent, timeout: plan.timeout_ms, proxy: false });
    if (process.env.ECONNLAB_AXIOS_RETRY) {
      const retry = require(process.env.ECONNLAB_AXIOS_RETRY);
      (retry.default || retry)(client, plan.retries ? { retries: plan.retries } : {});
    }
    const data = bodyOf(plan);
    return {
      ask: (headers) => client.request({ url: plan.url, method: plan.method, headers, data }).then((response) => response.status),
      close: () => agent.destroy(),
    };
  },
});
