/**
 * The pods of a directory of manifests, kept current: by notices of the file system, and by looking every now and then in any case.
 *
 * What cannot be read removes nothing. A file that broke keeps the pods it had, also over restarts of the agent: what was accepted is kept
 * in a record. Only a file that is gone from a directory that could be listed takes its pods along.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as AdoptionMetrics from "../adoption/AdoptionMetrics.js"
import * as folderWatch from "../internal/folderWatch.js"
import * as ledgerRecord from "../internal/ledgerRecord.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as ManifestFile from "./ManifestFile.js"

/** @category models */
export interface Options {
  /** The directory; absent on a node without static pods. It is the operator's: nothing is ever written to it. */
  readonly directory: string | undefined
  readonly nodeName: string
  /** The agent's data directory, where the record of accepted manifests is kept. */
  readonly dataDir: string
  /** How often the directory is looked at without a notice. Default 20 seconds. */
  readonly rescanInterval?: Duration.DurationInput
  /** How long a file must not have changed before it is read. Default 1 second. */
  readonly settleTime?: Duration.DurationInput
}

/** One change of the set. @category models */
export type Change =
  | { readonly type: "added"; readonly pod: CoreV1.Pod }
  | { readonly type: "removed"; readonly pod: CoreV1.Pod }

/** What is wrong with a file. @category models */
export interface Problem {
  readonly file: string
  readonly detail: string
}

/** @category models */
export interface ManifestDirectory {
  /** The static pods, by uid. */
  readonly pods: () => ReadonlyMap<string, CoreV1.Pod>
  /** Whether the directory was looked at completely: before that nothing can be said of a pod that is not among them. */
  readonly isSynced: () => boolean
  /** Waits for the first complete look. */
  readonly hasSynced: Effect.Effect<void>
  /** What is wrong now. */
  readonly problems: () => ReadonlyArray<Problem>
  /** Calls `handler` for every change, and for each pod that is there already. It must be quick. */
  readonly onChange: (handler: (change: Change) => void) => void
  /** Calls `handler` for each new problem. */
  readonly onProblem: (handler: (problem: Problem) => void) => void
  /** Looks at the directory now. */
  readonly scan: Effect.Effect<void>
}

const Accepted = Schema.Struct({
  files: Schema.Array(Schema.Struct({ file: Schema.String, text: Schema.String }))
})

interface Seen {
  readonly stamp: string
  /** The text whose pods count: the newest one that was valid. */
  readonly text: string
  readonly pods: ReadonlyArray<CoreV1.Pod>
}

const stampOf = (info: FileSystem.File.Info): string =>
  [Option.getOrElse(info.ino, () => 0), Option.match(info.mtime, { onNone: () => 0, onSome: (time) => time.getTime() }), info.size].join(":")

