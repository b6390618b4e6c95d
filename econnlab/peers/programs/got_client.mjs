// got with an agent that keeps connections; ECONNLAB_GOT names the package's folder. got is an ES module.
import { createRequire } from "module";
import { readFileSync } from "fs";
import http from "http";
import path from "path";
import { pathToFileURL } from "url";

const { bodyOf, drive, watchedAgent } = createRequire(import.meta.url)("./protocol.cjs");
const folder = process.env.ECONNLAB_GOT;
const about = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
const entry = about.exports && about.exports.default ? about.exports.default : about.exports || about.main;
const { default: got } = await import(pathToFileURL(path.join(folder, entry)));

drive({
  client: "got",
  version: about.version,
  open(session, plan, attempts) {
    const agent = watchedAgent(http.Agent, { keepAlive: true, maxSockets: 1 }, attempts);
    const retry = { limit: plan.retry ? plan.retries || 2 : 0 }; // got retries twice unless told
    return {
      ask: (headers) => got(plan.url, {
        method: plan.method, headers, body: bodyOf(plan), agent: { http: agent }, retry, timeout: { request: plan.timeout_ms },
      }).then((response) => response.statusCode),
      close: () => agent.destroy(),
    };
  },
});
