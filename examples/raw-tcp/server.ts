/**
 * A Stream speaks to those who do not speak ZeroMQ: its messages are a connection's name and some
 * bytes of that connection, cut anyhow. Here it is an HTTP server, the smallest there is.
 *
 *   npx tsx examples/raw-tcp/server.ts
 *
 * It asks itself, with Node's own client, and ends.
 */
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { Stream } from "purezmq";

const socket = new Stream({ notify: false });
await socket.bind("tcp://127.0.0.1:*");

/** What each connection has sent so far, by its name. */
const requests = new Map<string, string>();

async function serve(): Promise<void> {
  for await (const [name, bytes] of socket) {
    const peer = name.toString("hex");
    const request = (requests.get(peer) ?? "") + bytes.toString("latin1");
    requests.set(peer, request);
    if (!request.endsWith("\r\n\r\n")) continue;
    requests.delete(peer);
    const [, path] = request.split(" ");
    const body = `You asked for ${path}\n`;
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    await socket.send([name, head + body]);
    // Nothing to send is how to hang up.
    await socket.send([name, null]);
  }
}

function ask(path: string): Promise<void> {
  const url = (socket.lastEndpoint as string).replace("tcp:", "http:");
  return new Promise((resolve, reject) => {
    get(url + path, async (response) => {
      console.log(`${response.statusCode} ${(await text(response)).trim()}`);
      resolve();
    }).on("error", reject);
  });
}

const serving = serve();
for (const path of ["/", "/index.html", "/favicon.ico"]) await ask(path);
socket.close();
await serving;
