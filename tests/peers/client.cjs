// A keep-alive client on node:http, as services have one: node client.cjs URL INTERVAL_MS SESSIONS REQUESTS
// Each session asks one after another over its own agent; one JSON line per request on stdout.
const http = require("http");
const [url, interval, sessions, requests] = process.argv.slice(2).map((word, i) => (i ? Number(word) : word));

function ask(agent, session, number) {
  let localPort = null;
  const request = http.get(url, { agent }, (response) => {
    response.resume();
    response.on("end", () => done({ ok: true, status: response.statusCode, keepAlive: response.headers["keep-alive"] }));
  });
  request.on("socket", (socket) => {
    const know = () => { localPort = socket.localPort; };
    if (socket.connecting) socket.once("connect", know); else know();
  });
  request.on("error", (error) => done({ ok: false, code: error.code, message: error.message, syscall: error.syscall }));
  function done(result) {
    const line = { session, number, reused: Boolean(request.reusedSocket), localPort, ...result };
    process.stdout.write(JSON.stringify(line) + "\n");
    if (number < requests) setTimeout(ask, interval, agent, session, number + 1);
    else agent.destroy();
  }
}

for (let session = 1; session <= sessions; session++) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  setTimeout(ask, ((session - 1) * interval) / sessions, agent, session, 1);
}
