import { SimulatedHost } from "@reddwarf/illumos-sim"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Context, Effect, Layer } from "effect"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { DatasetName } from "../src/index.js"
import * as zfsFuse from "./zfsFuse.js"

/** What not every ZFS can do, or does in its own way. */
export type Feature =
  /** Volumes. */
  | "volumes"
  /** `list -p`, `get -t`, snapshot ranges, `destroy -n`, several properties or snapshots in one command. */
  | "modern"
  /** `holds` and `allow` print something. */
  | "holds"
  /** `receive -s` and resume tokens. */
  | "resume"
  /** Values that came with a stream can be read with `-o received`. */
  | "received"

/** A ZFS to test against: which pool, where its file systems may be mounted, and how files in them are written and read. */
export class TestZfs extends Context.Tag("test/TestZfs")<TestZfs, {
  readonly pool: DatasetName.DatasetName
  readonly root: string
  readonly write: (path: string, content: string) => Effect.Effect<void, CommandRunner.CommandUnavailable>
  /** `undefined` when there is no such file. */
  readonly read: (path: string) => Effect.Effect<string | undefined, CommandRunner.CommandUnavailable>
}>() {}

export interface Backend {
  readonly name: string
  readonly layer: Layer.Layer<CommandRunner.CommandRunner | TestZfs>
  readonly features: ReadonlySet<Feature>
  /** Refusals have exit status 1. OpenZFS has others as well. */
  readonly plainStatus: boolean
  /** Why it cannot be tested here. */
  readonly missing?: string | undefined
}

const everything: ReadonlySet<Feature> = new Set(["volumes", "modern", "holds", "resume", "received"])

/** Files by way of the host's own programs. */
const byPrograms = (pool: string, root: string) =>
  Effect.map(CommandRunner.CommandRunner, (runner) =>
    TestZfs.of({
      pool: DatasetName.make(pool),
      root,
      write: (path, content) =>
        Effect.asVoid(runner.run({ program: "/bin/sh", args: ["-c", "cat >\"$1\"", "sh", path], stdin: content })),
      read: (path) => Effect.map(runner.run(CommandLine.make("/bin/cat", path)), (done) => done.exitCode === 0 ? done.stdout : undefined)
    }))

/** Memory where there is such a folder. */
const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(parent, "storage-zfs-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The simulated host. */
export const simulated: Backend = {
  name: "the simulated host",
  features: everything,
  plainStatus: true,
  layer: Layer.unwrapScoped(Effect.map(folder, (directory) => {
    const host = SimulatedHost.layerWithControls({ directory, pools: [{ name: "tpool", size: 512 * 1024 ** 2 }] })
    const files = Layer.effect(
      TestZfs,
      Effect.gen(function*() {
        const { realPath } = yield* SimulatedHost.SimulatedHost
        const fs = yield* Effect.promise(() => import("node:fs"))
        yield* (yield* CommandRunner.CommandRunner).run(CommandLine.make("/usr/sbin/zfs", "set", "mountpoint=none", "tpool"))
        return TestZfs.of({
          pool: DatasetName.make("tpool"),
          root: "/test",
          write: (path, content) => Effect.sync(() => fs.writeFileSync(realPath(path), content)),
          read: (path) => Effect.sync(() => existsSync(realPath(path)) ? fs.readFileSync(realPath(path), "utf8") : undefined)
        })
      })
    )
    return files.pipe(Layer.provideMerge(host), Layer.orDie)
  }))
}

/** A zfs-fuse daemon with a pool of its own. */
export const fuse: Backend = {
  name: "zfs-fuse",
  features: new Set(["received"]),
  plainStatus: true,
  missing: zfsFuse.missing,
  layer: Layer.effect(TestZfs, Effect.flatMap(zfsFuse.ZfsRoot, (root) => byPrograms("tpool", root))).pipe(
    Layer.provideMerge(zfsFuse.layer),
    Layer.orDie
  )
}

const ownPool = process.env["REDDWARF_ZFS_POOL"]

/** The `zfs` in PATH, with the empty pool that `REDDWARF_ZFS_POOL` names. */
export const inPath: Backend = {
  name: "zfs in PATH",
  features: everything,
  plainStatus: false,
  missing: ownPool === undefined || ownPool === "" ? "REDDWARF_ZFS_POOL names no pool" : undefined,
  layer: Layer.unwrapScoped(Effect.map(folder, (root) => {
    const path = process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    const runner = Layer.map(
      CommandRunner.layerWith({ environment: { PATH: path, LC_ALL: "C" } }),
      (context) => {
        const found = Context.get(context, CommandRunner.CommandRunner)
        // The system's own zfs need not be where illumos has it.
        const line = (given: CommandLine.CommandLine) => ({ ...given, program: basename(given.program) })
        return Context.make(CommandRunner.CommandRunner, {
          ...found,
          run: (given) => found.run(line(given)),
          start: (given, options) => found.start(line(given), options)
        })
      }
    )
    const files = Layer.effect(
      TestZfs,
      Effect.gen(function*() {
        const { run } = yield* CommandRunner.CommandRunner
        const present = yield* run(CommandLine.make("zfs", "list", "-H", "-o", "name", "-r", ownPool ?? ""))
        // Everything below the pool is destroyed now and then: it must be ours.
        if (present.exitCode !== 0 || present.stdout.trim() !== ownPool) {
          return yield* Effect.dieMessage(`REDDWARF_ZFS_POOL: ${ownPool ?? ""} must be a pool without datasets: ${present.stderr}${present.stdout}`)
        }
        return yield* byPrograms(ownPool ?? "", root)
      })
    )
    return files.pipe(Layer.provideMerge(runner), Layer.provide(NodeContext.layer), Layer.orDie)
  }))
}
