/**
 * `npm run build`: declarations by tsc, for `import` and for `require`; the code of each joined by esbuild.
 *
 * Node 20 takes 0.3 ms to load an ES module, however small, and 0.1 ms to require one: one by one our ninety would take
 * some 30 ms and 17 ms. Joined they take 10. Nothing is minified; the source maps lead to `src`.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { decode, encode } from "@jridgewell/sourcemap-codec";
import { build } from "esbuild";
import ts from "typescript";

const root = join(import.meta.dirname, "..");
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

/** What programs load; for those that import it, with all names together as `default`. */
const ENTRIES = {
  esm: ["module/index", "module/draft", "module/v5-compat", "zmtp/index"],
  cjs: ["index", "draft", "v5-compat", "zmtp/index"],
};

/** Exports that tests can replace, as they can npm zeromq's: esbuild's are getters. */
const PLAIN_EXPORTS =
  'module.exports = Object.defineProperty({ ...module.exports }, "__esModule", { value: true });';

rmSync(join(root, "dist"), { recursive: true, force: true });
for (const format of ["esm", "cjs"]) {
  declare(format);
  prune(format);
  await joinModules(format);
}
await toCommonJs();
writeForOldCompilers();
keepOrder("dist/cjs/index.js", "src/index.ts");
keepOrder("dist/cjs/v5-compat.js", "src/v5-compat.ts");
for (const format of ["esm", "cjs"]) coarsenMaps(format);

// The package is "type": "module"; its CommonJS half says otherwise.
writeFileSync(
  join(root, "dist/cjs/package.json"),
  `${JSON.stringify({ type: "commonjs", sideEffects: false }, null, 2)}\n`,
);

function declare(format) {
  execFileSync(process.execPath, [tsc, "-p", `tsconfig.${format}.json`], {
    cwd: root,
    stdio: "inherit",
  });
}

/** Removes declarations that no entry leads to: they are of what nobody outside can name. */
function prune(format) {
  const folder = join(root, "dist", format);
  const needed = new Set();
  const visit = (file) => {
    if (needed.has(file)) return;
    needed.add(file);
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, to] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.js"/g)) {
      visit(`${join(dirname(file), to)}.d.ts`);
    }
  };
  for (const entry of ENTRIES[format]) visit(`${entry}.d.ts`);
  for (const file of readdirSync(folder, { recursive: true })) {
    if (file.endsWith(".d.ts") && !needed.has(relative(".", file))) rmSync(join(folder, file));
  }
}

/** Joins the modules to the entries and what they share, each of it once: there is one Socket, and one ProtocolError. */
function joinModules(format) {
  return build({
    absWorkingDir: root,
    entryPoints: ENTRIES[format].map((name) => ({ in: `src/${name}.ts`, out: name })),
    outdir: `dist/${format}`,
    bundle: true,
    packages: "external",
    splitting: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    sourcemap: format === "esm" ? true : "inline",
    sourcesContent: false,
    logLevel: "warning",
    chunkNames: "shared/[name]-[hash]",
    plugins: [withoutComments()],
  });
}

/** Turns the files of dist/cjs, ES modules so far, into CommonJS: by itself esbuild shares nothing there. */
async function toCommonJs() {
  const outdir = join(root, "dist/cjs");
  const files = readdirSync(outdir, { recursive: true }).filter((file) => file.endsWith(".js"));
  const entries = ENTRIES.cjs.map((name) => `${name}.js`);
  const convert = (entryPoints, footer) =>
    build({
      absWorkingDir: outdir,
      entryPoints,
      outdir,
      outbase: outdir,
      allowOverwrite: true,
      format: "cjs",
      platform: "node",
      target: "es2022",
      // `import()` becomes a `require` behind a promise: Jest, for one, knows no `import()` in CommonJS.
      supported: { "dynamic-import": false },
      sourcemap: true,
      sourcesContent: false,
      logLevel: "warning",
      footer: { js: footer },
    });
  await convert(entries, PLAIN_EXPORTS);
  await convert(
    files.filter((file) => !entries.includes(file)),
    "",
  );
}

/**
 * CommonJS declarations are for TypeScript from 3.7 on, which knows no `import type`, no private
 * names and no `node:`.
 */
function writeForOldCompilers() {
  const folder = join(root, "dist/cjs");
  for (const file of readdirSync(folder, { recursive: true })) {
    if (!file.endsWith(".d.ts")) continue;
    const path = join(folder, file);
    const text = readFileSync(path, "utf8")
      .replace(/^(import|export) type \{/gm, "$1 {")
      .replace(/^(?:import|export) \{[^}]*\}/gm, (names) => names.replace(/\btype (?=\w)/g, ""))
      .replace(/^ *#private;\n/gm, "")
      .replace(/(?<= from )"node:/g, '"');
    writeFileSync(path, text);
  }
}

/** Comments stand in the declarations, and in the sources that the maps lead to: esbuild would keep some more. */
function withoutComments() {
  return {
    name: "without-comments",
    setup: ({ onLoad }) =>
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const { outputText } = ts.transpileModule(readFileSync(path, "utf8"), {
          fileName: path,
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ESNext,
            verbatimModuleSyntax: true,
            removeComments: true,
            inlineSourceMap: true,
          },
        });
        return { contents: outputText, loader: "js" };
      }),
  };
}

/** Source maps that know lines and no columns: a quarter of the package would be those, twice. */
function coarsenMaps(format) {
  const folder = join(root, "dist", format);
  for (const file of readdirSync(folder, { recursive: true })) {
    if (!file.endsWith(".map")) continue;
    const path = join(folder, file);
    const { names, mappings, ...map } = JSON.parse(readFileSync(path, "utf8"));
    const lines = decode(mappings).map((segments) =>
      segments.slice(0, 1).map((it) => it.slice(0, 4)),
    );
    writeFileSync(path, JSON.stringify({ ...map, names: [], mappings: encode(lines) }));
  }
}

/** Names are exported in the order of the source, which is npm zeromq's, and not in that of the alphabet. */
function keepOrder(output, source) {
  const path = join(root, output);
  const text = readFileSync(path, "utf8");
  const names = [...readFileSync(join(root, source), "utf8").matchAll(/\w+/g)].map(
    ([name]) => name,
  );
  const ordered = text.replace(/(?<=^__export\(\w+, \{\n)[^}]*(?=\n\}\);)/m, (list) =>
    list
      .split(/,\n/)
      .sort((one, other) => names.indexOf(nameOf(one)) - names.indexOf(nameOf(other)))
      .join(",\n"),
  );
  writeFileSync(path, ordered);
}

function nameOf(line) {
  return /\w+/.exec(line)?.[0];
}
