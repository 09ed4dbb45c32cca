/**
 * Request and reply, the side that asks: send, receive, send, receive. Asked out of turn, a call
 * waits for its turn, or fails with EFSM after its timeout.
 *
 *   npx tsx examples/request-reply/client.ts ENDPOINT
 *
 * Start server.ts on the same endpoint, before it or after it.
 */
import { Request } from "purezmq";

const [endpoint] = process.argv.slice(2);
if (endpoint === undefined) throw new Error("usage: client.ts ENDPOINT");

const socket = new Request({ receiveTimeout: 10_000 });
socket.connect(endpoint);

for (const request of ["hello", "world", "bye"]) {
  await socket.send(request);
  const [reply] = await socket.receive();
  console.log(`${request}: ${reply}`);
}
socket.close();
