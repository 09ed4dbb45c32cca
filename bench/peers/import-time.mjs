/**
 * Milliseconds that loading one module takes in a fresh process.
 *
 *   node import-time.mjs import|require SPECIFIER
 */
import { createRequire } from "node:module";

const [how, specifier] = process.argv.slice(2);
const require = createRequire(import.meta.url);

const start = performance.now();
if (how === "import") await import(specifier);
else require(specifier);
console.log(JSON.stringify({ millis: performance.now() - start }));
