// The retrying libraries of Node as themselves: node originals.cjs MODULES, cells as JSON on stdin.
// A cell is one request of one client: { id, library, method, url, warm, timeout }; where `warm` is a URL, a request to it
// goes before, so that the one under test meets a reused connection. All cells run at once; one JSON line each:
// how often the client tried, by its own word, and how it ended.
const fs = require("fs");
const http = require("http");
const { createRequire } = require("module");
const { pathToFileURL } = require("url");

const load = createRequire(process.argv[2] + "/");
const BODY = "one order\n";
const idOf = (id) => ({ "X-Econnlab-Request": id });
const bodyOf = (cell) => (cell.method === "GET" ? undefined : BODY);

function axiosWith(axiosName, retryName) {
  const axios = load(axiosName);
  const axiosRetry = load(retryName).default || load(retryName);
  return async (cell, count) => {
    const httpAgent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    if (cell.warm) await axios.get(cell.warm, { httpAgent, validateStatus: () => true });
    const client = axios.create({ httpAgent, timeout: cell.timeout });
    client.interceptors.request.use((config) => { count(); return config; });
    axiosRetry(client);
    try {
      return (await client.request({ method: cell.method, url: cell.url, data: bodyOf(cell), headers: idOf(cell.id) })).status;
    } finally {
      httpAgent.destroy();
    }
  };
}

// The module gives its client no agent; this one makes it reuse connections, as an app that has set one does.
function nuxtAxios() {
  const { make } = require("./nuxt_axios.cjs").plugged(process.argv[2]);
  return async (cell, count) => {
    const httpAgent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const client = make();
    if (cell.warm) await client.get(cell.warm, { httpAgent, validateStatus: () => true });
    client.defaults.httpAgent = httpAgent;
    client.defaults.timeout = cell.timeout;
    client.interceptors.request.use((config) => { count(); return config; });
    try {
      return (await client.request({ method: cell.method, url: cell.url, data: bodyOf(cell), headers: idOf(cell.id) })).status;
    } finally {
      httpAgent.destroy();
    }
  };
}

function undici() {
  const { Agent, RetryAgent } = load("undici");
  return async (cell, count) => {
    const agent = new Agent({ connections: 1, headersTimeout: cell.timeout, bodyTimeout: cell.timeout });
    if (cell.warm) await (await agent.request({ ...target(cell.warm), method: "GET", headersTimeout: 0 })).body.text();
    const dispatch = agent.dispatch.bind(agent);
    agent.dispatch = (options, handler) => { count(); return dispatch(options, handler); };
    const client = new RetryAgent(agent, { minTimeout: 1, timeoutFactor: 1 });
    try {
      const request = { ...target(cell.url), method: cell.method, body: bodyOf(cell), headers: idOf(cell.id) };
      const response = await client.request(request);
      await response.body.text();
      return response.statusCode;
    } finally {
      await agent.destroy();
    }
  };
}

function target(url) {
  const { origin, pathname } = new URL(url);
  return { origin, path: pathname };
}

async function got() {
  const client = (await import(pathToFileURL(load.resolve("got")))).default;
  return async (cell, count) => {
    const agent = { http: new http.Agent({ keepAlive: true, maxSockets: 1 }) };
    if (cell.warm) await client(cell.warm, { agent, retry: { limit: 0 }, throwHttpErrors: false });
    try {
      return (await client(cell.url, {
        agent, method: cell.method, body: bodyOf(cell), headers: idOf(cell.id), timeout: { response: cell.timeout },
        retry: { backoffLimit: 1, noise: 0 }, hooks: { beforeRequest: [() => count()] },
      })).statusCode;
    } finally {
      agent.http.destroy();
    }
  };
}

async function main() {
  const cells = JSON.parse(fs.readFileSync(0, "utf8"));
  const makers = {
    "axios-retry-3": () => axiosWith("axios-3", "axios-retry-3"),
    "axios-retry-4": () => axiosWith("axios-4", "axios-retry-4"),
    "nuxt-axios": nuxtAxios,
    undici,
    got,
  };
  const libraries = {};  // only those asked for: the others may be too new for this Node
  for (const { library } of cells) libraries[library] = libraries[library] || await makers[library]();
  await Promise.all(cells.map(async (cell) => {
    let tries = 0;
    const line = { id: cell.id };
    try {
      line.status = await libraries[cell.library](cell, () => { tries += 1; });
    } catch (error) {
      line.error = `${error.code} ${error.message}`;
    }
    process.stdout.write(JSON.stringify({ ...line, tries }) + "\n");
  }));
}

main();
