import type { Target } from "../target.js";
import { acceptFilter } from "./accept-filter.js";
import { address } from "./address.js";
import { connection } from "./connection.js";
import { curveClient, curveServer } from "./curve.js";
import { decoder } from "./decoder.js";
import { greeting } from "./greeting.js";
import { handshake } from "./handshake.js";
import { options } from "./options.js";
import { pipe } from "./pipe.js";
import { plain } from "./plain.js";
import { secretbox } from "./secretbox.js";
import { z85 } from "./z85.js";
import { zap } from "./zap.js";

export const TARGETS: readonly Target[] = [
  ...[greeting, handshake, plain, curveClient, curveServer],
  ...[decoder, connection, pipe, secretbox],
  ...[address, acceptFilter, z85, zap, options],
];
