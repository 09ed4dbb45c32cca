/** Makes pairs of keys, many of them. */
import { curveKeyPair } from "../dist/esm/module/index.js";

const count = Number(process.argv[2]);
for (let i = 0; i < count; i++) curveKeyPair();
console.log("made");
