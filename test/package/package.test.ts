/** The packed tarball, installed as its users install it, in every way that they load it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const execute = promisify(execFile);
const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../..", import.meta.url));
const jest = require.resolve("jest/bin/jest");
const tsc = require.resolve("typescript/bin/tsc");
const nodeTypes = dirname(require.resolve("@types/node/package.json"));

/** Passes one message from one Pair to another; `Pair` must be in scope. */
const PASS_A_MESSAGE = `
async function passAMessage(address) {
  const one = new Pair();
  const other = new Pair();
  await one.bind(address);
  other.connect(address);
  await other.send(["hello", "world"]);
  const message = await one.receive();
  one.close();
  other.close();
  return message.map(String).join(" ");
}
`;

interface Manifest {
  name: string;
  version: string;
  scripts?: Record<string, string>;
  [key: string]: unknown;
}

interface Packed {
  filename: string;
  size: number;
  files: { path: string }[];
}

let folder: string;
let packed: Packed;
let installed: string;
let projects = 0;

beforeAll(async () => {
  if (
    !existsSync(join(root, "dist/esm/module.js")) ||
    !existsSync(join(root, "dist/cjs/index.js"))
  ) {
    throw new Error("Nothing is built: run these tests through `npm run test:package`");
  }
  folder = await mkdtemp(join(tmpdir(), "purezmq-package-"));
  const { stdout } = await npm(root, "pack", "--json", "--pack-destination", folder);
  packed = (JSON.parse(stdout) as Packed[])[0]!;
  installed = join(folder, "installed");
  await mkdir(installed);
  await writeFile(join(installed, "package.json"), JSON.stringify({ private: true }));
  await npm(installed, "install", "--legacy-peer-deps", join(folder, packed.filename));
});

afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

function npm(cwd: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return execute("npm", [...args, "--offline", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd,
  });
}

