import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import * as CommandRunner from "../src/CommandRunner.js"
import * as ZoneName from "../src/ZoneName.js"
import * as ZoneRuntime from "../src/ZoneRuntime.js"
import * as scriptedHost from "./scriptedHost.js"

const zone = ZoneName.make("web-1")
const spec: ZoneRuntime.ZoneSpec = { zoneName: zone, zonepath: "/zones/web-1", brand: "ipkg", attributes: [], network: [], fileSystems: [], resources: {} }
const runtime = ZoneRuntime.layerWith({ readyTimeout: "10 seconds" })

/** A zone that runs and whose services are as `states` says, one after the other; the last one stays. */
const waiting = (states: ReadonlyArray<string>, onLook: (looks: number, host: ReturnType<typeof scriptedHost.make>) => void = () => undefined) => {
  let looks = 0
  const host = scriptedHost.make((line) => {
    if (!line.program.endsWith("/svcs")) return undefined
    onLook(looks, host)
    const state = states[Math.min(looks++, states.length - 1)] ?? ""
    return CommandRunner.result({ stdout: line.args.includes("-Z") ? `web-1 ${state}\n` : `${state}\n` })
  })
  host.put(zone, "running")
  const readiness = Effect.flatMap(ZoneRuntime.ZoneRuntime, (runtime) =>
    Effect.gen(function*() {
      const result = yield* Effect.either(runtime.provisionStep({ zone, foundations: [], spec: Effect.succeed(spec) }, "readiness"))
      return { result, millis: yield* Clock.currentTimeMillis }
    }))
  return scriptedHost.drive(readiness).pipe(Effect.provide(Layer.provide(runtime, host.layer)))
}

describe("waiting for a zone to be ready", () => {
  it.effect("ends when its service is online", () =>
    Effect.gen(function*() {
      const { millis, result } = yield* waiting(["offline", "offline", "online"])
      assert.strictEqual(result._tag, "Right")
      assert.isBelow(millis, 5_000)
    }))

  it.effect("ends after its time, when the zone runs and the service does not", () =>
    Effect.gen(function*() {
      const { millis, result } = yield* waiting(["offline"])
      assert.strictEqual(result._tag === "Left" ? result.left._tag : undefined, "ZoneNotReady")
      assert.isAtLeast(millis, 10_000)
    }))

  for (const state of ["installed", "shutting_down", "configured"]) {
    it.effect(`ends at once when the zone is seen ${state}`, () =>
      Effect.gen(function*() {
        const { millis, result } = yield* waiting(["offline"], (looks, host) => {
          if (looks === 1) host.put(zone, state)
        })
        assert.strictEqual(result._tag === "Left" ? result.left._tag : undefined, "ZoneWentDown")
        assert.include(result._tag === "Left" ? result.left.message : "", `it is ${state}`)
        assert.isBelow(millis, 5_000)
      }))
  }

  it.effect("goes on when the state of the zone cannot be seen", () =>
    Effect.gen(function*() {
      let looks = 0
      const host = scriptedHost.make((line) => {
        if (line.program.endsWith("/svcs")) return CommandRunner.result({ stdout: `${line.args.includes("-Z") ? "web-1 " : ""}${looks++ < 2 ? "offline" : "online"}\n` })
        return line.program.endsWith("/zoneadm") ? CommandRunner.result({ exitCode: 1, stderr: "zoneadm: door_call failed\n" }) : undefined
      })
      host.put(zone, "running")
      yield* scriptedHost.drive(Effect.flatMap(ZoneRuntime.ZoneRuntime, (runtime) =>
        runtime.provisionStep({ zone, foundations: [], spec: Effect.succeed(spec) }, "readiness"))).pipe(Effect.provide(Layer.provide(runtime, host.layer)))
      assert.isAbove(looks, 2)
    }))
})
