// The last step of the build: the package is "type": "module", its CommonJS half says otherwise.
import { writeFileSync } from "node:fs";

writeFileSync(
  new URL("../dist/cjs/package.json", import.meta.url),
  `${JSON.stringify({ type: "commonjs", sideEffects: false }, null, 2)}\n`,
);
