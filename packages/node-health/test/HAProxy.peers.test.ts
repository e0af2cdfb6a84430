/** A node leaves and joins the rotation of a real HAProxy. Needs REDDWARF_PEERS to name a folder with bin/haproxy. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { until } from "vitest-config/waiting"
import { AgentCheckServer, Drain, FileProbe, type HealthCheck, HealthMetrics, Observation } from "../src/index.js"
import * as haproxy from "./support/haproxy.js"
import { start } from "./support/health.js"

/** A node whose default check passes as long as nobody breaks it. */
const node = Effect.gen(function*() {
  let broken: string | undefined
  const check: HealthCheck.HealthCheck = {
    name: "c",
    timeout: Duration.seconds(1),
    cacheTtl: Duration.zero,
    onUnknown: "fail",
    needsNodeName: false,
    observe: Effect.sync(() => broken === undefined ? Observation.pass() : Observation.fail(broken))
  }
  const metrics = HealthMetrics.make()
  const running = yield* start({ config: { default_checks: ["c"] }, checks: [check], metrics, host: { files: FileProbe.make(metrics) } })
  return { ...running, breakIt: (reason: string | undefined) => void (broken = reason) }
})

describe.skipIf(haproxy.haproxyMissing)("HAProxy (skipped unless REDDWARF_PEERS names a folder with bin/haproxy)", () => {
  it.scopedLive("/health takes a node out of rotation, and brings it back", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* node, yield* node]
      const [first, second] = [yield* haproxy.backend("one"), yield* haproxy.backend("two")]
      const proxy = yield* haproxy.start([
        `one 127.0.0.1:${first} check port ${one.port} inter 100ms rise 2 fall 3`,
        `two 127.0.0.1:${second} check port ${two.port} inter 100ms rise 2 fall 3`
      ])
      const rotates = (wanted: string) => until(`rotation ${wanted}`, Effect.map(proxy.rotation, (names) => names === wanted))
      yield* rotates("one,two")
      one.breakIt("it is broken")
      yield* rotates("two")
      one.breakIt(undefined)
      yield* rotates("one,two")
      yield* Drain.send(two.stateDir, { command: "drain", reason: "maintenance" })
      yield* rotates("one")
      yield* Drain.send(two.stateDir, { command: "undrain" })
      yield* rotates("one,two")
      // The lame duck is out before its socket closes.
      yield* Effect.fork(two.lameDuck)
      yield* rotates("one")
      assert.strictEqual((yield* two.get("/livez")).status, 200)
    }), 60_000)

  it.scopedLive("the agent-check takes a node down, drains it, puts it into maintenance, and brings it back", () =>
    Effect.gen(function*() {
      const server = yield* node
      let cordoned = false
      let drained = false
      let weight = 100
      const evaluate = Effect.map(server.get("/health"), (reply) => ({ cordoned, ...(reply.status === 200 ? {} : { failure: "it is broken" }) }))
      const agent = yield* AgentCheckServer.make({ host: "127.0.0.1", port: 0, evaluation: evaluate, override: () => ({ shuttingDown: false, drained, weight }) })
      const [first, second] = [yield* haproxy.backend("one"), yield* haproxy.backend("two")]
      const proxy = yield* haproxy.start([
        `one 127.0.0.1:${first} weight 100 check inter 100ms agent-check agent-addr 127.0.0.1 agent-port ${agent.port} agent-inter 100ms`,
        `two 127.0.0.1:${second} weight 100`
      ])
      const becomes = (wanted: RegExp, rotation: string) =>
        until(`${wanted.source} and ${rotation}`, Effect.zipWith(proxy.states, proxy.rotation, (states, names) => wanted.test(states.get("one") ?? "") && names === rotation))
      yield* becomes(/^UP.* 100$/, "one,two")
      weight = 25
      yield* becomes(/^UP.* 25$/, "one,two")
      drained = true
      yield* becomes(/^MAINT/, "two")
      drained = false
      yield* becomes(/^UP/, "one,two")
      server.breakIt("it is broken")
      yield* becomes(/^DOWN/, "two")
      server.breakIt(undefined)
      yield* becomes(/^UP/, "one,two")
      cordoned = true
      yield* becomes(/^DRAIN/, "two")
      cordoned = false
      yield* becomes(/^UP/, "one,two")
    }), 60_000)
})
