// Leaves a socket file behind that nobody listens at: ends before anybody could remove it.
import { createServer } from "node:net";

createServer().listen(process.argv[2], () => process.kill(process.pid, "SIGKILL"));
