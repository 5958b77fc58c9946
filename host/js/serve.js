import { createServer } from "node:net";
import { Connection } from "./connection.js";
import { asyncDispose } from "./dispose.js";

/** Below the usual limit of open files of a process. */
const CONNECTIONS = 900;

/** Serves `imds` until the result is closed. */
export async function listen(imds, { port = 0, host = "127.0.0.1", keepAlive = false } = {}) {
  const sockets = new Set();
  // Who closed its side still gets its answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    new Connection(imds, socket, keepAlive).run();
  });
  server.maxConnections = CONNECTIONS;
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  // One connection that could not be accepted is no reason to end the process.
  server.on("error", (error) => process.emitWarning(error));
  const bound = server.address().port;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
  const close = () => new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
  return { url, port: bound, env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: url }, close, [asyncDispose]: close };
}
