/**
 * Request and reply, the side that answers: one reply to each request, in turn. Clients may be many,
 * and may come before the server does.
 *
 *   npx tsx examples/request-reply/server.ts ENDPOINT
 *
 * Start client.ts on the same endpoint, for example tcp://127.0.0.1:5555. Its last request ends both.
 */
import { Reply } from "purezmq";

const [endpoint] = process.argv.slice(2);
if (endpoint === undefined) throw new Error("usage: server.ts ENDPOINT");

const socket = new Reply();
await socket.bind(endpoint);

for await (const [request] of socket) {
  const text = String(request);
  console.log(`asked: ${text}`);
  await socket.send(text.toUpperCase());
  if (text === "bye") break;
}
// The last reply still leaves: a socket lingers, unless it is told not to.
socket.close();
