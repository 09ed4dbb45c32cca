/**
 * A broker: clients know its address and no worker's, and workers come and go as they like. It is a
 * Router for the clients, a Dealer for the workers, and a Proxy that hands requests and replies over.
 *
 *   npx tsx examples/broker/broker.ts
 *
 * Everything is in one process here; each side may as well be in many, on many machines.
 */
import * as zmq from "purezmq";

const clients = new zmq.Router();
const workers = new zmq.Dealer();
await clients.bind("tcp://127.0.0.1:*");
await workers.bind("inproc://workers");
const frontEnd = clients.lastEndpoint as string;

const proxy = new zmq.Proxy(clients, workers);
const proxied = proxy.run();

/** Answers until the socket is closed. */
async function work(socket: zmq.Reply): Promise<number> {
  let answered = 0;
  socket.connect("inproc://workers");
  for await (const [question] of socket) {
    await socket.send(`${question} is ${String(question).length} letters long`);
    answered += 1;
  }
  return answered;
}

/** Asks one question after the other. */
async function ask(questions: string[]): Promise<string[]> {
  const socket = new zmq.Request();
  socket.connect(frontEnd);
  const answers: string[] = [];
  for (const question of questions) {
    await socket.send(question);
    answers.push(String(await socket.receive()));
  }
  socket.close();
  return answers;
}

const staff = [new zmq.Reply(), new zmq.Reply()];
const working = Promise.all(staff.map(work));

const answers = await Promise.all([ask(["one", "two"]), ask(["three", "four"]), ask(["eleven"])]);
for (const answer of answers.flat()) console.log(answer);

for (const socket of staff) socket.close();
console.log(`answered by two workers: ${(await working).join(" and ")}`);

// Ends it, and closes both of its sockets.
proxy.terminate();
await proxied;