/**
 * Looks at the directory once, as far as it can be read, and then keeps to it for as long as the scope lives. Fails only when the record of
 * what was accepted is of a newer version.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<ManifestDirectory, SupervisorFileFailed, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { directory, nodeName } = options
    const settleMillis = Duration.toMillis(options.settleTime ?? "1 second")
    const record = ledgerRecord.make(`${options.dataDir}/ledger/static`, 1, Accepted)
    const remembered = yield* record.read
    let sequence = remembered.sequence
    let accepted = new Map<string, Seen>()
    let pods: ReadonlyMap<string, CoreV1.Pod> = new Map()
    let problems = new Map<string, string>()
    let synced = directory === undefined
    const firstScan = yield* Deferred.make<void>()
    const handlers: Array<(change: Change) => void> = []
    const problemHandlers: Array<(problem: Problem) => void> = []
    const wakeUps = yield* Queue.sliding<void>(1)

    if (directory !== undefined) {
      for (const { file, text } of Option.match(remembered.body, { onNone: () => [], onSome: ({ files }) => files })) {
        const read = ManifestFile.read(text, nodeName)
        if (Either.isRight(read)) accepted.set(file, { stamp: "", text, pods: read.right })
      }
      pods = ManifestFile.merge(new Map([...accepted].map(([file, seen]) => [file, seen.pods]))).pods
    }

    const remember = Effect.suspend(() =>
      record.write({ files: [...accepted].map(([file, { text }]) => ({ file, text })) }, ++sequence)
    ).pipe(
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.catchAll((error) => Effect.logWarning("the record of static manifests cannot be written; a manifest that breaks now is not remembered over a restart", error))
    )

    const publish = (): boolean => {
      const merged = ManifestFile.merge(new Map([...accepted].map(([file, seen]) => [file, seen.pods])))
      for (const [file, detail] of merged.duplicates) problems.set(file, detail)
      const before = pods
      pods = merged.pods
      const changes: ReadonlyArray<Change> = [
        ...[...before].flatMap(([uid, pod]) => pods.has(uid) ? [] : [{ type: "removed", pod } as const]),
        ...[...pods].flatMap(([uid, pod]) => before.has(uid) ? [] : [{ type: "added", pod } as const])
      ]
      for (const change of changes) for (const handler of handlers) handler(change)
      return changes.length > 0
    }

    const readFile = (folder: string, file: string, now: number, next: Map<string, Seen>, wrong: Map<string, string>) =>
      Effect.gen(function*() {
        const before = accepted.get(file)
        const keep = () => before === undefined ? undefined : next.set(file, before)
        const path = `${folder}/${file}`
        const info = yield* fs.stat(path)
        if (info.type !== "File") return true
        const stamp = stampOf(info)
        const known = problems.get(file)
        if (before?.stamp === stamp) {
          next.set(file, before)
          if (known !== undefined) wrong.set(file, known)
          return true
        }
        const changedAt = Option.match(info.mtime, { onNone: () => 0, onSome: (time) => time.getTime() })
        // Somebody may be writing it. A clock that was set back must not hold a file for ever, so only the recent past counts.
        if (now - changedAt < settleMillis && now >= changedAt) {
          keep()
          return false
        }
        if (Number(info.size) > ManifestFile.maximumBytes) {
          keep()
          wrong.set(file, `it is larger than ${ManifestFile.maximumBytes} bytes`)
          return true
        }
        const text = yield* fs.readFileString(path)
        const read = ManifestFile.read(text, nodeName)
        if (Either.isRight(read)) next.set(file, { stamp, text, pods: read.right })
        else {
          wrong.set(file, read.left)
          keep()
        }
        return true
      }).pipe(
        Effect.catchAll((error) =>
          Effect.sync(() => {
            const before = accepted.get(file)
            if (before !== undefined) next.set(file, before)
            wrong.set(file, error.message)
            return true
          }))
      )

    const once = (folder: string) =>
      Effect.gen(function*() {
        const names = (yield* fs.readDirectory(folder)).filter(ManifestFile.isManifestName)
        const now = yield* Clock.currentTimeMillis
        const next = new Map<string, Seen>()
        const wrong = new Map<string, string>()
        const settled = yield* Effect.forEach(names, (file) => readFile(folder, file, now, next, wrong), { concurrency: 8 })
        const complete = settled.every((done) => done)
        const texts = (files: ReadonlyMap<string, Seen>) => [...files].map(([file, { text }]) => JSON.stringify([file, text])).toSorted().join()
        const changed = texts(next) !== texts(accepted)
        const before = problems
        accepted = next
        problems = wrong
        // What is wrong now is remembered before anybody acts on the change: a crash must not make a pod forget its manifest.
        if (changed) yield* remember
        if (complete) synced = true
        publish()
        for (const [file, detail] of problems) {
          if (before.get(file) === detail) continue
          yield* Effect.logWarning("a static manifest cannot be used; what it said before stays").pipe(Effect.annotateLogs({ file, detail }))
          for (const handler of problemHandlers) handler({ file, detail })
        }
        yield* Metric.set(Metric.tagged(AdoptionMetrics.staticManifests, "result", "accepted"), accepted.size)
        yield* Metric.set(Metric.tagged(AdoptionMetrics.staticManifests, "result", "rejected"), problems.size)
        if (complete) yield* Deferred.succeed(firstScan, undefined)
        return complete
      })

    let lastFailure = ""
    const look: Effect.Effect<boolean> = directory === undefined
      ? Effect.as(Deferred.succeed(firstScan, undefined), true)
      : once(directory).pipe(
        Effect.tap(() => Effect.sync(() => void (lastFailure = ""))),
        Effect.catchAll((error) => {
          const warning = error.message === lastFailure ? Effect.void : Effect.logWarning(`the directory of static manifests cannot be read; its pods stay as they are`, error)
          lastFailure = error.message
          return Effect.as(warning, true)
        })
      )
    const turn = Effect.unsafeMakeSemaphore(1)
    const scan = turn.withPermits(1)(look)

    if (directory !== undefined) {
      let close: (() => void) | undefined
      const notice = (name: string | null) => {
        if (name !== null && name === directory.split("/").at(-1)) {
          close?.()
          close = undefined
        }
        wakeUps.unsafeOffer(undefined)
      }
      yield* Effect.addFinalizer(() => Effect.sync(() => close?.()))
      const watched = Effect.sync(() => {
        close ??= folderWatch.open(directory, notice)
      })
      const interval = Duration.decode(options.rescanInterval ?? "20 seconds")
      const loop = Effect.gen(function*() {
        yield* watched
        const complete = yield* scan
        yield* Effect.raceFirst(complete ? Queue.take(wakeUps) : Effect.never, Effect.sleep(complete ? interval : Duration.millis(settleMillis)))
      })
      yield* watched
      yield* scan
      yield* Effect.forkScoped(Effect.forever(loop))
    } else yield* Deferred.succeed(firstScan, undefined)

    return {
      pods: () => pods,
      isSynced: () => synced,
      hasSynced: Deferred.await(firstScan),
      problems: () => [...problems].map(([file, detail]) => ({ file, detail })),
      onChange: (handler) => {
        for (const pod of pods.values()) handler({ type: "added", pod })
        handlers.push(handler)
      },
      onProblem: (handler) => {
        for (const [file, detail] of problems) handler({ file, detail })
        problemHandlers.push(handler)
      },
      scan: Effect.asVoid(scan)
    }
  })
