import { assert, describe, it } from "@effect/vitest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import type { CoreV1 } from "@reddwarf/api-types"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { Ipam } from "@reddwarf/ipam"
import { type CommandLine, CommandRunner, NetworkRuntime, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { DatasetName, StorageEngine } from "@reddwarf/storage-zfs"
import { Deferred, Effect, Either, Fiber, Layer, Option, TestClock } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { turn } from "vitest-config/waiting"
import { NodeAgentOptions, PodSandbox, type SandboxSteps, StaticPod } from "../src/index.js"

const parent = fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir()

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(parent, "sandbox-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

const options = NodeAgentOptions.resolve({ nodeName: "n1", dataDir: "/unused", clusterId: "test", nodeAddress: "127.0.0.1" })

const pod: CoreV1.Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web",
    namespace: "default",
    uid: "0f4ac1d2-1f2c-4e0a-9d0e-0b5f3f7b0a11",
    annotations: { "kubernetes.io/egress-bandwidth": "10M" }
  },
  spec: { containers: [{ name: "c", image: "i", resources: { limits: { cpu: "500m", memory: "128Mi", "ephemeral-storage": "1Gi" } } }] }
}
const identity = PodSandbox.identityOf(pod)

/** What happens to one command of the agent, instead of or beside its running. */
type Tap = (line: CommandLine.CommandLine, run: CommandRunner.CommandRunner["Type"]["run"]) => ReturnType<CommandRunner.CommandRunner["Type"]["run"]>

const agent = (folder: string, tap: Tap) => {
  const host = SimulatedHost.layerWithControls({ directory: path.join(folder, "host"), memoryMiB: 4096, cpus: 4, shutdownGrace: 0 })
  const runner = Layer.effect(
    CommandRunner.CommandRunner,
    Effect.map(CommandRunner.CommandRunner, (inner) => CommandRunner.CommandRunner.of({ ...inner, run: (line) => Effect.suspend(() => tap(line, inner.run)) }))
  )
  return PodSandbox.layer(options).pipe(
    Layer.provideMerge(Layer.mergeAll(
      NetworkRuntime.layer,
      ZoneRuntime.layer,
      StorageEngine.layerZfs({ root: DatasetName.make("rpool/reddwarf") }),
      Ipam.layerFile({ cidr: "10.88.0.0/24", path: path.join(folder, "leases.json") })
    )),
    Layer.provide(runner),
    Layer.provideMerge(host),
    Layer.provide(NodeContext.layer)
  )
}

type Agent = Layer.Layer.Success<ReturnType<typeof agent>>

/** One life of an agent on the host in the folder. */
const life = <A, E>(folder: string, use: Effect.Effect<A, E, Agent>, tap: Tap = (line, run) => run(line)) => Effect.provide(use, agent(folder, tap))

/**
 * Lets the clock of the test go on until the effect has ended: a little at first, then past any time limit. Most needs no time at all, and
 * every move of the clock costs some of the real one.
 */
const drive = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    for (let step = 0; step < 2_000; step++) {
      for (let count = 0; count < 3; count++) {
        yield* Effect.repeatN(Effect.yieldNow(), 10)
        yield* turn
      }
      if (Option.isSome(yield* Fiber.poll(fiber))) break
      if (step > 20) yield* TestClock.adjust(step < 24 ? "10 millis" : "4 minutes")
    }
    return yield* Fiber.join(fiber)
  })

/** The steps of a plan that brings a zone up, in its order. */
const steps: ReadonlyArray<SandboxSteps.StepName> = ["dataset", "link", "configuration", "installation", "boot", "readiness", "protection"]

const bring = (pod: CoreV1.Pod) =>
  Effect.gen(function*() {
    const sandbox = yield* PodSandbox.PodSandbox
    const { step } = yield* sandbox.bringing(pod, yield* sandbox.address(pod), [])
    yield* Effect.forEach(steps, step, { discard: true })
  })
const up = bring(pod)
/** As a plan ends it: what a zone that is still there stands on is kept, and all else is removed whatever fails. */
const down = Effect.gen(function*() {
  const sandbox = yield* PodSandbox.PodSandbox
  const remove = (name: SandboxSteps.RemovalName) => sandbox.removeStep(identity, name)
  yield* Effect.forEach(["boot", "installation", "configuration"] as const, remove, { discard: true })
  yield* Effect.validateAll(["link", "address", "dataset"] as const, remove, { discard: true })
})
const prepare = Effect.flatMap(PodSandbox.PodSandbox, (sandbox) => sandbox.prepareHost)

/** Everything in the host's file system; its `/tmp` is made with the first temporary file and stays. */
const files = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name !== "tmp").sort()

/** Everything that could be left behind. */
const look = Effect.gen(function*() {
  const host = yield* SimulatedHost.SimulatedHost
  const { datasets, interfaces, links, zones } = yield* host.state
  return {
    zones,
    links,
    interfaces,
    datasets: datasets.map(({ local, mounted, name }) => ({ name, local, mounted })),
    files: files(host.realPath("/"))
  }
})
const leases = Effect.flatMap(Ipam.Ipam, (ipam) => ipam.list)

const zoneState = Effect.gen(function*() {
  const zones = yield* ZoneRuntime.ZoneRuntime
  return (yield* zones.list).map(({ state }) => state)
})

