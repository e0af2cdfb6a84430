import { assert, describe, it } from "@effect/vitest"
import { ZoneCfg, ZoneConfig, ZoneConfigDiff, ZoneConfigExport, ZoneConfigInfo, ZoneName } from "@reddwarf/runtime-illumos"
import { Effect, Either, FastCheck as fc } from "effect"
import { zoneConfig } from "@reddwarf/runtime-illumos/testing"
import { host } from "./support.js"

const name = ZoneName.make("z")

for (const dialect of ["gate", "omnios"] as const) {
  describe(`the model of a zone configuration on ${dialect}`, () => {
    it.scopedLive("is what the host stores, and a difference applied gives exactly the other one", () =>
      Effect.gen(function*() {
        const target = yield* host({ dialect })
        const runtime = yield* Effect.runtime()
        const zonecfg = ZoneCfg.make({ run: target.run, start: target.start, tempFile: target.tempFile }, { dialect })
        const stored = Effect.map(target.command("zonecfg", "-z", name, "export"), ({ stdout }) => Either.getOrThrow(ZoneConfigExport.read(name, stdout)))
        const apply = (script: string) => target.script(name, script.trimEnd().split("\n"))
        const quiet = { exitCode: 0, stdout: "", stderr: "" }

        const check = (from: ZoneConfig.ZoneConfig, to: ZoneConfig.ZoneConfig) =>
          Effect.gen(function*() {
            // An example that failed leaves its zone behind, and the search for a smaller one goes on.
            yield* target.command("zonecfg", "-z", name, "delete", "-F")
            yield* zonecfg.create(name, from)
            assert.deepStrictEqual(ZoneConfig.normalize((yield* stored).config), ZoneConfig.normalize(from))
            const info = Either.getOrThrow(ZoneConfigInfo.read(name, yield* zonecfg.info(name)))
            assert.deepStrictEqual(info.unknown, [])
            // Only the cap that illumos-gate stores in no resource control is rounded.
            const { cappedMemory: rounded, ...shown } = ZoneConfig.normalize(info.config)
            const { cappedMemory: exact, ...wanted } = ZoneConfig.normalize(from)
            assert.deepStrictEqual(shown, wanted)
            assert.deepStrictEqual(Object.keys(rounded ?? {}), Object.keys(exact ?? {}))

            const script = Either.getOrThrow(ZoneConfigDiff.script(name, (yield* stored).config, to, { dialect, installed: false }))
            if (script !== undefined) assert.deepStrictEqual(yield* apply(script), quiet)
            const after = yield* stored
            assert.deepStrictEqual(after.unknown, [])
            assert.deepStrictEqual(ZoneConfig.normalize(after.config), ZoneConfig.normalize(to))
            assert.isFalse(yield* zonecfg.update(name, to))
            yield* zonecfg.delete(name)
          })

        yield* Effect.tryPromise(() =>
          fc.assert(
            fc.asyncProperty(zoneConfig(dialect), zoneConfig(dialect), (from, to) =>
              Effect.provide(check(from, to), runtime).pipe(Effect.runPromise)),
            process.env["REDDWARF_PROPERTY_RUNS"] === undefined ? { numRuns: 60 } : {}
          )
        )
      }), 600_000)
  })
}
