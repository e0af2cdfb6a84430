import { assert, describe, it } from "@effect/vitest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import type { CoreV1 } from "@reddwarf/api-types"
import { CrashPoint, SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { DatasetName, StorageEngine } from "@reddwarf/storage-zfs"
import type { ContainerRoots, RootBeginnings } from "@reddwarf/node-agent"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as SandboxContainerRoots from "../src/pod/SandboxContainerRoots.js"
import * as h from "./support/harness.js"

type Runner = Context.Tag.Service<CommandRunner.CommandRunner>

const image = DatasetName.make("rpool/reddwarf/images/app")
const zone = "default-p-1"
const pod: CoreV1.Pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "default", uid: "u-1" }, spec: { containers: [{ name: "c" }] } }

const root: ContainerRoots.ContainerRoot = {
  container: "c",
  name: "c.1",
  image: "app",
  snapshot: DatasetName.snapshot(image, "layer"),
  path: "/var/reddwarf-roots/c",
  readOnly: false,
  shows: ["/dev", "/proc"],
  workingDirectory: "/"
}
const readOnly = { ...root, container: "r", name: "r.1", path: "/var/reddwarf-roots/r", readOnly: true }

/** The agent's step, with what it told the supervisor. */
const ensure = (runner: Runner, ...more: ReadonlyArray<ContainerRoots.ContainerRoot>) =>
  Effect.gen(function*() {
    const told: Array<ReadonlyArray<RootBeginnings.RootBeginning>> = []
    const storage = yield* StorageEngine.StorageEngine
    const zones = yield* ZoneRuntime.ZoneRuntime
    const dataset = yield* storage.ensureZoneDataset({ zone, uid: "u-1" })
    yield* SandboxContainerRoots.ensure({ runner, storage, zones }, dataset, {
      pod,
      uid: "u-1",
      roots: [root, ...more],
      fileSystems: [{ dir: `${root.path}/data`, special: "/", type: "lofs", options: [] }],
      names: { addresses: ["10.0.0.2"], clusterDomain: "cluster.local", dns: undefined },
      remember: (beginnings) => Effect.sync(() => void told.push(beginnings))
    })
    return told
  }).pipe(Effect.provide(
    Layer.mergeAll(StorageEngine.layerZfs({ root: DatasetName.make("rpool/reddwarf") }), ZoneRuntime.layer).pipe(
      Layer.provide(Layer.succeed(CommandRunner.CommandRunner, runner)),
      Layer.provide(NodeContext.layer)
    )
  ))

/** A host with the image, and the roots in their place. */
const prepared = Effect.gen(function*() {
  const { hostDir } = yield* h.directories
  const context = yield* Layer.build(SimulatedHost.layerWithControls({ directory: hostDir }))
  const runner = Context.get(context, CommandRunner.CommandRunner)
  const { realPath } = Context.get(context, SimulatedHost.SimulatedHost)
  const zfs = (...args: ReadonlyArray<string>) =>
    Effect.flatMap(runner.run(CommandLine.make("/usr/sbin/zfs", ...args)), ({ exitCode, stderr, stdout }) =>
      exitCode === 0 ? Effect.succeed(stdout) : Effect.dieMessage(stderr))
  yield* zfs("create", "-p", "rpool/reddwarf/zones")
  yield* zfs("create", "-p", image)
  mkdirSync(join(realPath(`/${image}`), "root/etc"), { recursive: true })
  writeFileSync(join(realPath(`/${image}`), "root/given"), "by the image")
  yield* zfs("snapshot", root.snapshot)
  const files = join(realPath(`/rpool/reddwarf/zones/${zone}/root-c.1`), "root")
  return { runner, zfs, files }
})

/** What a container does to its root; the last one is what the files of the agent must not be written through. */
const spoil = (files: string): void => {
  writeFileSync(join(files, "own"), "left behind")
  unlinkSync(join(files, "given"))
  unlinkSync(join(files, "etc/hosts"))
  symlinkSync(".", join(files, "etc/hosts"))
}

const isFresh = (files: string): void => {
  assert.deepStrictEqual(readdirSync(files).sort(), ["data", "dev", "etc", "given", "proc"])
  assert.include(readFileSync(join(files, "etc/hosts"), "utf8"), "10.0.0.2")
}

describe("the roots of a zone that boots again", () => {
  it.live("are what they began with, and the supervisor is told before it boots", () =>
    Effect.gen(function*() {
      const { files, runner, zfs } = yield* prepared
      const snapshot = `rpool/reddwarf/zones/${zone}/root-c.1@beginning`
      for (const _ of [1, 2]) {
        const told = yield* ensure(runner, readOnly)
        assert.deepStrictEqual(told.map((roots) => roots.map(({ container, snapshot }) => [container, snapshot])), [[["c", snapshot]]])
        isFresh(files)
        spoil(files)
        yield* zfs("rollback", snapshot)
        isFresh(files)
        spoil(files)
      }
      // Nobody can write to it, so there is nothing to make fresh.
      assert.notInclude(yield* zfs("list", "-H", "-o", "name", "-t", "snapshot"), "root-r.1@")
    }).pipe(Effect.scoped), 60_000)

  for (const moment of CrashPoint.moments) {
    it.live(`are fresh whenever the agent was killed on the way (killed ${moment} a command)`, () =>
      Effect.gen(function*() {
        const { files, runner, zfs } = yield* prepared
        const points = yield* CrashPoint.inTurn(moment, (point) =>
          Effect.gen(function*() {
            yield* ensure(runner)
            spoil(files)
            if (!(yield* CrashPoint.isReached(ensure(CrashPoint.runner(runner, point))))) return false
            const [told] = yield* ensure(runner)
            isFresh(files)
            spoil(files)
            yield* zfs("rollback", told?.[0]?.snapshot ?? "")
            isFresh(files)
            return true
          }))
        assert.isAbove(points, 8)
        assert.isFalse(existsSync(join(files, "own")))
      }).pipe(Effect.scoped), 120_000)
  }
})
