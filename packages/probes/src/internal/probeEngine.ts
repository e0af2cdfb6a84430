/** The clockwork of the probe manager. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Probe, ProbeKind } from "../Probe.js"
import type * as ProbeManager from "../ProbeManager.js"
import * as ProbeOutcome from "../ProbeOutcome.js"
import type { Prober } from "../Prober.js"
import type { ProbeSnapshot } from "../ProbeSnapshot.js"
import * as ProbeThreshold from "../ProbeThreshold.js"
import type { Attempt } from "./attempt.js"
import * as dueHeap from "./dueHeap.js"

interface Options {
  readonly prober: Prober["Type"]
  readonly draw: Effect.Effect<number>
  readonly maxCommands: number
  readonly maxConnections: number
  readonly granularityMillis: number
}

/** An attempt under way; due when its time is up. */
interface Flight extends dueHeap.Due {
  readonly probing: Probing
  readonly attempt: Attempt
  readonly startedAt: number
  readonly lateMillis: number
  readonly lane: Lane
  fiber: Fiber.RuntimeFiber<void> | undefined
  /** Whether it got the time to be heard that a held up process owes it. */
  heard: boolean
}

/** Milliseconds behind which the clock of a process that is not held up never is. */
const heldUpMillis = 25

/** One probe of one container; due when its next attempt is. */
interface Probing extends dueHeap.Due {
  readonly container: Container
  probe: Probe
  count: ProbeThreshold.ProbeCount
  flight: Flight | undefined
  /** Whether it waits for a free place in its lane. */
  queued: boolean
  live: boolean
}

interface Container {
  readonly key: string
  readonly instance: string
  startedAt: number
  readonly probings: Map<ProbeKind, Probing>
}

/** Attempts of which only so many go on at once. */
interface Lane {
  readonly max: number
  active: number
  /** In the order in which they were due. */
  readonly waiting: Array<Probing>
}

type Entry = Flight | Probing

/** A probe that has not begun. */
const probingOf = (container: Container, probe: Probe, count: ProbeThreshold.ProbeCount): Probing =>
  ({ container, probe, count, flight: undefined, queued: false, live: true, due: 0, place: -1 })

const isFlight = (entry: Entry): entry is Flight => "attempt" in entry

