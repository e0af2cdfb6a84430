import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Either, Fiber, Layer } from "effect"
import * as CommandRunner from "../src/CommandRunner.js"
import type { HostError } from "../src/HostError.js"
import * as LinkName from "../src/LinkName.js"
import { toConfig } from "../src/internal/zoneSpecConfig.js"
import * as ZoneBrands from "../src/ZoneBrands.js"
import * as ZoneConfig from "../src/ZoneConfig.js"
import * as ZoneName from "../src/ZoneName.js"
import * as ZoneResources from "../src/ZoneResources.js"
import * as ZoneRuntime from "../src/ZoneRuntime.js"
import * as scriptedHost from "./scriptedHost.js"

const zone = ZoneName.make("web-1")
const spec: ZoneRuntime.ZoneSpec = {
  zoneName: zone,
  zonepath: "/zones/web-1",
  brand: "lx",
  attributes: [{ name: "reddwarf-uid", value: "u-1" }],
  network: [{ link: LinkName.make("rd_web_0"), address: "10.88.0.7/16", defaultRouter: "10.88.0.1" }],
  fileSystems: [],
  resources: ZoneResources.fromDemand({ serviceClass: "Burstable", cpuRequestMillis: 250, cpuLimitMillis: 500, memoryLimitBytes: 10 * 1024 * 1024 }),
  installArguments: ["-s", "/images/a.tar"]
}

/** The configuration an earlier run left behind. */
const script = Either.getOrThrow(Either.flatMap(toConfig(ZoneBrands.lx, spec), (config) => ZoneConfig.render(zone, config)))

const using = <A, E>(
  host: ReturnType<typeof scriptedHost.make>,
  use: (runtime: ZoneRuntime.ZoneRuntime["Type"]) => Effect.Effect<A, E>
) =>
  scriptedHost.drive(Effect.flatMap(ZoneRuntime.ZoneRuntime, use)).pipe(
    Effect.provide(Layer.provide(ZoneRuntime.layer, host.layer))
  )

describe("ZoneRuntime.ensureRunning", () => {
  const cases: ReadonlyArray<readonly [from: string, steps: ReadonlyArray<string>]> = [
    ["absent", ["apply", "install", "boot"]],
    ["configured", ["delete", "apply", "install", "boot"]],
    ["incomplete", ["uninstall", "delete", "apply", "install", "boot"]],
    ["installed", ["boot"]],
    ["ready", ["boot"]],
    ["running", []]
  ]
  for (const [from, steps] of cases) {
    it.effect(`from ${from}: ${steps.join(", ") || "nothing to do"}`, () =>
      Effect.gen(function*() {
        const host = scriptedHost.make()
        if (from !== "absent") host.put(zone, from, script)
        yield* using(host, (runtime) => runtime.ensureRunning(spec))
        assert.strictEqual(host.zones.get(zone)?.state, "running")
        assert.deepStrictEqual(host.changes(), [...steps])
      }))
  }

  it.effect("waits for a zone that is going down, and does not believe that it is booted", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make()
      host.put(zone, "running", script)
      yield* using(host, (runtime) =>
        Effect.gen(function*() {
          const halting = yield* Effect.fork(runtime.halt(zone))
          yield* Effect.yieldNow()
          yield* runtime.ensureRunning(spec)
          yield* Fiber.join(halting)
        }))
      assert.strictEqual(host.zones.get(zone)?.state, "running")
      assert.deepStrictEqual(host.changes(), ["halt", "boot"])
    }))

  it.effect("writes caps that zonecfg accepts, and the attributes", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make()
      const attributes = yield* using(host, (runtime) =>
        Effect.zipRight(runtime.ensureRunning(spec), runtime.attributes(zone)))
      assert.deepStrictEqual(attributes, { "reddwarf-uid": "u-1" })
      const script = host.zones.get(zone)?.script ?? ""
      assert.include(script, "set ncpus=0.50\n")
      assert.include(script, "set physical=10M\nset swap=50M\nset locked=10M\n")
      assert.match(script, /^set scheduling-class="?FSS"?$/m)
      assert.match(script, /^set cpu-shares=256$/m)
      assert.include(script, "set autoboot=false\n")
      const install = host.journal.find((line) => line.args[2] === "install")
      assert.deepStrictEqual(install?.args, ["-z", zone, "install", "-s", "/images/a.tar"])
    }))

  it.effect("keeps the old configuration when the new one cannot be written", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make()
      host.put(zone, "configured")
      const error = yield* Effect.flip(using(host, (runtime) => runtime.ensureRunning({ ...spec, zonepath: "relative" })))
      assert.strictEqual(error._tag, "ZoneConfigRejected")
      assert.deepStrictEqual(host.changes(), [])
    }))

  it.effect("tries again while another zoneadm holds the lock, and gives up in the end", () =>
    Effect.gen(function*() {
      let refusals = 3
      const locked = CommandRunner.result({
        exitCode: 1,
        stderr: "zoneadm: zone 'web-1': another zoneadm may have an operation in progress.\n"
      })
      const host = scriptedHost.make((line) => line.args[2] === "boot" && refusals-- > 0 ? locked : undefined)
      host.put(zone, "installed")
      yield* using(host, (runtime) => runtime.boot(zone))
      assert.deepStrictEqual(host.changes(), ["boot", "boot", "boot", "boot"])

      const busy = scriptedHost.make((line) => line.args[2] === "boot" ? locked : undefined)
      busy.put(zone, "installed")
      const error = yield* Effect.flip(using(busy, (runtime) => runtime.boot(zone)))
      assert.strictEqual(error._tag, "ZoneLocked")
      assert.isBelow(busy.journal.length, 60)
    }))

  it.effect("says so when a boot was accepted but the zone is halted again", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make((line) => line.args[2] === "boot" ? CommandRunner.result() : undefined)
      host.put(zone, "installed")
      const error = yield* Effect.flip(using(host, (runtime) => runtime.boot(zone)))
      assert.include(error.message, "halted again")
    }))

  it.effect("leaves a zone alone that package tools have mounted", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make()
      host.put(zone, "mounted")
      assert.strictEqual((yield* Effect.flip(using(host, (runtime) => runtime.ensureRunning(spec))))._tag, "WrongZoneState")
      assert.strictEqual((yield* Effect.flip(using(host, (runtime) => runtime.ensureRemoved(zone))))._tag, "WrongZoneState")
      assert.deepStrictEqual(host.changes(), [])
    }))
})

