/** Companion services on a simulated host with its real svccfg, svcadm and svcs, and the order in which they are seen to. */
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { type Companion, CompanionRepair, type CompanionServices, NodeCompanions, RestartLimit, SmfCompanions } from "@reddwarf/node-agent"
import { Faults, SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner, SmfManifest, Svcs } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { until } from "vitest-config/waiting"
import { companion, none, owner } from "./support/companions.js"
import { directories } from "./support/harness.js"

const fmri = SmfCompanions.fmriOf("node-health")

/** A clock that the test moves on; sleeping takes as long as ever. */
const movable = () => {
  const base = Clock.make()
  let offset = 0
  const now = () => base.unsafeCurrentTimeMillis() + offset
  const clock: Clock.Clock = { ...base, unsafeCurrentTimeMillis: now, currentTimeMillis: Effect.sync(now) }
  return { clock, advance: (millis: number) => void (offset += millis) }
}

const onHost = Effect.gen(function*() {
  const { dataDir, hostDir } = yield* directories
  const folder = join(dataDir, "companions")
  const context = yield* Layer.build(Layer.merge(SimulatedHost.layerWithControls({ directory: hostDir }), NodeContext.layer))
  const real = Context.get(context, CommandRunner.CommandRunner)
  const lines: Array<CommandLine.CommandLine> = []
  let hanging: string | undefined
  const runner = CommandRunner.CommandRunner.of({
    ...real,
    run: (line) => Effect.suspend(() => {
      lines.push(line)
      return hanging === undefined || !CommandLine.format(line).includes(hanging) ? real.run(line) : new CommandRunner.CommandUnavailable({ program: line.program, args: [...line.args], reason: "Timeout", detail: "did not end within 10s" })
    })
  })
  const services = yield* SmfCompanions.make({ owner, folder }).pipe(Effect.provideService(CommandRunner.CommandRunner, runner), Effect.provide(context))
  const { advance, clock } = movable()
  const host = (program: string, ...args: ReadonlyArray<string>) => Effect.withClock(Effect.map(real.run(CommandLine.make(program, ...args)), ({ stdout }) => stdout), clock)
  const state = (name: string = fmri) => Effect.map(host("/usr/bin/svcs", "-H", "-o", "state,nstate,ctid,fmri", name), (text) => Svcs.parse(text)[0])
  const rests = (wanted: Svcs.ServiceState) => until(`${fmri} is ${wanted}`, Effect.map(state(), (status) => status?.state === wanted && status.next === undefined))
  return {
    folder,
    file: join(folder, "node-health.xml"),
    services,
    lines,
    advance,
    clock,
    host,
    state,
    rests,
    hang: (words: string | undefined) => void (hanging = words),
    inject: (fault: Faults.Fault) => Effect.flatMap(SimulatedHost.SimulatedHost, (sim) => sim.inject(fault)).pipe(Effect.provide(context)),
    pass: (repair: CompanionRepair.CompanionRepair, installed = none) => Effect.withClock(repair.repair(installed), clock)
  }
})

/** A host on which the companion runs. */
const installed = (changes: Partial<Companion.Companion> = {}) =>
  Effect.gen(function*() {
    const sim = yield* onHost
    const repair = CompanionRepair.make({ services: sim.services, node: [companion(changes)] })
    assert.deepStrictEqual(yield* sim.pass(repair), [{ name: "node-health", action: "Installed" }])
    yield* sim.rests("online")
    assert.deepStrictEqual(yield* sim.pass(repair), [{ name: "node-health", action: "NoOp" }])
    return { ...sim, repair }
  })

const changing = (lines: ReadonlyArray<CommandLine.CommandLine>) => lines.filter(({ args, program }) => /svc(cfg|adm)$/.test(program) && !args.includes("validate"))

