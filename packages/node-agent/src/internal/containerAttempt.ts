/** One attempt of a container: started, watched until it ends, ended on request, recorded. */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CommandRunner, Zlogin } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as Files from "../supervisor/SupervisorFiles.js"
import * as Metrics from "../supervisor/SupervisorMetrics.js"
import * as Paths from "../supervisor/SupervisorPaths.js"
import * as attemptFifos from "./attemptFifos.js"
import * as attemptSignal from "./attemptSignal.js"
import * as criLog from "./criLog.js"
import * as durableFile from "./durableFile.js"
import * as folderWatch from "./folderWatch.js"
import * as memoryFailures from "./memoryFailures.js"
import type { PollTicks } from "./pollTicks.js"
import * as shim from "./shim.js"
import * as terminationMessage from "./terminationMessage.js"

/** What the attempts of a pod have in common. */
export interface PodPlace {
  readonly dataDir: string
  readonly spec: Files.PodSpec
  readonly runner: CommandRunner.CommandRunner["Type"]
  /** How long starting an attempt may take before it is given up. */
  readonly startTimeout: Duration.Duration
  /** How long to wait for a notice before looking at the files anyway. */
  readonly pollInterval: Duration.Duration
  /** Comes in that distance. */
  readonly ticks: PollTicks
}

/** A request to end, and until when the container may take its time. The deadline can become earlier. */
export interface StopSignal {
  readonly requested: Effect.Effect<void>
  /** Milliseconds since the epoch. */
  readonly deadline: () => number
  /** Succeeds when it is this container's turn to end; by the deadline it is in any case. Default at once. */
  readonly turn?: Effect.Effect<void>
  /** What is done before the first signal. It takes no longer than until the deadline. */
  readonly prepare?: Effect.Effect<void, never, FileSystem.FileSystem>
  /** Name of the first signal without `SIG`. Default `TERM`, or what the container asks for. */
  readonly signal?: string
  /** What is recorded of an attempt that it killed, where that is not an ordinary end. */
  readonly reason?: { readonly reason: Files.ExitReason; readonly message: string }
}

type Environment = FileSystem.FileSystem

/** The shared directory as the shim sees it: relative to the root of the zone. */
export const inZone = (launch: string): string => `${Paths.zoneMountPoint.slice(1)}/${launch}`

/** The same folder on the host. */
export const onHost = (place: PodPlace, launch: string): string => `${Paths.zone(place.dataDir, place.spec.pod.uid)}/${launch}`

/** Why an attempt could not be started, for people. */
export class StartFailure extends Data.TaggedError("StartFailure")<{
  readonly message: string
  /** Why the container waits, as its status shows it. Default `RunContainerError`. */
  readonly reason?: string
}> {}

/** A name for the folder of the next attempt. It is new each time, so a late shim of a start that was given up meets nobody's files. */
export const newLaunch = (container: string, attempt: number): Effect.Effect<string> =>
  Effect.map(Random.nextIntBetween(0, 0x7fffffff), (n) => `${container}.${attempt}.${n.toString(16)}`)

