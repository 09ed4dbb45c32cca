import type { Target } from "../target.js";
import { connection } from "./connection.js";
import { decoder } from "./decoder.js";
import { greeting } from "./greeting.js";
import { handshake } from "./handshake.js";
import { pipe } from "./pipe.js";

export const TARGETS: readonly Target[] = [greeting, handshake, decoder, connection, pipe];