describe("on SMF", () => {
  it.scopedLive("a clean host: nothing is changed, and every command has its time limit", () =>
    Effect.gen(function*() {
      const { lines, pass, repair } = yield* installed()
      lines.length = 0
      yield* pass(repair)
      assert.deepStrictEqual(changing(lines), [])
      assert.isAtMost(lines.length, 3)
      assert.isTrue(lines.every(({ timeout }) => timeout !== undefined && Duration.toMillis(timeout) <= 10_000))
    }))

  it.scopedLive("a deleted file and an edited file are written again, without a restart", () =>
    Effect.gen(function*() {
      const { file, lines, pass, repair, state } = yield* installed()
      const good = readFileSync(file, "utf8")
      const before = yield* state()
      rmSync(file)
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "Reinstalled" }])
      assert.strictEqual(readFileSync(file, "utf8"), good)
      writeFileSync(file, good.replace("health of the node", "something else"))
      lines.length = 0
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "Reinstalled" }])
      assert.strictEqual(readFileSync(file, "utf8"), good)
      assert.isFalse(lines.some(({ args }) => args.includes("restart")))
      assert.strictEqual((yield* state())?.contract, before?.contract)
    }))

  it.scopedLive("a changed definition restarts only where that is wanted", () =>
    Effect.gen(function*() {
      const { pass, rests, services } = yield* installed()
      const next = (restartOnChange: boolean, word: string) =>
        CompanionRepair.make({ services, node: [companion({ restartOnChange, template: { description: word, command: ["/usr/bin/node", word] } })] })
      assert.deepStrictEqual(yield* pass(next(true, "/a")), [{ name: "node-health", action: "Reinstalled(restarted)" }])
      yield* rests("online")
      assert.deepStrictEqual(yield* pass(next(false, "/b")), [{ name: "node-health", action: "Reinstalled" }])
    }))

  it.scopedLive("a file that was never imported, and a recorded hash that is another", () =>
    Effect.gen(function*() {
      const { file, host, pass, repair, rests } = yield* installed()
      yield* host("/usr/sbin/svcadm", "disable", "-s", fmri)
      yield* host("/usr/sbin/svccfg", "delete", fmri)
      assert.isTrue(existsSync(file))
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "Installed" }])
      yield* rests("online")
      yield* host("/usr/sbin/svccfg", "-s", fmri, "setprop", "reddwarf/manifest_hash", "=", "astring:", "\"0\"")
      yield* host("/usr/sbin/svccfg", "-s", fmri, "refresh")
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "Reinstalled(restarted)" }])
    }))

  it.scopedLive("disabled is enabled; disabled for this boot, and managed=false, are left alone and said once", () =>
    Effect.gen(function*() {
      const { file, host, pass, repair, rests } = yield* installed()
      yield* host("/usr/sbin/svcadm", "disable", "-s", fmri)
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "Enabled" }])
      yield* rests("online")
      yield* host("/usr/sbin/svcadm", "disable", "-st", fmri)
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "Overridden(disabled until the next boot (svcadm disable -t))" }])
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "NoOp" }])
      yield* rests("disabled")
      yield* host("/usr/sbin/svccfg", "-s", fmri, "setprop", "reddwarf/managed", "=", "boolean:", "false")
      yield* host("/usr/sbin/svccfg", "-s", fmri, "refresh")
      rmSync(file)
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "Overridden(property reddwarf/managed is false)" }])
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "NoOp" }])
      assert.isFalse(existsSync(file))
    }))

  it.scopedLive("maintenance: three attempts with growing waits, then a condition until somebody helped", () =>
    Effect.gen(function*() {
      const { advance, host, inject, pass, repair, rests } = yield* installed()
      yield* inject(Faults.serviceFails({ service: fmri, times: 1000, exitCode: 95 }))
      yield* host("/usr/sbin/svcadm", "restart", fmri)
      yield* rests("maintenance")
      const actions: Array<string> = []
      const look = Effect.map(pass(repair), ([result]) => {
        actions.push((result?.action ?? result?.error ?? "").replace(/\d+ s/, "n s"))
      })
      for (const wait of [10_000, 60_000, 300_000]) {
        yield* look
        advance(wait)
        yield* look
        yield* rests("maintenance")
      }
      const waiting = "Waiting(n s, it is in maintenance)"
      assert.deepStrictEqual(actions, [waiting, "Cleared", waiting, "Cleared", waiting, "Cleared"])
      const [last] = yield* pass(repair)
      assert.match(last?.error ?? "", /in maintenance after 3 attempts/)
      advance(3_600_000)
      assert.match((yield* pass(repair))[0]?.error ?? "", /after 3 attempts/)
      assert.deepStrictEqual(repair.conditions().map(({ reason, status, type }) => [type, status, reason]), [["CompanionFailed.node-health", "True", "GaveUp"]])
      yield* host("/usr/sbin/svcadm", "disable", "-s", fmri)
      yield* Effect.void
    }))

  it.scopedLive("given up ends when the service runs again", () =>
    Effect.gen(function*() {
      const { advance, host, inject, pass, repair, rests } = yield* installed()
      yield* inject(Faults.serviceFails({ service: fmri, times: 4, exitCode: 95 }))
      yield* host("/usr/sbin/svcadm", "restart", fmri)
      yield* rests("maintenance")
      for (const wait of [10_000, 60_000, 300_000]) {
        yield* pass(repair)
        advance(wait)
        yield* pass(repair)
        yield* rests("maintenance")
      }
      assert.isString((yield* pass(repair))[0]?.error)
      yield* host("/usr/sbin/svcadm", "clear", fmri)
      yield* rests("online")
      assert.deepStrictEqual(yield* pass(repair), [{ name: "node-health", action: "NoOp" }])
      assert.deepStrictEqual(repair.conditions().map(({ status }) => status), ["False"])
    }))

  it.scopedLive("online and unhealthy three times is restarted, by the same limit; degraded and offline are only told", () =>
    Effect.gen(function*() {
      let healthy = false
      const sim = yield* onHost
      const repair = CompanionRepair.make({ services: sim.services, node: [companion({ healthTest: Effect.sync(() => healthy) })] })
      yield* sim.pass(repair)
      yield* sim.rests("online")
      const look = Effect.map(sim.pass(repair), ([result]) => (result?.action ?? "").split("(")[0])
      assert.deepStrictEqual([yield* look, yield* look, yield* look], ["Unhealthy", "Unhealthy", "Waiting"])
      sim.advance(10_000)
      assert.strictEqual(yield* look, "Restarted")
      yield* sim.rests("online")
      healthy = true
      assert.strictEqual(yield* look, "NoOp")
      yield* sim.host("/usr/sbin/svcadm", "mark", "degraded", fmri)
      yield* sim.rests("degraded")
      assert.strictEqual(yield* look, "Degraded")
    }))

  it.scopedLive("orphans go after two passes; other owners and untagged neighbours stay", () =>
    Effect.gen(function*() {
      const { file, folder, host, pass, services, state } = yield* installed()
      const pod = companion({ name: "proxy-1", scope: "pod", ownerUid: "uid-1", template: { description: "proxy", command: ["/bin/proxy"] } })
      const repair = CompanionRepair.make({ services, node: [companion()], ofPod: (uid) => uid === "uid-1" ? [pod] : [] })
      assert.deepStrictEqual((yield* pass(repair, new Set(["uid-1", "uid-2"]))).map(({ name }) => name), ["node-health", "proxy-1"])
      yield* repair.mend("proxy-1")
      const neighbour = Either.getOrThrow(SmfManifest.render({ ...SmfCompanions.manifestOf(companion({ name: "other" }), { clusterId: "cluster-2" }) }))
      const untagged = Either.getOrThrow(SmfManifest.render({ ...SmfCompanions.manifestOf(companion({ name: "plain" }), owner), propertyGroups: [] }))
      yield* Effect.scoped(Effect.gen(function*() {
        const runner = yield* CommandRunner.CommandRunner
        for (const { xml } of [neighbour, untagged]) yield* runner.run(CommandLine.make("/usr/sbin/svccfg", "import", yield* runner.tempFile("m.xml", xml)))
      })).pipe(Effect.provide(yield* Layer.build(SimulatedHost.layer({ directory: join(folder, "..", "..", "host") }))))
      assert.deepStrictEqual((yield* pass(repair)).map(({ name }) => name), ["node-health"])
      assert.isDefined(yield* state(SmfCompanions.fmriOf("proxy-1")))
      const second = yield* pass(repair)
      assert.deepStrictEqual(second.slice(1), [{ name: "proxy-1", action: "Removed" }])
      assert.isUndefined(yield* state(SmfCompanions.fmriOf("proxy-1")))
      assert.isFalse(existsSync(join(folder, "proxy-1.xml")))
      yield* pass(repair)
      for (const name of ["other", "plain"]) assert.isDefined(yield* state(SmfCompanions.fmriOf(name)))
      assert.isTrue(existsSync(file))
      yield* host("/usr/bin/svcs", "-a")
    }))

  it.scopedLive("a service of that name that is not ours is not touched", () =>
    Effect.gen(function*() {
      const { file, pass, services } = yield* installed()
      const stranger = yield* Effect.flip(services.find("nothing").pipe(Effect.zipRight(Effect.fail("absent is no error"))))
      assert.strictEqual(stranger, "absent is no error")
      const before = readFileSync(file, "utf8")
      const { folder, lines } = yield* onHost
      lines.length = 0
      assert.isString(folder)
      const other = yield* Effect.provide(SmfCompanions.make({ owner: { clusterId: "cluster-2" }, folder: join(file, "..") }), yield* Layer.build(Layer.merge(SimulatedHost.layer({ directory: join(file, "..", "..", "..", "host") }), NodeContext.layer)))
      const [result] = yield* pass(CompanionRepair.make({ services: other, node: [companion({ template: { description: "x", command: ["/x"] } })] }))
      assert.match(result?.error ?? "", /not managed by this agent/)
      assert.strictEqual(readFileSync(file, "utf8"), before)
    }))

  it.scopedLive("a hanging command is an error of its companion; an empty value is refused before anything is written", () =>
    Effect.gen(function*() {
      const { folder, hang, pass, services } = yield* onHost
      hang("svccfg import")
      const two = [companion(), companion({ name: "second", critical: false })]
      const repair = CompanionRepair.make({ services, node: two })
      const results = yield* pass(repair)
      assert.deepStrictEqual(results.map(({ name }) => name), ["node-health", "second"])
      for (const { error } of results) assert.match(error ?? "", /did not end within 10s/)
      hang("svcs -aH")
      assert.match((yield* pass(repair))[0]?.error ?? "", /did not end/)
      hang(undefined)
      assert.deepStrictEqual((yield* pass(repair)).map(({ action }) => action), ["Installed", "Installed"])
      const empty = CompanionRepair.make({ services, node: [companion({ name: "third", template: { description: "x", command: ["/usr/bin/node", "", "x"] } }), ...two] })
      const [, , third] = yield* pass(empty)
      assert.match(third?.error ?? (yield* pass(empty)).map(({ error }) => error ?? "").join(), /word 1 of its command is empty/)
      assert.isFalse(existsSync(join(folder, "third.xml")))
    }))
})

