/** The files of one pod in the ledger: the record, its previous copy, and the log of the plan that is under way. */
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { LedgerFailed, LedgerSchemaNewer } from "../PlanError.js"
import * as PlanMetrics from "../PlanMetrics.js"
import * as ledgerCodec from "./ledgerCodec.js"

const encoder = new TextEncoder()

/** What was found of one pod. */
export interface Found {
  readonly record: ledgerCodec.Record | undefined
  readonly sequence: number
  /** Something was not whole, so that older content counts. */
  readonly recovered: boolean
  readonly hasLog: boolean
  /** The log ends with something that cannot be read: nothing may be appended to it. */
  readonly torn: boolean
}

const failed = (operation: string, path: string) => (cause: { readonly message: string }) =>
  new LedgerFailed({ operation, path, detail: cause.message })

const timedSync = (handle: FileSystem.File) =>
  Effect.flatMap(Effect.timed(handle.sync), ([spent]) => Metric.update(PlanMetrics.ledgerFsyncSeconds, spent))

const ifThere = (change: Effect.Effect<void, PlatformError>): Effect.Effect<void, PlatformError> =>
  Effect.catchTag(change, "SystemError", (error) => error.reason === "NotFound" ? Effect.void : Effect.fail(error))

/** File operations on one folder of pods. */
export const make = (fs: FileSystem.FileSystem, folder: string) => {
  const path = (uid: string) => `${folder}/${uid}`
  /** Pods of which there is a file; unknown before the folder was looked at. Nobody else writes in it. */
  let present: Set<string> | undefined
  /** Pods that have no record yet, only a log. */
  const unrecorded = new Set<string>()
  const found = (name: string): string => name.replace(/\.(?:prev|log|tmp)$/, "")

  const began = (uid: string) => Effect.sync(() => {
    if (present === undefined || present.has(uid)) return
    present.add(uid)
    unrecorded.add(uid)
  })

  const syncFolder = Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), timedSync))

  const readOptional = (file: string) =>
    fs.readFileString(file).pipe(
      Effect.catchTag("SystemError", (error) => error.reason === "NotFound" ? Effect.succeed(undefined) : Effect.fail(error)),
      Effect.mapError(failed("read", file))
    )

  /** Appends; creates the log where it is missing. */
  const append = (uid: string, text: string, durable: boolean, isNew: boolean) => {
    const file = `${path(uid)}.log`
    const bytes = encoder.encode(text)
    const write = !durable ? fs.writeFile(file, bytes, { flag: "a", mode: 0o600 }) : Effect.scoped(Effect.gen(function*() {
      const handle = yield* fs.open(file, { flag: "a", mode: 0o600 })
      yield* handle.writeAll(bytes)
      yield* timedSync(handle)
    }))
    return began(uid).pipe(
      Effect.zipRight(write),
      Effect.zipRight(durable && isNew ? syncFolder : Effect.void),
      Effect.mapError(failed("append to", file))
    )
  }

  /** Replaces the record, keeps the one before it, and empties the log. A crash at any place leaves one of the two whole. */
  const replace = (uid: string, text: string, hasLog: boolean) => {
    const file = path(uid)
    const temporary = `${file}.tmp`
    return Effect.gen(function*() {
      yield* began(uid)
      yield* Effect.scoped(Effect.gen(function*() {
        const handle = yield* fs.open(temporary, { flag: "w", mode: 0o600 })
        yield* handle.writeAll(encoder.encode(text))
        yield* timedSync(handle)
      }))
      if (!unrecorded.has(uid)) yield* fs.rename(file, `${file}.prev`).pipe(ifThere)
      yield* fs.rename(temporary, file)
      unrecorded.delete(uid)
      yield* syncFolder
      // Lines that are not newer than the record are not read again, so the log need not be emptied durably.
      if (hasLog) yield* fs.truncate(`${file}.log`, 0).pipe(ifThere)
    }).pipe(Effect.mapError(failed("write", file)))
  }

  const load = (uid: string): Effect.Effect<Found, LedgerFailed> =>
    Effect.gen(function*() {
      if (present?.has(uid) === false) return { record: undefined, sequence: 0, recovered: false, hasLog: false, torn: false }
      const file = path(uid)
      const [text, previous, log] = yield* Effect.all([readOptional(file), readOptional(`${file}.prev`), readOptional(`${file}.log`)])
      const newest = text === undefined ? undefined : ledgerCodec.readRecord(text)
      const older = previous === undefined ? undefined : ledgerCodec.readRecord(previous)
      const base = newest?._tag === "Whole" ? newest : older?._tag === "Whole" ? older : undefined
      let record = base?.value
      let sequence = base?.sequence ?? 0
      // A record that is missing beside its previous copy was being replaced: nothing is lost then.
      let recovered = newest?._tag === "Broken"
      let torn = false
      const lines = (log ?? "").split("\n")
      for (const [index, line] of lines.entries()) {
        if (line === "") continue
        const found = ledgerCodec.readLine(line)
        if (found._tag !== "Whole") {
          // The last line may have been cut off by a crash: what it says had not begun.
          recovered ||= index < lines.length - 1
          torn = true
          break
        }
        if (found.sequence <= sequence) continue
        record = ledgerCodec.apply(record, found.value)
        sequence = found.sequence
      }
      return { record, sequence, recovered, hasLog: log !== undefined, torn }
    })

  /** Empties the log. */
  const reset = (uid: string) => Effect.mapError(fs.truncate(`${path(uid)}.log`, 0), failed("empty", `${path(uid)}.log`))

  const uids = fs.readDirectory(folder).pipe(
    Effect.map((names) => [...new Set(names.map(found))].sort()),
    Effect.mapError(failed("read", folder))
  )

  /** Refuses a folder in which a newer agent wrote. */
  const check = Effect.gen(function*() {
    yield* fs.makeDirectory(folder, { recursive: true, mode: 0o700 }).pipe(Effect.mapError(failed("make", folder)))
    const names = yield* fs.readDirectory(folder).pipe(Effect.mapError(failed("read", folder)))
    present = new Set(names.map(found))
    yield* Effect.forEach(names, (name) => {
      const path = `${folder}/${name}`
      return Effect.flatMap(readOptional(path), (text) => {
        const found = ledgerCodec.newerSchema(text ?? "")
        return found === undefined ? Effect.void : Effect.fail(new LedgerSchemaNewer({ path, found, known: ledgerCodec.schemaVersion }))
      })
    }, { concurrency: 8, discard: true })
  })

  /**
   * The log goes first and the record before its previous copy: what is left by a crash never brings back an older plan to carry out. What a crash of
   * the host brings back is found as that of a pod which is gone, and removed again.
   */
  const remove = (uid: string) =>
    Effect.forEach([".log", "", ".prev", ".tmp"], (suffix) =>
      fs.remove(`${path(uid)}${suffix}`, { force: true }), { discard: true }).pipe(
        Effect.zipRight(Effect.sync(() => {
          present?.delete(uid)
          unrecorded.delete(uid)
        })),
        Effect.mapError(failed("remove", path(uid)))
      )

  return { append, check, load, remove, replace, reset, uids }
}
