/** Endpoints of ZeroMQ as `net` takes them, for the rivals that are bare sockets. */
import { createServer, connect as netConnect } from "node:net";
import { fail, ready } from "./child.mjs";

/** Serves one connection; tells the bench the bound address. */
export function listen(endpoint, onConnection) {
  const server = createServer({ noDelay: true }, (socket) => {
    server.close();
    socket.on("error", (error) => fail(error.message));
    onConnection(socket);
  });
  server.on("error", (error) => fail(error.message));
  server.listen(address(endpoint), () => {
    const bound = server.address();
    ready(typeof bound === "string" ? `ipc://${bound}` : `tcp://${bound.address}:${bound.port}`);
  });
}

export function connect(endpoint, onConnect) {
  const socket = netConnect({ ...address(endpoint), noDelay: true }, () => onConnect(socket));
  socket.on("error", (error) => fail(error.message));
}

function address(endpoint) {
  if (endpoint.startsWith("ipc://")) return { path: endpoint.slice("ipc://".length) };
  const { host, port } = endpoint.match(/^tcp:\/\/(?<host>[^:]+):(?<port>\d+|\*)$/).groups;
  return { host, port: port === "*" ? 0 : Number(port) };
}
