/**
 * The flood: libzmq, through npm zeromq, sends large messages as fast as the other side takes them.
 *
 *   node sender.mjs '{ "endpoint": ..., "messageBytes": ..., "highWaterMark": ... }'
 *
 * Binds, prints the version of libzmq, sends until it is killed or its standard input closes.
 * Plain JavaScript, as receiver.mjs: no loader shares the process with what is measured.
 */
import { Pair, version } from "zeromq";

const { endpoint, messageBytes, highWaterMark } = JSON.parse(process.argv[2]);

process.stdin.on("end", () => process.exit()).resume();

const socket = new Pair({ sendHighWaterMark: highWaterMark, linger: 0 });
await socket.bind(endpoint);
process.stdout.write(`${version}\n`);

const body = Buffer.alloc(messageBytes, "0");
for (;;) await socket.send(body);
