/**
 * The process that keeps containers running: one per host, outside the agent's process, so that nothing a container needs depends on the
 * agent being alive.
 *
 * It may be killed at any time. Containers do not notice; the next supervisor reads the same files, takes the running attempts over,
 * records what ended meanwhile and reads on where the last one stopped.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as durableFile from "../internal/durableFile.js"
import * as followed from "../internal/followed.js"
import * as podFolders from "../internal/podFolders.js"
import * as podSupervisor from "../internal/podSupervisor.js"
import * as pollTicks from "../internal/pollTicks.js"
import * as supervisorLock from "../internal/supervisorLock.js"
import type { SupervisorError, SupervisorFileFailed } from "./SupervisorError.js"
import * as Files from "./SupervisorFiles.js"
import * as Metrics from "./SupervisorMetrics.js"
import * as Paths from "./SupervisorPaths.js"

/**
 * How to supervise.
 *
 * @category models
 */
export interface Options {
  /** The agent's data directory, an absolute path. */
  readonly dataDir: string
  /** How long starting an attempt may take before it is given up. Default 30 seconds. */
  readonly startTimeout?: Duration.DurationInput
  /** How long to wait for a notice of the file system before looking anyway. Default 1 second. */
  readonly pollInterval?: Duration.DurationInput
}

const encodeInfo = Schema.encodeSync(Files.SupervisorInfoJson)

/**
 * Whether a supervisor is alive for the data directory.
 *
 * @category combinators
 */
export const isAlive = (dataDir: string): Effect.Effect<boolean, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = Paths.lock(dataDir)
    const exists = yield* Effect.mapError(fs.exists(path), durableFile.failed("look for", path))
    return exists && (yield* supervisorLock.isHeld(dataDir, path))
  })

/**
 * Supervises all pods of a data directory until interrupted. Interruption leaves the containers running.
 *
 * Fails with `SupervisorRunning` when another one does so already, and with `SupervisorFileFailed` when the data directory is not usable;
 * trouble with one pod is logged, and tried again, without harm to the others.
 *
 * @category constructors
 */
export const run = (
  options: Options
): Effect.Effect<never, SupervisorError, CommandRunner.CommandRunner | FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const runner = yield* CommandRunner.CommandRunner
    const pollInterval = Duration.decode(options.pollInterval ?? "1 second")
    const startTimeout = Duration.decode(options.startTimeout ?? "30 seconds")
    const podsDir = Paths.pods(options.dataDir)
    yield* fs.makeDirectory(podsDir, { recursive: true, mode: 0o700 }).pipe(Effect.mapError(durableFile.failed("create", podsDir)))
    // Somebody who asks whether a supervisor lives holds the lock for a moment.
    yield* supervisorLock.acquire(options.dataDir, Paths.lock(options.dataDir)).pipe(
      Effect.retry({
        while: (error) => error._tag === "SupervisorRunning",
        schedule: Schedule.intersect(Schedule.spaced("200 millis"), Schedule.recurs(5))
      })
    )
    const startedAt = yield* Clock.currentTimeMillis
    yield* durableFile.write(Paths.info(options.dataDir), encodeInfo({ schema: 1, pid: process.pid, startedAt }))
    yield* Effect.logInfo("supervising").pipe(Effect.annotateLogs({ dataDir: options.dataDir, pid: process.pid }))

    const ticks = yield* pollTicks.make(pollInterval)
    const pods = yield* FiberMap.make<string>()
    const known = new Map<string, followed.Followed<Files.PodSpec>>()

    const supervise = (uid: string, specs: followed.Followed<Files.PodSpec>) =>
      Effect.gen(function*() {
        return yield* podSupervisor.run({ dataDir: options.dataDir, spec: specs.get(), runner, startTimeout, pollInterval, ticks }, specs)
      }).pipe(
        Effect.tapErrorCause((cause) => Effect.logWarning("supervising a pod failed; trying again", cause)),
        Effect.retry(Schedule.jittered(Schedule.spaced("1 second"))),
        Effect.annotateLogs({ uid })
      )

    const changed = (uid: string) =>
      Effect.gen(function*() {
        const spec = yield* durableFile.read(Paths.spec(options.dataDir, uid), Files.PodSpecJson)
        if (Option.isNone(spec)) return
        const before = known.get(uid)
        if (before !== undefined) {
          yield* before.set(spec.value)
          return
        }
        const specs = followed.make(spec.value)
        known.set(uid, specs)
        yield* Metric.set(Metrics.supervisedPods, known.size)
        yield* FiberMap.run(pods, uid, supervise(uid, specs))
      }).pipe(Effect.catchAll((error) => Effect.logWarning("a specification cannot be used", error)))

    const gone = (uid: string) =>
      Effect.gen(function*() {
        known.delete(uid)
        yield* Metric.set(Metrics.supervisedPods, known.size)
        yield* FiberMap.remove(pods, uid)
      })

    return yield* podFolders.follow({ directory: podsDir, fileName: "spec.json", pollInterval, onChange: changed, onGone: gone })
  }).pipe(Effect.scoped)