describe("ZoneRuntime.ensureRemoved", () => {
  const cases: ReadonlyArray<readonly [from: string, steps: ReadonlyArray<string>]> = [
    ["absent", []],
    ["configured", ["delete"]],
    ["incomplete", ["uninstall", "delete"]],
    ["installed", ["uninstall", "delete"]],
    ["ready", ["halt", "uninstall", "delete"]],
    ["running", ["halt", "uninstall", "delete"]]
  ]
  for (const [from, steps] of cases) {
    it.effect(`from ${from}: ${steps.join(", ") || "nothing to do"}`, () =>
      Effect.gen(function*() {
        const host = scriptedHost.make()
        if (from !== "absent") host.put(zone, from)
        yield* using(host, (runtime) => runtime.ensureRemoved(zone))
        assert.strictEqual(host.zones.size, 0)
        assert.deepStrictEqual(host.changes(), [...steps])
      }))
  }

  it.effect("halts a zone that stays in shutting_down once more, then gives up and changes nothing there", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make()
      host.put(zone, "shutting_down")
      const error = yield* Effect.flip(using(host, (runtime) => runtime.ensureRemoved(zone)))
      assert.strictEqual(error._tag, "ZoneStuck")
      assert.include(error.message, "still shutting_down after 2m, processes 4711 are left in it")
      assert.deepStrictEqual(host.changes(), ["halt"])
    }))
})