describe("the stage", () => {
  it.effect("begins with nothing after 20 seconds, and what is left over goes first", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      let slow = true
      const services: CompanionServices.CompanionServices = {
        render: () => Either.right({ content: "", hash: "h" }),
        refresh: Effect.void,
        find: (name) =>
          Effect.zipRight(slow ? TestClock.adjust("9 seconds") : Effect.void, Effect.sync(() => {
            asked.push(name)
            return { state: "online" as const, fileHash: "h", recordedHash: "h", override: undefined }
          })),
        install: () => Effect.void,
        enable: () => Effect.void,
        clear: () => Effect.void,
        restart: () => Effect.void,
        explain: () => Effect.succeed(""),
        remove: () => Effect.void,
        owned: Effect.succeed([])
      }
      const repair = CompanionRepair.make({ services, node: ["a", "b", "c", "d", "e"].map((name) => companion({ name, critical: name === "e" })) })
      assert.deepStrictEqual(yield* repair.repair(none), [
        { name: "e", action: "NoOp" },
        { name: "a", action: "NoOp" },
        { name: "b", action: "NoOp" },
        { name: "c", action: "Postponed" },
        { name: "d", action: "Postponed" }
      ])
      slow = false
      asked.length = 0
      yield* repair.repair(none)
      assert.deepStrictEqual(asked, ["c", "d", "e", "a", "b"])
    }))

  it("attempts: 10, 60 and 300 seconds, at most three in ten minutes", () => {
    const walk = (times: ReadonlyArray<number>) => {
      let attempts = RestartLimit.none
      return times.map((now) => {
        const decision = RestartLimit.decide(attempts, now)
        attempts = decision.attempts
        return decision._tag
      })
    }
    assert.deepStrictEqual(walk([0, 9999, 10_000, 69_999, 70_000, 369_999, 370_000, 370_001, 9_999_999]), ["Wait", "Wait", "Try", "Wait", "Try", "Wait", "Try", "GiveUp", "GiveUp"])
    // Up in between does not forgive: it falls a fourth time within ten minutes.
    let attempts = RestartLimit.none
    for (const now of [0, 10_000, 11_000, 71_000, 72_000, 372_000]) attempts = RestartLimit.decide(attempts, now).attempts
    attempts = RestartLimit.recovered(attempts, 373_000)
    assert.strictEqual(RestartLimit.decide(attempts, 374_000)._tag, "GiveUp")
    assert.strictEqual(RestartLimit.decide(RestartLimit.recovered(attempts, 973_000), 973_001)._tag, "Wait")
  })

  it("the node's own: the health endpoint", () => {
    const [health, ...others] = NodeCompanions.of({ node: "/usr/bin/node", program: "/a.js", nodeName: "n1", dataDir: "/d", kubeconfig: "/k" })
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual([health?.name, health?.template.command.slice(0, 3)], ["node-health", ["/usr/bin/node", "/a.js", "node-health"]])
  })
})

