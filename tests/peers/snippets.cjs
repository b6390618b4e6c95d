// What is shown to be pasted for Node, run: node snippets.cjs MODULES, jobs as JSON on stdin.
// A job is { id, text, url, sends }: the text is evaluated as it stands, and each of `sends` ({ method, pause, at_once })
// asked with what it defines. One JSON line each: the statuses or error codes, and how long it took. A text that imports (got is no
// CommonJS module) is imported, as it stands, from a file of its own beside the modules.
const fs = require("fs");
const http = require("http");
const path = require("path");
const { createRequire } = require("module");
const { pathToFileURL } = require("url");

const modules_folder = process.argv[2];
const modules = createRequire(modules_folder + "/");
// As users install them; here they lie side by side in two versions.
const names = { axios: "axios-4", "axios-retry": "axios-retry-4" };
const load = (name) => (name.startsWith("node:") ? require(name) : modules(names[name] || name));
const KNOWN = ["agent", "client", "dispatcher", "order", "get", "server"];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function imported(text) {
  const folder = fs.mkdtempSync(path.join(modules_folder, "..", "snippet-"));
  try {
    const file = path.join(folder, "snippet.mjs");
    fs.writeFileSync(file, `${text}\nexport { client };\n`);
    return await import(pathToFileURL(file));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function define(text) {
  if (/^import /m.test(text)) return imported(text);
  const found = KNOWN.map((name) => `${name}: typeof ${name} === "undefined" ? undefined : ${name}`).join(", ");
  return new Function("require", `${text}\nreturn { ${found} };`)(load);
}

// A cut body is the response's error where its last bytes and the RST are read together, and the request's where not.
const ended = (response, resolve, reject) => {
  response.resume();
  response.on("error", reject).on("end", () => resolve(response.statusCode));
};

async function send(made, url, method) {
  const data = method === "POST" ? "one order\n" : undefined;
  if (made.order) return (await made.order(url, data)).status;
  if (made.client && made.client.extend) return (await made.client(url, { method, body: data })).statusCode; // got
  if (made.client) return (await made.client.request({ url, method, data })).status;
  if (made.dispatcher) {
    const response = await load("undici").request(url, { dispatcher: made.dispatcher, method, body: data });
    await response.body.text();
    return response.statusCode;
  }
  if (made.get) return new Promise((resolve, reject) => made.get(url, (response) => ended(response, resolve, reject), reject));
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: made.agent, method }, (response) => ended(response, resolve, reject));
    request.on("error", reject);
    request.end(data);
  });
}

async function run(job) {
  const made = await define(job.text);
  const outcomes = [];
  const began = performance.now();
  const one = (step) => send(made, job.url, step.method).then(String, (error) => error.code || String(error));
  for (const step of job.sends) {
    if (step.pause) await wait(step.pause);
    outcomes.push(...(await Promise.all(Array.from({ length: step.at_once || 1 }, () => one(step)))));
  }
  process.stdout.write(JSON.stringify({ id: job.id, outcomes, took_ms: performance.now() - began }) + "\n");
}

async function serve(text) {
  const { server } = define(text);
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
}

const input = JSON.parse(fs.readFileSync(0, "utf8"));
if (Array.isArray(input)) Promise.all(input.map(run)).then(() => process.exit(0));
else serve(input.text);
