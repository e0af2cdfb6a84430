import { assert, describe, it } from "@effect/vitest"
import { type Probe, ProbeAction, ProbeManager, ProbeOutcome, Prober, type ProbeSnapshot } from "@reddwarf/probes"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { settle } from "vitest-config/waiting"

const probe = (kind: Probe.ProbeKind, changes: Partial<Probe.Probe> = {}): Probe.Probe => ({
  kind,
  action: ProbeAction.ProbeAction.TcpSocket({ host: "127.0.0.1", port: 1 }),
  initialDelayMillis: 0,
  periodMillis: 10_000,
  timeoutMillis: 1_000,
  successThreshold: 1,
  failureThreshold: 3,
  ...changes
})

const container = (probes: ReadonlyArray<Probe.Probe>, changes: Partial<ProbeManager.ProbedContainer> = {}): ProbeManager.ProbedContainer => ({
  key: "pod/web",
  instance: "0",
  startedAt: 100_000,
  probes,
  ...changes
})

type Answer = "success" | "failure" | "unknown" | "silence" | "bug"

/** A manager older than all periods, whose attempts end as `answers` says for the port that is asked; it notes when each begins. */
const world = (options: ProbeManager.Options = {}) =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const answers = new Map<number, Answer>()
    const begun: Array<readonly [port: number, at: number]> = []
    let interrupted = 0
    const prober = Prober.Prober.of({
      prepare: (_, { action }) => {
        const port = action._tag === "TcpSocket" ? action.port : 0
        const ends: Readonly<Record<Answer, Effect.Effect<ProbeOutcome.ProbeOutcome>>> = {
          success: Effect.succeed(ProbeOutcome.success),
          failure: Effect.succeed(ProbeOutcome.failure("no")),
          unknown: Effect.succeed(ProbeOutcome.unknown("who knows")),
          bug: Effect.dieMessage("a bug"),
          silence: Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (interrupted += 1)))
        }
        const run = Effect.suspend(() => {
          begun.push([port, clock.unsafeCurrentTimeMillis()])
          return ends[answers.get(port) ?? "success"]
        })
        return { run, timedOut: () => ProbeOutcome.failure("timed out") }
      }
    })
    const manager = yield* ProbeManager.make(options).pipe(Effect.provideService(Prober.Prober, prober))
    const events: Array<ProbeManager.ProbeEvent> = []
    yield* manager.listen((event) => void events.push(event))
    yield* TestClock.adjust("100 seconds")
    const at = (port?: number) => begun.filter(([asked]) => port === undefined || asked === port).map(([, time]) => time - 100_000)
    const pass = (millis: number) => Effect.zipRight(TestClock.adjust(millis), settle)
    const changes = () => events.flatMap((event) => event._tag === "ResultChanged" ? [`${event.kind} ${event.result}`] : [])
    return { manager, answers, events, at, pass, changes, interrupted: () => interrupted }
  })

const onPort = (port: number): Pick<Probe.Probe, "action"> => ({ action: ProbeAction.ProbeAction.TcpSocket({ host: "127.0.0.1", port }) })