describe("ZoneRuntime", () => {
  it.effect("halts a zone that does not shut down in time", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make((line) =>
        line.args[2] === "shutdown"
          ? CommandRunner.result({ exitCode: 1, stderr: "zone 'web-1': unable to shutdown zone\n" })
          : undefined
      )
      host.put(zone, "running")
      yield* using(host, (runtime) => runtime.shutdown(zone, { timeout: "10 seconds" }))
      assert.strictEqual(host.zones.get(zone)?.state, "installed")
      assert.deepStrictEqual(host.changes(), ["shutdown", "halt"])
      assert.strictEqual(host.journal.find((line) => line.args[2] === "shutdown")?.timeout, "10 seconds")
    }))

  it.effect("does not halt a zone that shut down by itself, nor one that is halted", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make()
      host.put(zone, "running")
      yield* using(host, (runtime) =>
        Effect.all([runtime.shutdown(zone, { timeout: "10 seconds" }), runtime.shutdown(zone, { timeout: "1 second" })]))
      assert.deepStrictEqual(host.changes(), ["shutdown"])
    }))

  it.effect("says which step is missing", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make()
      const tag = (use: (runtime: ZoneRuntime.ZoneRuntime["Type"]) => Effect.Effect<void, HostError>) =>
        Effect.map(Effect.flip(using(host, use)), (error) => error._tag)
      assert.strictEqual(yield* tag((runtime) => runtime.boot(zone)), "ZoneNotFound")
      assert.strictEqual(yield* tag((runtime) => runtime.install(zone, [])), "ZoneNotFound")
      assert.strictEqual(yield* tag((runtime) => runtime.halt(zone)), "ZoneNotFound")
      host.put(zone, "installed")
      assert.strictEqual(yield* tag((runtime) => runtime.configure(spec)), "ZoneAlreadyExists")
      assert.strictEqual(yield* tag((runtime) => runtime.remove(zone)), "WrongZoneState")
      host.put(zone, "running")
      assert.strictEqual(yield* tag((runtime) => runtime.uninstall(zone)), "WrongZoneState")
    }))

  it.effect("lists every zone but the global one", () =>
    Effect.gen(function*() {
      const host = scriptedHost.make()
      host.put("a", "installed")
      host.put("b", "unmounting")
      const list = yield* using(host, (runtime) => runtime.list)
      assert.deepStrictEqual(list.map(({ name, state }) => `${name} ${state}`), ["a installed", "b transient"])
    }))

  it.effect("makes operations on one zone wait, but not those on other zones", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const order: Array<string> = []
      const runner = CommandRunner.layerTest((line) => {
        const [, name, command] = line.args
        if (command === "list") return CommandRunner.result({ stdout: `-:${name}:installed:/z::lx:excl\n` })
        order.push(`${command} ${name}`)
        const answer = CommandRunner.result({ exitCode: 1, stderr: "broken" })
        return name === "a" && command === "boot" ? Effect.as(Deferred.await(gate), answer) : Effect.succeed(answer)
      })
      yield* Effect.gen(function*() {
        const runtime = yield* ZoneRuntime.ZoneRuntime
        const [a, b] = [ZoneName.make("a"), ZoneName.make("b")]
        const first = yield* Effect.fork(Effect.exit(runtime.boot(a)))
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        const second = yield* Effect.fork(Effect.exit(runtime.uninstall(a)))
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        yield* Effect.exit(runtime.boot(b))
        assert.deepStrictEqual(order, ["boot a", "boot b"])
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(first)
        yield* Fiber.join(second)
        assert.deepStrictEqual(order, ["boot a", "boot b", "uninstall a"])
      }).pipe(Effect.provide(Layer.provide(ZoneRuntime.layer, runner)))
    }))

  it.effect("runs no more changing commands side by side than allowed", () =>
    Effect.gen(function*() {
      let running = 0
      let most = 0
      const zones = Array.from({ length: 20 }, (_, index) => ZoneName.make(`z${index}`))
      const rows = (names: ReadonlyArray<string>) => CommandRunner.result({ stdout: names.map((name) => `-:${name}:configured:/z::lx:excl\n`).join("") })
      const runner = CommandRunner.layerTest((line) => {
        if (line.args[0] === "list") return rows(zones)
        if (line.args[2] === "list") return rows([line.args[1] ?? ""])
        return Effect.gen(function*() {
          running += 1
          most = Math.max(most, running)
          yield* Effect.repeatN(Effect.yieldNow(), 5)
          running -= 1
          return CommandRunner.result({ exitCode: 1, stderr: "broken" })
        })
      })
      yield* Effect.gen(function*() {
        const runtime = yield* ZoneRuntime.ZoneRuntime
        yield* Effect.forEach(zones, (name) => Effect.exit(runtime.install(name, [])), { concurrency: 20, discard: true })
      }).pipe(Effect.provide(Layer.provide(ZoneRuntime.layerWith({ concurrency: 3 }), runner)))
      assert.strictEqual(most, 3)
    }))
})
