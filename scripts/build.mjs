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
import { build } from "esbuild";
import ts from "typescript";

const root = join(import.meta.dirname, "..");
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

const ENTRIES = { index: "src/index.ts", "zmtp/index": "src/zmtp/index.ts" };

rmSync(join(root, "dist"), { recursive: true, force: true });
for (const format of ["esm", "cjs"]) {
  declare(`tsconfig.${format}.json`);
  prune(join(root, "dist", format));
}

// The package is "type": "module"; its CommonJS half says otherwise.
writeFileSync(
  join(root, "dist/cjs/package.json"),
  `${JSON.stringify({ type: "commonjs", sideEffects: false }, null, 2)}\n`,
);

// What both entries need, the protocol, is there once: there is one ProtocolError, not two.
await joinModules("esm", ENTRIES, { splitting: true, chunkNames: "zmtp/[name]-[hash]" });
await joinModules("cjs", { index: ENTRIES.index }, { plugins: [zmtpStaysOutside()] });
keepOrder("dist/cjs/index.js", "src/index.ts");
await joinModules("cjs", { "zmtp/index": ENTRIES["zmtp/index"] });

function declare(project) {
  execFileSync(process.execPath, [tsc, "-p", project], { cwd: root, stdio: "inherit" });
}

/** Removes declarations that no entry leads to: they are of what nobody outside can name. */
function prune(folder) {
  const needed = new Set();
  const visit = (file) => {
    if (needed.has(file)) return;
    needed.add(file);
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, to] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.js"/g)) {
      visit(`${join(dirname(file), to)}.d.ts`);
    }
  };
  for (const entry of Object.keys(ENTRIES)) visit(`${entry}.d.ts`);
  for (const file of readdirSync(folder, { recursive: true })) {
    if (file.endsWith(".d.ts") && !needed.has(relative(".", file))) rmSync(join(folder, file));
  }
}

function joinModules(format, entryPoints, options) {
  return build({
    absWorkingDir: root,
    entryPoints,
    outdir: `dist/${format}`,
    bundle: true,
    format,
    platform: "node",
    target: "es2022",
    sourcemap: true,
    sourcesContent: false,
    logLevel: "warning",
    ...options,
    plugins: [withoutComments(), ...(options?.plugins ?? [])],
  });
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

/** CommonJS has no chunks: its root entry requires the other one. */
function zmtpStaysOutside() {
  return {
    name: "zmtp-stays-outside",
    setup: ({ onResolve }) =>
      onResolve({ filter: /\/zmtp\/index\.js$/ }, () => ({
        path: "./zmtp/index.js",
        external: true,
      })),
  };
}
