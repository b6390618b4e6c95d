// What Node's HTTP clients say: node_clients.cjs MODULES '[["fin", "http://..."], ...]'; a JSON line for each failure.
const http = require("http");
const https = require("https");
const path = require("path");
const util = require("util");
const [modules, asked] = process.argv.slice(2);
const TIMEOUT_MS = 1000;
const insecure = { rejectUnauthorized: false };
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
process.removeAllListeners("warning");

function byHttp(url, agent) {
  return new Promise((resolve, reject) => {
    const of = url.startsWith("https") ? https : http;
    const request = of.request(url, { method: "POST", agent, timeout: TIMEOUT_MS, ...insecure }, (response) => {
      response.on("error", reject);
      response.on("end", resolve);
      response.resume();
    });
    request.on("timeout", () => request.destroy());
    request.on("error", reject);
    request.end("x");
  });
}

async function byFetch(url) {
  const response = await fetch(url, { method: "POST", body: "x", signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.text();
}

function wanted(name) {
  try { return require(path.join(modules, name)); } catch { return null; }
}

const axios = wanted("axios-4") ?? wanted("axios");
const undici = wanted("undici");
const nodeFetch = wanted("node-fetch");
const clients = {
  http: async (url, twice, agent) => { for (let i = 0; i < twice; i++) await byHttp(url, agent); },
  fetch: async (url, twice) => { for (let i = 0; i < twice; i++) await byFetch(url); },
};
if (axios) {
  clients.axios = async (url, twice, agent) => {
    const options = { timeout: TIMEOUT_MS, httpAgent: agent, httpsAgent: agent, proxy: false };
    for (let i = 0; i < twice; i++) await axios.post(url, "x", options);
  };
}
if (undici) {
  clients.undici = async (url, twice) => {
    const dispatcher = new undici.Agent({ headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, connect: insecure });
    for (let i = 0; i < twice; i++) await (await undici.request(url, { method: "POST", body: "x", dispatcher })).body.text();
  };
}
if (nodeFetch) {
  clients["node-fetch"] = async (url, twice, agent) => {
    for (let i = 0; i < twice; i++) await (await nodeFetch(url, { method: "POST", body: "x", agent, timeout: TIMEOUT_MS })).text();
  };
}

(async () => {
  try {
    const got = (await import(path.join(modules, "got/dist/source/index.js"))).default;
    clients.got = async (url, twice) => {
      const options = { method: "POST", body: "x", retry: { limit: 0 }, timeout: { request: TIMEOUT_MS }, https: insecure };
      for (let i = 0; i < twice; i++) await got(url, options);
    };
  } catch { /* not installed */ }
  for (const [way, url] of JSON.parse(asked)) {
    for (const [program, ask] of Object.entries(clients)) {
      const Agent = url.startsWith("https") ? https.Agent : http.Agent;
      const agent = new Agent({ keepAlive: true, maxSockets: 1, ...insecure });
      try {
        await ask(url, way === "second" ? 2 : 1, agent);
      } catch (error) {
        // axios prints its request and sockets as well: nobody pastes those.
        delete error.request; delete error.config; delete error.response; delete error.options;
        const said = [util.inspect(error, { depth: 4 }), String(error.cause ? `${error} [cause]: ${error.cause}` : error)];
        process.stdout.write(JSON.stringify({ program, way, said }) + "\n");
      }
      agent.destroy();
    }
  }
  process.exit(0);
})();