/** Runs node in `cwd` and returns what it printed, without the last line feed. */
async function node(cwd: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await execute(process.execPath, args, { cwd, timeout: 60_000 });
    return stdout.trimEnd();
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`node ${args.join(" ")} failed\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** A new project with what npm installed from the tarball, and these files beside it. */
async function project(files: Record<string, string>, type = "commonjs"): Promise<string> {
  const cwd = join(folder, `project-${++projects}`);
  await mkdir(cwd);
  await writeFile(join(cwd, "package.json"), JSON.stringify({ name: "user", private: true, type }));
  await cp(join(installed, "node_modules"), join(cwd, "node_modules"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
  return cwd;
}

async function manifest(cwd: string): Promise<Manifest> {
  return JSON.parse(
    await readFile(join(cwd, "node_modules/purezmq/package.json"), "utf8"),
  ) as Manifest;
}

describe("the tarball", () => {
  test("is smaller than 300 KB", async () => {
    const { size } = await stat(join(folder, packed.filename));
    expect(size).toBeLessThan(300_000);
  });

  test("holds the build, the sources and the papers, and nothing else", () => {
    const paths = packed.files.map((file) => file.path);
    expect(new Set(paths.map((path) => path.split("/")[0]))).toEqual(
      new Set(["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json", "src"]),
    );
    // The modules of each build are joined: two entries, and what both of them need, which in
    // CommonJS is one of them.
    const built = paths.filter((path) => /^dist\/.*\.js$/.test(path));
    for (const format of ["cjs", "esm"]) {
      const entries = ["index", "zmtp/index"].map((entry) => `dist/${format}/${entry}`);
      const endings = ["js", "js.map", "d.ts"];
      const files = entries.flatMap((entry) => endings.map((ending) => `${entry}.${ending}`));
      expect(paths).toEqual(expect.arrayContaining(files));
      const code = built.filter((path) => path.startsWith(`dist/${format}/`));
      expect(code.length).toBe(format === "cjs" ? 2 : 3);
    }
  });

  test("has no dependency and runs nothing when it is installed", async () => {
    const cwd = await project({});
    const { dependencies, optionalDependencies, gypfile, peerDependenciesMeta, scripts, ...rest } =
      await manifest(cwd);
    expect({ dependencies, optionalDependencies, gypfile }).toEqual({});
    for (const peer of Object.keys((rest["peerDependencies"] as object | undefined) ?? {})) {
      expect(peerDependenciesMeta).toHaveProperty([peer, "optional"], true);
    }
    for (const name of ["preinstall", "install", "postinstall", "prepare", "preprepare"]) {
      expect(scripts).not.toHaveProperty(name);
    }
    expect(
      Object.keys(
        JSON.parse(await readFile(join(cwd, "node_modules/.package-lock.json"), "utf8")).packages,
      ),
    ).toEqual(["node_modules/purezmq"]);
  });

  test("maps its code to sources that it carries", async () => {
    const cwd = await project({});
    for (const format of ["esm", "cjs"]) {
      for (const entry of ["index", "zmtp/index"]) {
        const path = join(cwd, "node_modules/purezmq/dist", format, `${entry}.js.map`);
        const map = JSON.parse(await readFile(path, "utf8")) as { sources: string[] };
        for (const source of map.sources) {
          expect(existsSync(join(dirname(path), source)), `${path}: ${source}`).toBe(true);
        }
      }
    }
  });
});

describe("JavaScript", () => {
  test("import from an ES module", async () => {
    const cwd = await project({
      "main.mjs": `
        import * as zmq from "purezmq";
        import { Pair, version } from "purezmq";
        ${PASS_A_MESSAGE}
        if (zmq.version !== version) throw new Error("not the same");
        console.log(await passAMessage("inproc://import"));
      `,
    });
    expect(await node(cwd, "main.mjs")).toBe("hello world");
  });

  test("require from a CommonJS module", async () => {
    const cwd = await project({
      "main.cjs": `
        const { Pair } = require("purezmq");
        ${PASS_A_MESSAGE}
        passAMessage("inproc://require").then(console.log);
      `,
    });
    expect(await node(cwd, "main.cjs")).toBe("hello world");
  });

  test("the first program of the README", async () => {
    const readme = await readFile(join(root, "README.md"), "utf8");
    const [, program] = /## A first program\s+```ts\n([\s\S]+?)```/.exec(readme) ?? [];
    const { outputText } = ts.transpileModule(program as string, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const cwd = await project({ "main.mjs": outputText });
    expect(await node(cwd, "main.mjs")).toBe("hello world");
  });

  test("the protocol is there once, for the sockets and by itself", async () => {
    const cwd = await project({
      "main.mjs": `
        import { connect } from "node:net";
        import { Pair } from "purezmq";
        import { ProtocolError } from "purezmq/zmtp";
        const socket = new Pair();
        await socket.bind("tcp://127.0.0.1:*");
        const [, port] = /:(\\d+)$/.exec(socket.lastEndpoint);
        connect(port, "127.0.0.1").end("GET / HTTP/1.0\\r\\n\\r\\n");
        for await (const event of socket.events) {
          if (event.type !== "handshake:error:protocol") continue;
          console.log(event.error.cause instanceof ProtocolError);
          socket.close();
        }
      `,
    });
    expect(await node(cwd, "main.mjs")).toBe("true");
  });

  test("./zmtp both ways, with the same names", async () => {
    const cwd = await project({
      "main.cjs": `
        const required = Object.keys(require("purezmq/zmtp")).sort();
        import("purezmq/zmtp").then((imported) => {
          const names = Object.keys(imported).filter((name) => !/^(default|module\\.exports)$/.test(name));
          console.log(JSON.stringify({ required, imported: names.sort() }));
        });
      `,
    });
    const { required, imported } = JSON.parse(await node(cwd, "main.cjs"));
    expect(required).toEqual(imported);
    expect(required).toEqual(expect.arrayContaining(["Decoder", "Encoder", "ProtocolError"]));
  });

  test("./package.json both ways", async () => {
    const cwd = await project({
      "main.cjs": `console.log(require("purezmq/package.json").name);`,
      "main.mjs": `
        import { createRequire } from "node:module";
        import { readFileSync } from "node:fs";
        const path = createRequire(import.meta.url).resolve("purezmq/package.json");
        console.log(JSON.parse(readFileSync(path)).name);
      `,
    });
    expect(await node(cwd, "main.cjs")).toBe("purezmq");
    expect(await node(cwd, "main.mjs")).toBe("purezmq");
  });

  test("nothing but the entry points can be reached", async () => {
    const cwd = await project({ "main.cjs": `require("purezmq/dist/cjs/index.js");` });
    await expect(node(cwd, "main.cjs")).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  test("imported and required copies in one process are one library", async () => {
    const cwd = await project({
      "main.mjs": `
        import { createRequire } from "node:module";
        import * as imported from "purezmq";
        const required = createRequire(import.meta.url)("purezmq");
        console.log(imported.context === required.context);
        const one = new imported.Pair();
        const other = new required.Pair();
        await one.bind("inproc://shared");
        other.connect("inproc://shared");
        await other.send("across");
        console.log(String(await one.receive()));
        one.close();
        other.close();
      `,
    });
    expect(await node(cwd, "main.mjs")).toBe("true\nacross");
  });

  test("root exports are npm zeromq's, in its order", async () => {
    const cwd = await project({
      "main.cjs": `console.log(JSON.stringify(Object.keys(require("purezmq"))));`,
      "main.mjs": `
        import * as zmq from "purezmq";
        console.log(JSON.stringify(Object.keys(zmq)));
      `,
    });
    const theirs = Object.keys(require("zeromq"));
    const required = JSON.parse(await node(cwd, "main.cjs")) as string[];
    const imported = JSON.parse(await node(cwd, "main.mjs")) as string[];
    expect(required).toEqual(theirs.filter((name) => required.includes(name)));
    expect(required).toEqual(
      expect.arrayContaining(["capability", "context", "version", "Context", "Socket", "Pair"]),
    );
    expect(imported.filter((name) => name !== "default").sort()).toEqual([...required].sort());
  });

  test("Jest", async () => {
    const cwd = await project({
      "jest.config.json": JSON.stringify({ transform: {}, testEnvironment: "node" }),
      "user.test.js": `
        const { Pair } = require("purezmq");
        ${PASS_A_MESSAGE}
        test("inproc", async () => {
          expect(await passAMessage("inproc://jest")).toBe("hello world");
        });
        test("typed arrays of Jest's own realm", async () => {
          const one = new Pair();
          const other = new Pair();
          await one.bind("tcp://127.0.0.1:*");
          other.connect(one.lastEndpoint);
          await other.send([new Uint8Array([1, 2]), new ArrayBuffer(3), Buffer.from("4")]);
          const parts = await one.receive();
          expect(parts.map((part) => part.length)).toEqual([2, 3, 1]);
          one.close();
          other.close();
        });
      `,
    });
    const { stdout, stderr } = await execute(
      process.execPath,
      [jest, "--rootDir", cwd, "--config", join(cwd, "jest.config.json"), "--ci"],
      { cwd, timeout: 100_000 },
    ).catch((error: { stdout: string; stderr: string }) => error);
    expect(`${stdout}${stderr}`).toContain("2 passed, 2 total");
  });
});

describe("TypeScript", () => {
  const program = `
    import { type Context, Pair, context, version } from "purezmq";
    import * as zmtp from "purezmq/zmtp";

    async function main(): Promise<void> {
      const one = new Pair({ linger: 0 });
      const other = new Pair({ linger: 0 });
      const shared: Context = context;
      await one.bind("inproc://typescript");
      other.connect("inproc://typescript");
      await other.send(["hello", Buffer.from("world")]);
      const [first, second]: Buffer[] = await one.receive();
      one.close();
      other.close();
      if (shared !== context || typeof zmtp.ProtocolError !== "function") throw new Error(version);
      console.log(String(first), String(second));
    }

    void main();
  `;

  /** Compiles `main.ts` with TypeScript in `cwd` as its compiler options say, and runs it. */
  async function compileAndRun(type: string, compilerOptions: object): Promise<string> {
    const cwd = await project(
      {
        "main.ts": program,
        "tsconfig.json": JSON.stringify({
          compilerOptions: {
            target: "ES2022",
            lib: ["ES2022"],
            strict: true,
            outDir: "out",
            ...compilerOptions,
          },
          files: ["main.ts"],
        }),
      },
      type,
    );
    await mkdir(join(cwd, "node_modules/@types"));
    await symlink(nodeTypes, join(cwd, "node_modules/@types/node"), "junction");
    await node(cwd, tsc, "-p", cwd);
    return node(cwd, "out/main.js");
  }

  test("node16, CommonJS", async () => {
    expect(await compileAndRun("commonjs", { module: "node16" })).toBe("hello world");
  });

  test("node16, ES modules", async () => {
    expect(await compileAndRun("module", { module: "node16" })).toBe("hello world");
  });

  test("commonjs with the resolution of before exports maps", async () => {
    const options = { module: "commonjs", moduleResolution: "node10", ignoreDeprecations: "6.0" };
    expect(await compileAndRun("commonjs", options)).toBe("hello world");
  });

  test("declarations stand by themselves: strictest flags, libraries checked", async () => {
    const strictest = {
      module: "node16",
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
    };
    expect(await compileAndRun("commonjs", strictest)).toBe("hello world");
  });
});
