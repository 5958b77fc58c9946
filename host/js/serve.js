import { createServer } from "node:net";
import { Connection } from "./connection.js";
import { asyncDispose } from "./dispose.js";
import { checked, flag, isText } from "./options.js";

/** Below the usual limit of open files of a process. */
const CONNECTIONS = 900;

const OPTIONS = {
  port: [(value) => Number.isInteger(value) && value >= 0 && value <= 65_535, "a whole number from 0 to 65535"],
  host: [(value) => isText(value) && value !== "", "an address to listen on, as a text"],
  keepAlive: flag,
};

/** Serves `imds` until the result is closed. */
export async function listen(imds, options) {
  const { port = 0, host = "127.0.0.1", keepAlive = false } = checked("serve", options, OPTIONS);
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
