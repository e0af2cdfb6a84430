/** Companion services on a systemd that is a table. */
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { CompanionRepair, SystemdCompanions } from "@reddwarf/node-agent"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { companion, none, owner } from "./support/companions.js"
import { directories } from "./support/harness.js"

/** A systemd that remembers what it was told. */
const systemd = Effect.gen(function*() {
  const { dataDir } = yield* directories
  const unit = join(dataDir, "reddwarf-node-health.service")
  const lines: Array<string> = []
  const manager = { loaded: "", active: "inactive", masked: false, verified: true }
  const runner = CommandRunner.layerTest((line) => {
    const [verb = ""] = line.args
    const said = [line.program.split("/").at(-1), ...line.args].join(" ")
    lines.push(said)
    const disk = existsSync(unit) ? readFileSync(unit, "utf8") : ""
    if (verb === "show") {
      const load = manager.masked ? "masked" : manager.loaded === "" ? "not-found" : "loaded"
      return CommandRunner.result({ stdout: `LoadState=${load}\nActiveState=${manager.active}\nSubState=x\nUnitFileState=enabled\nNeedDaemonReload=${manager.loaded === disk ? "no" : "yes"}\n` })
    }
    if (verb === "daemon-reload") manager.loaded = disk
    if (verb === "enable" || verb === "start" || verb === "restart") manager.active = "active"
    if (verb === "disable") manager.active = "inactive"
    return verb === "verify" && !manager.verified ? CommandRunner.result({ exitCode: 1, stderr: "bad unit" }) : CommandRunner.result()
  })
  const services = yield* SystemdCompanions.make({ owner, folder: dataDir }).pipe(Effect.provide(Layer.merge(runner, NodeContext.layer)))
  return { unit, lines, manager, services, repair: CompanionRepair.make({ services, node: [companion()] }) }
})

describe("on systemd", () => {
  it("a unit: words quoted, signs of systemd escaped, its own hash in the first line", () => {
    const { content } = Either.getOrThrow(SystemdCompanions.render(companion({ template: { description: "a 100% unit", command: ["/bin/x", "$HOME", "%h", "a \"b\" \\c"], environment: { A: "1 2" } } }), owner))
    assert.include(content, "ExecStart=/bin/x \"$$HOME\" %%h \"a \\\"b\\\" \\\\c\"\n")
    assert.include(content, "Description=a 100%% unit\n")
    assert.include(content, "Environment=\"A=1 2\"\n")
    assert.match(content, /^# reddwarf-hash: [0-9a-f]{64}\n# reddwarf-companion: node-health owner=cluster-1 scope=node uid=node\n/)
  })

  it.scopedLive("installed, kept, corrected, restarted, left alone when masked, removed as an orphan", () =>
    Effect.gen(function*() {
      const { lines, manager, repair, services, unit } = yield* systemd
      const action = Effect.map(repair.repair(none), (results) => results.map(({ action, error }) => action ?? error ?? "").join())
      assert.strictEqual(yield* action, "Installed")
      assert.strictEqual(manager.active, "active")
      lines.length = 0
      assert.strictEqual(yield* action, "NoOp")
      assert.deepStrictEqual(lines.map((line) => line.split(" ")[1]), ["show"])
      const good = readFileSync(unit, "utf8")
      writeFileSync(unit, good.replace("RestartSec=1", "RestartSec=9"))
      assert.strictEqual(yield* action, "Reinstalled(restarted)")
      assert.strictEqual(readFileSync(unit, "utf8"), good)
      rmSync(unit)
      assert.strictEqual(yield* action, "Installed")
      manager.active = "inactive"
      assert.strictEqual(yield* action, "Enabled")
      manager.active = "activating"
      assert.strictEqual(yield* action, "Offline(activating (x))")
      manager.active = "failed"
      assert.match(yield* action, /^Waiting/)
      manager.masked = true
      assert.strictEqual(yield* action, "Overridden(the unit is masked)")
      assert.strictEqual(yield* action, "NoOp")
      manager.masked = false
      manager.active = "active"
      writeFileSync(unit, good.replace("reddwarf-managed: true", "reddwarf-managed: false"))
      assert.strictEqual(yield* action, "Overridden(its unit says reddwarf-managed: false)")
      writeFileSync(unit, good)
      const gone = CompanionRepair.make({ services, node: [] })
      assert.deepStrictEqual(yield* gone.repair(none), [])
      assert.deepStrictEqual(yield* gone.repair(none), [{ name: "node-health", action: "Removed" }])
      assert.isFalse(existsSync(unit))
    }))

  it.scopedLive("a unit that somebody else wrote is not touched", () =>
    Effect.gen(function*() {
      const { repair, services, unit } = yield* systemd
      writeFileSync(unit, "[Service]\nExecStart=/bin/true\n")
      assert.match((yield* repair.repair(none))[0]?.error ?? "", /not managed by this agent/)
      assert.deepStrictEqual(yield* services.owned, [])
      assert.strictEqual(readFileSync(unit, "utf8"), "[Service]\nExecStart=/bin/true\n")
    }))
})