/** Starts the clockwork; it stops with the scope. */
export const make = (options: Options): Effect.Effect<ProbeManager.ProbeManager["Type"], never, Scope.Scope> =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const fork = yield* FiberSet.makeRuntime()
    const heap = dueHeap.make<Entry>()
    const containers = new Map<string, Container>()
    const listeners = new Set<(event: ProbeManager.ProbeEvent) => void>()
    const wake = yield* Queue.sliding<void>(1)
    const commands: Lane = { max: options.maxCommands, active: 0, waiting: [] }
    const connections: Lane = { max: options.maxConnections, active: 0, waiting: [] }
    const now = () => clock.unsafeCurrentTimeMillis()
    const madeAt = now()
    /** Until when the clock's fiber sleeps. */
    let sleepsUntil = Number.NEGATIVE_INFINITY

    const tell = (event: ProbeManager.ProbeEvent): void => {
      for (const listener of listeners) listener(event)
    }

    const plan = (entry: Entry, due: number): void => {
      heap.put(entry, due)
      if (due < sleepsUntil) Queue.unsafeOffer(wake, undefined)
    }

    const isStarted = ({ probings }: Container): boolean => {
      const startup = probings.get("startup")
      return startup === undefined || startup.count.result === "Success"
    }

    const mayRun = ({ container, count, probe }: Probing): boolean => !count.held && (probe.kind === "startup" || isStarted(container))

    /** Plans the first attempt of a probe from now on, after `spread` periods at the earliest. */
    const begin = (probing: Probing, spread: number): void => {
      if (!mayRun(probing)) return
      const { container, probe } = probing
      plan(probing, Math.max(now() + Math.floor(spread * probe.periodMillis), container.startedAt + probe.initialDelayMillis))
    }

    const leave = (lane: Lane): void => {
      lane.active -= 1
      for (let next = lane.waiting.shift(); next !== undefined; next = lane.waiting.shift()) {
        next.queued = false
        if (!next.live || !mayRun(next)) continue
        launch(next)
        return
      }
    }

    const launch = (probing: Probing): void => {
      const { container, probe } = probing
      const lane = probe.action._tag === "Exec" ? commands : connections
      if (lane.active >= lane.max) {
        probing.queued = true
        lane.waiting.push(probing)
        return
      }
      lane.active += 1
      const startedAt = now()
      const attempt = options.prober.prepare(container.key, probe)
      const flight: Flight = { probing, attempt, startedAt, lateMillis: startedAt - probing.due, lane, fiber: undefined, heard: false, due: 0, place: -1 }
      probing.flight = flight
      plan(flight, startedAt + probe.timeoutMillis)
      flight.fiber = fork(attempt.run.pipe(
        // A bug in one kind of probe says nothing about the container, and must not end the probing of the others.
        Effect.catchAllDefect((defect) => Effect.succeed(ProbeOutcome.unknown(`the probe broke: ${String(defect)}`))),
        Effect.map((outcome) => land(flight, outcome)),
        // Only when everything that the attempt held is given back, somebody else takes its place.
        Effect.ensuring(Effect.sync(() => leave(lane)))
      ))
    }

    /** The end of an attempt, by itself or because its time is up: whatever comes first. */
    const land = (flight: Flight, outcome: ProbeOutcome.ProbeOutcome): void => {
      const { probing } = flight
      if (probing.flight !== flight || !probing.live) return
      probing.flight = undefined
      heap.remove(flight)
      const { container, probe } = probing
      const { instance, key } = container
      const at = now()
      tell({ _tag: "Probed", key, instance, kind: probe.kind, outcome, durationMillis: at - flight.startedAt, lateMillis: flight.lateMillis })
      const before = probing.count
      if (outcome._tag !== "Unknown") probing.count = ProbeThreshold.count(probe.kind, probe, before, outcome._tag)
      const { held, result } = probing.count
      // Listeners may remove the container: nothing of it is planned then.
      if (probing.count !== before) tell({ _tag: "SnapshotChanged", key, instance })
      if (result !== before.result) tell({ _tag: "ResultChanged", key, instance, kind: probe.kind, result })
      if (!probing.live) return
      if (!held) plan(probing, Math.max(at, probing.due + probe.periodMillis))
      if (probe.kind === "startup" && result === "Success" && before.result !== "Success") {
        for (const other of container.probings.values()) if (other !== probing) begin(other, 0)
      }
    }

    const end = (probing: Probing): void => {
      probing.live = false
      heap.remove(probing)
      const { flight } = probing
      probing.flight = undefined
      if (flight === undefined) return
      heap.remove(flight)
      flight.fiber?.unsafeInterruptAsFork(flight.fiber.id())
    }

    const timeUp = (flight: Flight): void => {
      flight.fiber?.unsafeInterruptAsFork(flight.fiber.id())
      land(flight, flight.attempt.timedOut())
    }

    /** Does all that is due, and gives the time until the next. */
    const turn = (): number => {
      const at = now()
      // Whatever is planned meanwhile is seen below: nobody has to be woken for it.
      sleepsUntil = Number.NEGATIVE_INFINITY
      for (let entry = heap.first(); entry !== undefined && entry.due <= at; entry = heap.first()) {
        const behind = at - entry.due
        heap.remove(entry)
        if (isFlight(entry) && behind > heldUpMillis && !entry.heard) {
          // It is this process that was late, and the answer may be there, unread: a turn of the event loop brings it.
          entry.heard = true
          heap.put(entry, at + options.granularityMillis)
        } else if (isFlight(entry)) timeUp(entry)
        else if (entry.flight === undefined && !entry.queued && mayRun(entry)) launch(entry)
      }
      const next = heap.first()
      const wait = next === undefined ? Number.POSITIVE_INFINITY : Math.max(next.due - now(), options.granularityMillis)
      sleepsUntil = at + wait
      return wait
    }

    const sleep = (millis: number): Effect.Effect<void> =>
      millis === Number.POSITIVE_INFINITY ? Queue.take(wake) : Effect.raceFirst(clock.sleep(Duration.millis(millis)), Queue.take(wake))

    yield* Effect.forkScoped(Effect.forever(Effect.suspend(() => sleep(turn()))))

    const drop = (key: string): void => {
      const container = containers.get(key)
      if (container === undefined) return
      containers.delete(key)
      for (const probing of container.probings.values()) end(probing)
    }

    const add = (wanted: ProbeManager.ProbedContainer, known: ProbeSnapshot | undefined): Container => {
      drop(wanted.key)
      const container: Container = { key: wanted.key, instance: wanted.instance, startedAt: wanted.startedAt, probings: new Map() }
      const restored = known?.instance === wanted.instance ? known : undefined
      for (const probe of wanted.probes) {
        container.probings.set(probe.kind, probingOf(container, probe, restored?.[probe.kind] ?? ProbeThreshold.initial(probe.kind)))
      }
      containers.set(wanted.key, container)
      return container
    }

    /** The same run of a container, with other probes than before: those that stay count on. */
    const update = (container: Container, { probes, startedAt }: ProbeManager.ProbedContainer): void => {
      container.startedAt = startedAt
      const wanted = new Map(probes.map((probe) => [probe.kind, probe]))
      for (const [kind, probing] of container.probings) {
        const probe = wanted.get(kind)
        if (probe !== undefined) {
          probing.probe = probe
          continue
        }
        end(probing)
        container.probings.delete(kind)
      }
      for (const [kind, probe] of wanted) {
        if (!container.probings.has(kind)) container.probings.set(kind, probingOf(container, probe, ProbeThreshold.initial(kind)))
      }
      // What waited for a probe that went, and what came, begins now.
      for (const probing of container.probings.values()) if (probing.place < 0 && probing.flight === undefined && !probing.queued) begin(probing, 0)
    }

    /** How much of its first period each probe waits. Only a manager that was just made finds many containers at once. */
    const spreadOf = (probe: Probe): Effect.Effect<number> => now() - madeAt < probe.periodMillis ? options.draw : Effect.succeed(0)

    return {
      set: (wanted, known) =>
        Effect.suspend(() => {
          const before = containers.get(wanted.key)
          if (before === undefined || before.instance !== wanted.instance) {
            return Effect.forEach(add(wanted, known).probings.values(), (probing) =>
              Effect.map(spreadOf(probing.probe), (spread) => begin(probing, spread)), { discard: true })
          }
          update(before, wanted)
          return Effect.void
        }),
      remove: (key) => Effect.sync(() => drop(key)),
      results: (key) => {
        const container = containers.get(key)
        if (container === undefined) return undefined
        return { instance: container.instance, ...Object.fromEntries([...container.probings].map(([kind, { count }]) => [kind, count.result])) }
      },
      snapshot: (key) => {
        const container = containers.get(key)
        if (container === undefined) return undefined
        return { instance: container.instance, ...Object.fromEntries([...container.probings].map(([kind, { count }]) => [kind, count])) }
      },
      listen: (listener) =>
        Effect.acquireRelease(Effect.sync(() => void listeners.add(listener)), () => Effect.sync(() => void listeners.delete(listener)))
    }
  })