/** What becomes of the command at which the agent dies. */
const deaths = {
  "before it": (_line: CommandLine.CommandLine, _run: CommandRunner.CommandRunner["Type"]["run"]) => Effect.void,
  "after it": (line: CommandLine.CommandLine, run: CommandRunner.CommandRunner["Type"]["run"]) => Effect.asVoid(Effect.exit(run(line)))
} as const

/** Runs a life until the command with this number, and ends it there as a kill would: nothing of it goes on, nothing is taken back. */
const killedAt = <E>(folder: string, use: Effect.Effect<void, E, Agent>, number: number, death: keyof typeof deaths) =>
  Effect.gen(function*() {
    const dead = yield* Deferred.make<"dead" | "alive">()
    let count = 0
    const fiber = yield* life(folder, use, (line, run) => {
      if (count++ !== number) return run(line)
      return deaths[death](line, run).pipe(Effect.zipRight(Deferred.succeed(dead, "dead" as const)), Effect.zipRight(Effect.never))
    }).pipe(Effect.exit, Effect.zipRight(Deferred.succeed(dead, "alive" as const)), Effect.fork)
    const outcome = yield* Deferred.await(dead)
    yield* Fiber.interrupt(fiber)
    return outcome
  })

const zoneAttributes = Effect.gen(function*() {
  const zones = yield* ZoneRuntime.ZoneRuntime
  const [zone] = yield* zones.list
  return zone === undefined ? {} : yield* zones.attributes(zone.name)
})

describe("PodSandbox", () => {
  it.scoped("marks a zone with where its pod came from", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      yield* drive(life(folder, Effect.zipRight(prepare, up)))
      assert.strictEqual((yield* drive(life(folder, zoneAttributes)))[NodeAgentOptions.attributeNames.source], "api")
      yield* drive(life(folder, down))
      const manifest = { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec: pod.spec }
      const fixed = Either.getOrThrow(StaticPod.of(manifest, "n1"))
      yield* drive(life(folder, bring(fixed)))
      assert.strictEqual((yield* drive(life(folder, zoneAttributes)))[NodeAgentOptions.attributeNames.source], "static")
    }))

  for (const [what, before, act] of [["brought up", Effect.void, up], ["removed", up, down]] as const) {
    for (const death of ["before it", "after it"] as const) {
      it.scoped(`is ${what} and leaves nothing behind, at whichever command the agent was killed (${death})`, () =>
        Effect.gen(function*() {
          const folder = yield* directory
          const initial = yield* drive(life(folder, Effect.zipRight(prepare, look)))
          let points = 0
          for (let number = 0; number < 100; number++) {
            yield* drive(life(folder, before))
            if ((yield* drive(killedAt(folder, act, number, death))) === "alive") break
            points += 1
            if (act === up) {
              yield* drive(life(folder, up))
              assert.deepStrictEqual(yield* life(folder, zoneState), ["running"], `after command ${number}`)
            }
            yield* drive(life(folder, down))
            assert.deepStrictEqual(yield* life(folder, look), initial, `after command ${number}`)
            assert.deepStrictEqual(yield* life(folder, leases), [])
          }
          assert.isAtLeast(points, 5)
        }), 120_000)
    }
  }

  it.scoped("goes on where an attempt failed, at whichever command, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const initial = yield* drive(life(folder, Effect.zipRight(prepare, look)))
      let failures = 0
      for (let number = 0; number < 100; number++) {
        let count = 0
        const refused = CommandRunner.result({ exitCode: 1, stderr: "something is wrong with this host\n" })
        const outcome = yield* drive(life(folder, Effect.either(up), (line, run) => count++ === number ? Effect.succeed(refused) : run(line)))
        if (Either.isLeft(outcome)) {
          failures += 1
          if (number % 2 === 0) {
            yield* drive(life(folder, up))
            assert.deepStrictEqual(yield* life(folder, zoneState), ["running"], `command ${number}: ${outcome.left.message}`)
          }
        }
        yield* drive(life(folder, down))
        assert.deepStrictEqual(yield* life(folder, look), initial, `command ${number}`)
        if (count <= number) break
      }
      assert.isAtLeast(failures, 5)
    }), 120_000)

  it.scoped("converges when any command hangs, however long its time limit is", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const initial = yield* drive(life(folder, Effect.zipRight(prepare, look)))
      let hangs = 0
      for (let number = 0; number < 100; number++) {
        let count = 0
        const hanging: Tap = (line, run) => {
          if (count++ !== number) return run(line)
          hangs += 1
          const error = new CommandRunner.CommandUnavailable({ program: line.program, args: [...line.args], reason: "Timeout", detail: "it hung" })
          return Effect.zipRight(Effect.sleep(line.timeout ?? "60 seconds"), Effect.fail(error))
        }
        yield* drive(Effect.exit(life(folder, Effect.zipRight(up, down), hanging)))
        yield* drive(life(folder, up))
        assert.deepStrictEqual(yield* life(folder, zoneState), ["running"], `command ${number}`)
        yield* drive(life(folder, down))
        assert.deepStrictEqual(yield* life(folder, look), initial, `command ${number}`)
        if (count <= number) break
      }
      assert.isAtLeast(hangs, 10)
    }), 120_000)
})