describe("of a pod", () => {
  const proxy = (changes: Partial<Companion.Companion> = {}) => companion({ name: "proxy", scope: "pod", ownerUid: "u-1", ...changes })
  const uids: ReadonlySet<string> = new Set(["u-1"])

  it.scopedLive("are looked at by a pass, and mended by who carries out the pod's plans", () =>
    Effect.gen(function*() {
      const sim = yield* onHost
      const fmri = SmfCompanions.fmriOf("proxy")
      const repair = CompanionRepair.make({ services: sim.services, node: [], ofPod: (uid) => uid === "u-1" ? [proxy()] : [] })
      const online = until("it is online", Effect.map(sim.state(fmri), (status) => status?.state === "online" && status.next === undefined))
      assert.deepStrictEqual(repair.faults("u-1"), [])
      for (let pass = 0; pass < 2; pass++) {
        assert.deepStrictEqual(yield* sim.pass(repair, uids), [{ name: "proxy", action: "Planned(it is not there)" }])
      }
      assert.deepStrictEqual([repair.faults("u-1"), repair.faults("u-2")], [[{ name: "proxy", fault: "it is not there" }], []])
      assert.isUndefined(yield* sim.state(fmri))
      yield* repair.mend("proxy")
      assert.deepStrictEqual(repair.faults("u-1"), [{ name: "proxy" }])
      yield* online
      assert.deepStrictEqual(yield* sim.pass(repair, uids), [{ name: "proxy", action: "NoOp" }])

      yield* sim.host("/usr/sbin/svcadm", "disable", fmri)
      yield* until("it is disabled", Effect.map(sim.state(fmri), (status) => status?.state === "disabled" && status.next === undefined))
      assert.deepStrictEqual(yield* sim.pass(repair, uids), [{ name: "proxy", action: "Planned(it is disabled)" }])
      yield* repair.mend("proxy")
      yield* online

      // Its pod is gone: whoever still wants it mended does nothing, and it is removed.
      yield* sim.pass(repair)
      yield* repair.mend("proxy")
      assert.deepStrictEqual(repair.faults("u-1"), [])
      assert.deepStrictEqual(yield* sim.pass(repair), [{ name: "proxy", action: "Removed" }])
    }))

  it.scopedLive("are restarted within the limit, and left alone when that does not help", () =>
    Effect.gen(function*() {
      const sim = yield* onHost
      let healthy = true
      const repair = CompanionRepair.make({ services: sim.services, node: [], ofPod: () => [proxy({ healthTest: Effect.sync(() => healthy) })] })
      yield* sim.pass(repair, uids)
      yield* Effect.withClock(repair.mend("proxy"), Clock.make())
      yield* until("it is online", Effect.map(sim.state(SmfCompanions.fmriOf("proxy")), (status) => status?.state === "online" && status.next === undefined))
      healthy = false
      for (let pass = 1; pass <= CompanionRepair.unhealthyAfter; pass++) {
        const fault = pass < CompanionRepair.unhealthyAfter ? undefined : "it runs and fails its health test"
        yield* sim.pass(repair, uids)
        assert.deepStrictEqual(repair.faults("u-1"), [{ name: "proxy", ...(fault === undefined ? {} : { fault }) }])
      }
      const refused = yield* Effect.flip(Effect.withClock(repair.mend("proxy"), sim.clock))
      assert.include(refused.message, "Waiting")
      assert.lengthOf(repair.faults("u-1").filter(({ fault }) => fault !== undefined), 1)
    }))
})
