import { assert, describe, it } from "@effect/vitest"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandRunner, Fmri, Smf } from "@reddwarf/runtime-illumos"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as ServiceManifest from "../src/node/ServiceManifest.js"

const paths = { node: "/usr/bin/node", program: "/usr/lib/reddwarf/reddwarf-agent.js", config: "/etc/reddwarf/agent.yaml", dataDir: "/var/lib/reddwarf-agent" }
const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "service-manifest-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

describe("the services of a node", () => {
  it.live("are taken by the host, start in their order, and leave the supervisor alone when the agent stops", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* directory
      yield* Effect.gen(function*() {
        const smf = Smf.make(yield* CommandRunner.CommandRunner)
        const [agent, supervisor] = [Fmri.of(ServiceManifest.agentService), Fmri.of(ServiceManifest.supervisorService)]
        assert.strictEqual(yield* smf.ensureImported(ServiceManifest.agent(paths)), "imported")
        assert.strictEqual((yield* Effect.flip(smf.enable(agent)))._tag, "ServiceDependencyUnmet")
        yield* smf.ensureImported(ServiceManifest.supervisor(paths))
        yield* smf.enable(supervisor)
        assert.strictEqual(yield* smf.waitFor(agent, ["online"]), "online")
        const before = yield* smf.find(supervisor)
        yield* smf.restart(agent)
        yield* smf.disable(agent)
        assert.deepStrictEqual(yield* smf.find(supervisor), before)
        assert.deepStrictEqual(yield* smf.property(agent, "application", "config"), ["/etc/reddwarf/agent.yaml"])
        assert.strictEqual(yield* smf.ensureImported(ServiceManifest.agent(paths)), "unchanged")
      }).pipe(Effect.provide(SimulatedHost.layer({ directory: folder })))
    })))
})
