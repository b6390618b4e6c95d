// A plain Node server: node server.cjs KEEP_ALIVE_TIMEOUT_MS [MAX_CONNECTIONS]. Prints its port.
const http = require("http");
const [keepAliveTimeout, maxConnections] = process.argv.slice(2).map(Number);
const server = http.createServer((request, response) => response.end("ok\n"));
server.keepAliveTimeout = keepAliveTimeout;
if (maxConnections) server.maxConnections = maxConnections;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