/** Lays out the folder of an attempt and has the shim start it. */
export const start = (
  place: PodPlace,
  container: Files.ContainerSpec,
  launch: string
): Effect.Effect<void, StartFailure, Environment> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = onHost(place, launch)
    const shared = Paths.zone(place.dataDir, place.spec.pod.uid)
    yield* fs.makeDirectory(directory, { mode: 0o700 })
    // In one step: another container's shell may be about to read it, and what the zone put in its place is not followed.
    yield* fs.writeFileString(`${directory}/${shim.draftName}`, shim.script, { flag: "wx", mode: 0o600 })
    yield* fs.rename(`${directory}/${shim.draftName}`, `${shared}/${shim.fileName}`)
    yield* fs.writeFileString(`${directory}/command.sh`, shim.commandScript(container), { flag: "wx", mode: 0o600 })
    const message = container.lifecycle?.terminationMessage
    if (message !== undefined) yield* fs.writeFileString(`${directory}/message.path`, shim.messagePath(container, message.path), { flag: "wx", mode: 0o600 })
    const result = yield* Zlogin.run(place.runner, place.spec.zone, ["/bin/sh", inZone(shim.fileName), inZone(launch), shim.modeOf(container)], {
      timeout: place.startTimeout,
      failsafe: true
    })
    if (result.exitCode === shim.noTerminalStatus) {
      yield* new StartFailure({
        message: `container ${container.name} has tty: true, but its zone has no script(1) of util-linux, which makes the terminal; install it there, or leave tty out`
      })
    }
    if (result.exitCode !== 0) {
      yield* new StartFailure({
        message: `the shim of container ${container.name} ended with status ${result.exitCode}: ${result.stderr.trim()}`
      })
    }
    yield* Metric.increment(Metrics.containerStarts)
  }).pipe(Effect.mapError((error) => error._tag === "StartFailure" ? error : new StartFailure({ message: error.message })))

/**
 * Waits until the shim says that the process exists. When it does not in time, is gone because its zone went down, or never began because
 * who started it was cut off, the attempt is taken back, so that it cannot start later; it fails only if that worked, that is if the process was
 * never started and never will be.
 */
export const awaitStarted = (place: PodPlace, launch: string): Effect.Effect<void, StartFailure, Environment> => {
  const pidFile = `${onHost(place, launch)}/pid`
  // A container with a terminal writes its pid itself, and may fail before it does.
  const seen = Effect.sync(() => attemptFifos.readNumbers(pidFile) !== undefined || numbersOf(place, launch, "exit") !== undefined)
  const wait = Effect.scoped(Effect.gen(function*() {
    const notices = yield* Queue.sliding<void>(1)
    yield* folderWatch.scoped(onHost(place, launch), () => void Queue.unsafeOffer(notices, undefined))
    const notice = Effect.race(Effect.as(Queue.take(notices), true), Effect.as(Effect.sleep(place.pollInterval), false))
    while (!(yield* seen)) {
      const isNoticed = yield* notice
      if (!isNoticed && !(yield* seen) && attemptFifos.isAbandoned(onHost(place, launch))) return false
    }
    return true
  }))
  return Effect.gen(function*() {
    if (yield* seen) return
    if (Option.contains(yield* Effect.timeoutOption(wait, place.startTimeout), true)) return
    yield* giveUp(place, launch)
  })
}

/** Takes an attempt back. Succeeds when it is too late for that. */
export const giveUp = (place: PodPlace, launch: string): Effect.Effect<void, StartFailure, Environment> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const taken = yield* fs.makeDirectory(`${onHost(place, launch)}/claim`).pipe(
      Effect.as(true),
      Effect.catchAll((error) => Effect.succeed(error._tag === "BadArgument" || error.reason !== "AlreadyExists"))
    )
    if (taken) yield* new StartFailure({ message: "the process was not started in time" })
  })

const numbersOf = (place: PodPlace, launch: string, file: "pid" | "exit") =>
  attemptFifos.readNumbers(`${onHost(place, launch)}/${file}`)

/** Pid of the container's process and the time it started, as soon as the shim wrote them. */
export const startedAs = (
  place: PodPlace,
  launch: string
): { readonly pid: number; readonly startedAt: number } | undefined => {
  const written = numbersOf(place, launch, "pid")
  const pid = written?.numbers[0]
  return written === undefined || pid === undefined ? undefined : { pid, startedAt: written.writtenAt }
}

const signal = (place: PodPlace, launch: string, name: string) => attemptSignal.send(place.runner, place.spec.zone, onHost(place, launch), name)

/** A container that used its time up before the first signal gets this much more to act on it. */
const leastWindowMillis = 2_000