describe("ProbeManager", () => {
  it.scoped("probes at once and then once a period, and readiness follows the first success", () =>
    Effect.gen(function*() {
      const { at, changes, manager, pass } = yield* world()
      yield* manager.set(container([probe("readiness", { periodMillis: 3_000 })]))
      assert.strictEqual(manager.results("pod/web")?.readiness, "Failure")
      yield* settle
      assert.strictEqual(manager.results("pod/web")?.readiness, "Success")
      for (let second = 0; second < 10; second += 1) yield* pass(1_000)
      assert.deepStrictEqual(at(), [0, 3_000, 6_000, 9_000])
      assert.deepStrictEqual(changes(), ["readiness Success"])
    }))

  it.scoped("moves readiness within one period each way", () =>
    Effect.gen(function*() {
      const { answers, changes, manager, pass } = yield* world()
      yield* manager.set(container([probe("readiness", { periodMillis: 1_000, failureThreshold: 1 })]))
      yield* settle
      answers.set(1, "failure")
      yield* pass(1_000)
      assert.strictEqual(manager.results("pod/web")?.readiness, "Failure")
      answers.set(1, "success")
      yield* pass(1_000)
      assert.deepStrictEqual(changes(), ["readiness Success", "readiness Failure", "readiness Success"])
    }))

  it.scoped("counts the initial delay from the start of the container, not from when it hears of it", () =>
    Effect.gen(function*() {
      const { at, manager, pass } = yield* world()
      yield* manager.set(container([probe("liveness", { initialDelayMillis: 5_000 })], { startedAt: 98_000 }))
      yield* pass(2_999)
      assert.deepStrictEqual(at(), [])
      yield* pass(1)
      assert.deepStrictEqual(at(), [3_000])
    }))

  it.scoped("stops probing a container whose liveness failed, until it is started again", () =>
    Effect.gen(function*() {
      const { answers, at, changes, manager, pass } = yield* world()
      answers.set(1, "failure")
      yield* manager.set(container([probe("liveness", { periodMillis: 1_000, failureThreshold: 3 })]))
      yield* settle
      for (let second = 0; second < 10; second += 1) yield* pass(1_000)
      assert.deepStrictEqual(at(), [0, 1_000, 2_000])
      assert.deepStrictEqual(changes(), ["liveness Failure"])
      yield* manager.set(container([probe("liveness", { periodMillis: 1_000 })], { instance: "1", startedAt: 110_000 }))
      assert.strictEqual(manager.results("pod/web")?.liveness, "Success")
      yield* settle
      assert.deepStrictEqual(at(), [0, 1_000, 2_000, 10_000])
    }))

  it.scoped("lets the others begin only when the startup probe has succeeded, and at once then", () =>
    Effect.gen(function*() {
      const { answers, at, manager, pass } = yield* world()
      answers.set(1, "failure")
      yield* manager.set(container([
        probe("startup", { periodMillis: 2_000, failureThreshold: 30 }),
        probe("liveness", onPort(2)),
        probe("readiness", onPort(3))
      ]))
      for (let second = 0; second < 7; second += 1) yield* pass(1_000)
      assert.deepStrictEqual(at(1), [0, 2_000, 4_000, 6_000])
      assert.deepStrictEqual(at(2), [])
      assert.strictEqual(manager.results("pod/web")?.startup, "Unknown")
      answers.set(1, "success")
      yield* pass(1_000)
      assert.strictEqual(manager.results("pod/web")?.startup, "Success")
      assert.deepStrictEqual([at(2), at(3)], [[8_000], [8_000]])
      yield* pass(10_000)
      assert.deepStrictEqual(at(1), [0, 2_000, 4_000, 6_000, 8_000], "a container that has started is not asked again whether it has")
      assert.deepStrictEqual(at(2), [8_000, 18_000])
    }))

  it.scoped("says that a container never started after as many failures as allowed", () =>
    Effect.gen(function*() {
      const { answers, changes, manager, pass } = yield* world()
      answers.set(1, "failure")
      yield* manager.set(container([probe("startup", { periodMillis: 1_000, failureThreshold: 2 }), probe("readiness", onPort(2))]))
      yield* pass(5_000)
      assert.deepStrictEqual(changes(), ["startup Failure"])
    }))

  it.scoped("ends an attempt when its time is up, and takes that for a failure", () =>
    Effect.gen(function*() {
      const { answers, at, events, interrupted, manager, pass } = yield* world()
      answers.set(1, "silence")
      yield* manager.set(container([probe("liveness", { periodMillis: 5_000, timeoutMillis: 2_000, failureThreshold: 1 })]))
      yield* pass(1_999)
      assert.strictEqual(manager.results("pod/web")?.liveness, "Success")
      yield* pass(1)
      assert.strictEqual(manager.results("pod/web")?.liveness, "Failure")
      assert.strictEqual(interrupted(), 1)
      assert.deepStrictEqual(events.flatMap((event) => event._tag === "Probed" ? [[event.outcome, event.durationMillis]] : []), [
        [ProbeOutcome.failure("timed out"), 2_000]
      ])
      assert.deepStrictEqual(at(), [0])
    }))

  it.scoped("begins the next attempt at once when one took longer than a period", () =>
    Effect.gen(function*() {
      const { answers, at, manager, pass } = yield* world()
      answers.set(1, "silence")
      yield* manager.set(container([probe("readiness", { periodMillis: 1_000, timeoutMillis: 2_500 })]))
      for (let step = 0; step < 8; step += 1) yield* pass(500)
      const [first, second = 0] = at()
      assert.strictEqual(first, 0)
      assert.isAtMost(second, 2_505)
      assert.isAtLeast(second, 2_500)
    }))

  it.scoped("throws away what says nothing about the container", () =>
    Effect.gen(function*() {
      const { answers, changes, events, manager, pass } = yield* world()
      yield* manager.set(container([probe("liveness", { periodMillis: 1_000, failureThreshold: 2 })]))
      yield* settle
      for (const answer of ["failure", "unknown", "bug", "unknown", "failure"] as const) {
        assert.deepStrictEqual(changes(), [])
        answers.set(1, answer)
        yield* pass(1_000)
      }
      // Two failures with nothing that counts between them.
      assert.deepStrictEqual(changes(), ["liveness Failure"])
      assert.strictEqual(events.filter((event) => event._tag === "Probed" && event.outcome._tag === "Unknown").length, 3)
    }))

  it.scoped("goes on where another manager stood, and not for another run of the container", () =>
    Effect.gen(function*() {
      const first = yield* world()
      first.answers.set(1, "failure")
      const probes = [probe("liveness", { periodMillis: 1_000 }), probe("readiness", { ...onPort(2), periodMillis: 1_000 })]
      yield* first.manager.set(container(probes))
      yield* settle
      yield* first.pass(1_000)
      const snapshot: ProbeSnapshot.ProbeSnapshot = JSON.parse(JSON.stringify(first.manager.snapshot("pod/web")))
      assert.strictEqual(snapshot.liveness?.run, 2)

      const second = yield* world()
      second.answers.set(1, "failure")
      yield* second.manager.set(container(probes), snapshot)
      assert.strictEqual(second.manager.results("pod/web")?.readiness, "Success", "ready stays ready without a new attempt")
      yield* settle
      assert.deepStrictEqual(second.changes(), ["liveness Failure"], "the third failure in a row was the first of this manager")

      const third = yield* world()
      yield* third.manager.set(container(probes, { instance: "1" }), snapshot)
      assert.strictEqual(third.manager.results("pod/web")?.readiness, "Failure")
    }))

  it.scoped("tells of a new snapshot only when there is something new in it", () =>
    Effect.gen(function*() {
      const { events, manager, pass } = yield* world()
      yield* manager.set(container([probe("liveness", { periodMillis: 1_000 })]))
      yield* settle
      for (let second = 0; second < 20; second += 1) yield* pass(1_000)
      assert.strictEqual(events.filter((event) => event._tag === "SnapshotChanged").length, 1)
      assert.strictEqual(events.filter((event) => event._tag === "Probed").length, 21)
    }))

  it.scoped("changes nothing when it is told the same again, and stops what is not listed any more", () =>
    Effect.gen(function*() {
      const { at, manager, pass } = yield* world()
      const both = [probe("liveness", { periodMillis: 1_000 }), probe("readiness", { ...onPort(2), periodMillis: 1_000 })]
      yield* manager.set(container(both))
      for (let step = 0; step < 4; step += 1) {
        yield* pass(500)
        yield* manager.set(container(both))
      }
      assert.deepStrictEqual(at(1), [0, 1_000, 2_000])
      yield* manager.set(container(both.slice(1)))
      yield* pass(1_000)
      assert.deepStrictEqual([at(1), at(2)], [[0, 1_000, 2_000], [0, 1_000, 2_000, 3_000]])
      assert.strictEqual(manager.results("pod/web")?.liveness, undefined)
    }))

  it.scoped("lets go of everything of a container that is removed", () =>
    Effect.gen(function*() {
      const { answers, at, events, interrupted, manager, pass } = yield* world()
      answers.set(1, "silence")
      yield* manager.set(container([probe("liveness")]))
      yield* settle
      yield* manager.remove("pod/web")
      yield* settle
      assert.strictEqual(interrupted(), 1)
      yield* pass(60_000)
      assert.deepStrictEqual([at(), events], [[0], []])
      assert.strictEqual(manager.results("pod/web"), undefined)
    }))

  it.scoped("makes only so many attempts at once, in the order in which they were due", () =>
    Effect.gen(function*() {
      const { answers, at, manager, pass } = yield* world({ maxConnections: 2 })
      for (let n = 1; n <= 5; n += 1) {
        answers.set(n, "silence")
        yield* manager.set(container([probe("readiness", { ...onPort(n), periodMillis: 60_000, timeoutMillis: 1_000, initialDelayMillis: n * 10 })], { key: `pod/${String(n)}` }))
      }
      for (let step = 0; step < 60; step += 1) yield* pass(10)
      assert.deepStrictEqual([1, 2, 3, 4, 5].map((port) => at(port)), [[10], [20], [], [], []])
      for (let step = 0; step < 60; step += 1) yield* pass(10)
      assert.deepStrictEqual([1, 2, 3, 4, 5].map((port) => at(port)), [[10], [20], [1_010], [1_020], []])
      for (let step = 0; step < 120; step += 1) yield* pass(10)
      assert.deepStrictEqual(at(5), [2_010])
    }))

  it.scoped("spreads what it finds at its own start over the first period", () =>
    Effect.gen(function*() {
      /** When each was probed first: one that begins at once has its second turn when the period is over. */
      const begun = new Map<string, number>()
      const clock = yield* Effect.clock
      const prober = Prober.Prober.of({
        prepare: (key) => ({
          run: Effect.sync(() => {
            if (!begun.has(key)) begun.set(key, clock.unsafeCurrentTimeMillis())
            return ProbeOutcome.success
          }),
          timedOut: () => ProbeOutcome.failure("")
        })
      })
      const manager = yield* ProbeManager.make().pipe(Effect.provideService(Prober.Prober, prober))
      for (let n = 0; n < 200; n += 1) yield* manager.set(container([probe("liveness")], { key: String(n), startedAt: 0 }))
      for (let second = 0; second < 10; second += 1) yield* Effect.zipRight(TestClock.adjust("1 second"), settle)
      assert.strictEqual(begun.size, 200)
      const perSecond = Array.from({ length: 10 }, (_, second) => [...begun.values()].filter((at) => at >= second * 1000 && at < (second + 1) * 1000).length)
      assert.isAtMost(Math.max(...perSecond), 60)
      assert.isAtLeast(Math.min(...perSecond), 1)
    }))

  it.scoped("stops with its scope", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      const prober = Prober.Prober.of({
        prepare: () => ({
          run: Effect.zipRight(Deferred.succeed(started, undefined), Effect.never).pipe(Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))),
          timedOut: () => ProbeOutcome.failure("")
        })
      })
      yield* Effect.scoped(Effect.gen(function*() {
        const manager = yield* ProbeManager.make().pipe(Effect.provideService(Prober.Prober, prober))
        yield* manager.set(container([probe("liveness", { periodMillis: 1 })], { startedAt: 0 }))
        yield* TestClock.adjust("1 second")
        yield* Deferred.await(started)
      }))
      yield* Deferred.await(stopped)
    }))
})
