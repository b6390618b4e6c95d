// A client on node:http for `econnlab check`: node checked.cjs keep|close; GET, then two POSTs, one after another.
const http = require("http");
const agent = new http.Agent({ keepAlive: process.argv[2] === "keep" });

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(process.env.ECONNLAB_URL + path, { method, agent, timeout: 2000 }, (response) => {
      response.resume();
      response.on("error", reject); // Node 20 says so of a body that was cut; 14 says `aborted`
      response.on("aborted", () => reject(new Error("aborted")));
      response.on("end", () => (response.statusCode < 400 ? resolve() : reject(new Error(`status ${response.statusCode}`))));
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
    request.end(body);
  });
}

ask("GET", "items")
  .then(() => ask("POST", "orders", "one"))
  .then(() => ask("POST", "orders", "two"))
  .then(() => agent.destroy(), (error) => { console.error(error.message); process.exit(1); });
