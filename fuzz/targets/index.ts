import type { Target } from "../target.js";
import { connection } from "./connection.js";
import { curveClient, curveServer } from "./curve.js";
import { decoder } from "./decoder.js";
import { greeting } from "./greeting.js";
import { handshake } from "./handshake.js";
import { pipe } from "./pipe.js";
import { plain } from "./plain.js";

export const TARGETS: readonly Target[] = [
  ...[greeting, handshake, plain, curveClient, curveServer],
  ...[decoder, connection, pipe],
];
