/**
 * `npm run build:assembly`: compiles assembly/secretbox.ts to WebAssembly, and writes it down as a module of ours. What
 * comes out is committed, so that nobody needs the compiler who does not change the cipher; a test compares the two.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";

const root = join(import.meta.dirname, "..");
const OPTIONS =
  "-O3 --enable simd --runtime stub --initialMemory 1 --maximumMemory 1 --noAssert".split(" ");

/** The text of src/socket/secretbox-wasm.ts. */
export async function compiled() {
  let binary;
  const { error, stderr } = await asc.main(
    ["assembly/secretbox.ts", "--baseDir", root, "--outFile", "secretbox.wasm", ...OPTIONS],
    {
      writeFile: (_, contents) => {
        binary = contents;
      },
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr}`);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
  const places = Object.entries(exports).filter(([, it]) => it instanceof WebAssembly.Global);
  return [
    "// assembly/secretbox.ts, compiled by `npm run build:assembly`.",
    ...places.map(([name, { value }]) => `export const ${name} = ${value};`),
    `export const wasm =\n  "${Buffer.from(binary).toString("hex")}";\n`,
  ].join("\n");
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(root, "src/socket/secretbox-wasm.ts"), await compiled());
}