const terminate = (place: PodPlace, launch: string, stop: StopSignal): Effect.Effect<never, never, Environment> => {
  const send = (name: string) =>
    Effect.catchAll(signal(place, launch, name), (error) =>
      Effect.logWarning(`signal ${name} did not reach the container`, error).pipe(Effect.annotateLogs({ launch })))
  const until = (deadline: () => number) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Math.max(0, Math.min(deadline() - now, 500)))).pipe(
      Effect.zipRight(Clock.currentTimeMillis),
      Effect.repeat({ until: (now) => now >= deadline() })
    )
  const waited = stop.prepare !== undefined || stop.turn !== undefined
  const untilTheEnd = Effect.flatMap(Clock.currentTimeMillis, (now) => until(() => Math.max(stop.deadline(), waited ? now + leastWindowMillis : 0)))
  return stop.requested.pipe(
    Effect.zipRight(stop.prepare ?? Effect.void),
    Effect.zipRight(stop.turn === undefined ? Effect.void : Effect.raceFirst(stop.turn, until(stop.deadline))),
    Effect.zipRight(send(stop.signal ?? "TERM")),
    Effect.zipRight(untilTheEnd),
    Effect.zipRight(Effect.forever(Effect.zipRight(send("KILL"), Effect.sleep("1 second"))))
  )
}

const logWriter = (place: PodPlace, container: string, attempt: number) =>
  Effect.flatMap(Effect.clock, (clock) => {
    const path = Paths.log(place.spec.logs.directory, container, attempt)
    return Effect.acquireRelease(
      Effect.try({
        try: () =>
          criLog.open(path, { ...place.spec.logs, nanos: () => clock.unsafeCurrentTimeNanos() }),
        catch: (cause) =>
          new SupervisorFileFailed({ operation: "open", path, detail: cause instanceof Error ? cause.message : String(cause) })
      }),
      (writer) => Effect.sync(() => writer.close())
    )
  })

/** Exit status of a process that was killed. */
const killedStatus = 137

/** Signal numbers that `128 + n` can stand for. */
const signalOf = (exitCode: number): number | undefined => exitCode > 128 && exitCode < 160 ? exitCode - 128 : undefined

const exitRecord = (
  place: PodPlace,
  state: Files.ContainerState,
  ended: { readonly exitCode: number; readonly finishedAt: number } | undefined,
  now: number,
  message: string,
  because: { readonly reason: Files.ExitReason; readonly message?: string } | undefined
): Files.ExitRecord => {
  const exitCode = ended?.exitCode ?? 255
  const signalNumber = ended === undefined ? undefined : signalOf(exitCode)
  const finishedAt = ended?.finishedAt ?? now
  return {
    schema: 1,
    id: `${place.spec.zone}/${state.name}/${state.attempt}`,
    attempt: state.attempt,
    ...(state.pid === undefined ? {} : { pid: state.pid }),
    startedAt: state.startedAt ?? finishedAt,
    finishedAt,
    exitCode,
    ...(signalNumber === undefined ? {} : { signal: signalNumber }),
    reason: ended === undefined ? "Unknown" : exitCode === 0 ? "Completed" : "Error",
    ...(message === "" ? {} : { message }),
    ...because
  }
}

/** What the container says about its end, if it can and if the attempt was seen to end. */
const lastWords = (place: PodPlace, state: Files.ContainerState, launch: string, exitCode: number | undefined): string => {
  const asked = [...place.spec.containers, ...place.spec.ephemeralContainers ?? []].find(({ name }) => name === state.name)?.lifecycle?.terminationMessage
  const written = asked === undefined ? "" : terminationMessage.ofFile(`${onHost(place, launch)}/message`)
  if (written !== "" || asked?.fallbackToLogs !== true || exitCode === undefined || exitCode === 0) return written
  return terminationMessage.ofLog(Paths.log(place.spec.logs.directory, state.name, state.attempt))
}

const encodeExit = Schema.encodeSync(Files.ExitRecordJson)

const writeExit = (place: PodPlace, container: string, record: Files.ExitRecord) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = Paths.exitRecord(place.dataDir, place.spec.pod.uid, container, record.attempt)
    yield* fs.makeDirectory(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 }).pipe(
      Effect.mapError(durableFile.failed("create the folder of", path))
    )
    yield* durableFile.write(path, encodeExit(record))
  })

/**
 * Follows an attempt to its end, whether this supervisor started it or another one did: output goes to the log, a stop request to the
 * processes. When it gives the exit record, output and record are on disk.
 */
export const follow = (
  place: PodPlace,
  state: Files.ContainerState,
  launch: string,
  stop: StopSignal
): Effect.Effect<Files.ExitRecord, SupervisorFileFailed, Environment> =>
  Effect.gen(function*() {
    const notices = yield* Queue.sliding<void>(1)
    const writer = yield* logWriter(place, state.name, state.attempt)
    const notice = () => void Queue.unsafeOffer(notices, undefined)
    let gone = false
    let isAsked = false
    const fifos = yield* openOrGone(onHost(place, launch), {
      onOutput: (chunk, stream) => {
        if (!writer.write(chunk, stream)) Metrics.logWriteFailures.unsafeUpdate(1, [])
      },
      onSignal: notice,
      onGone: () => {
        gone = true
        notice()
      }
    })
    const requested = Effect.tap(stop.requested, () => Effect.sync(() => void (isAsked = true)))
    yield* Effect.forkScoped(terminate(place, launch, { ...stop, requested }))
    const look = Effect.sync(() => {
      const exit = numbersOf(place, launch, "exit")
      const exitCode = exit?.numbers[0]
      if (exit !== undefined && exitCode !== undefined) return Option.some({ exitCode, finishedAt: exit.writtenAt })
      return gone || fifos === undefined ? Option.some(undefined) : Option.none()
    })
    // Whoever looks without a notice does it here, and wakes nobody for nothing.
    yield* place.ticks.listen(() => {
      if (numbersOf(place, launch, "exit") !== undefined) notice()
    })
    let end = yield* look
    while (Option.isNone(end)) {
      yield* Queue.take(notices)
      end = yield* look
    }
    fifos?.drain()
    const exitCode = end.value?.exitCode
    const because = isAsked ? (exitCode === killedStatus ? stop.reason : undefined) : yield* memoryFailures.reason(place, state, exitCode)
    const record = exitRecord(place, state, end.value, yield* Clock.currentTimeMillis, lastWords(place, state, launch, exitCode), because)
    yield* writeExit(place, state.name, record)
    fifos?.acknowledge()
    return record
  }).pipe(Effect.scoped)

/** The FIFOs, or nothing when they are not there any more: then the attempt is over. */
const openOrGone = (
  directory: string,
  listener: attemptFifos.Listener
): Effect.Effect<attemptFifos.AttemptFifos | undefined, never, Scope.Scope> =>
  attemptFifos.open(directory, listener).pipe(
    Effect.catchAll((error) => Effect.as(Effect.logWarning("the output of an attempt cannot be read", error), undefined))
  )

/** Removes what an attempt that is over left in the shared directory, and what the one before the previous attempt left elsewhere. */
export const tidy = (
  place: PodPlace,
  container: string,
  attempt: number,
  launch: string | undefined
): Effect.Effect<void, never, Environment> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const remove = (path: string) => Effect.ignore(fs.remove(path, { force: true }))
    if (launch !== undefined) yield* Effect.sync(() => attemptFifos.removeFolder(onHost(place, launch), shim.launchFiles))
    if (attempt < 2) return
    const old = Paths.log(place.spec.logs.directory, container, attempt - 2)
    yield* Effect.forEach([...criLog.rotatedFiles(old).map((file) => file.path), old], remove, { discard: true })
    yield* remove(Paths.exitRecord(place.dataDir, place.spec.pod.uid, container, attempt - 2))
  })
