/**
 * Looking at file systems that may hang. A system call on a dead disk blocks its thread until the device returns, and no signal ends it; so
 * every one runs in a child process. A child that does not even die of SIGKILL is left alone, counted, and not joined by a second one.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import type { HealthMetrics } from "./HealthMetrics.js"

/** What to do in the child. @category models */
export type Task =
  /** Creates a file of a fixed name in the folder, writes one byte, fsyncs, removes it. */
  | { readonly _tag: "Write"; readonly folder: string }
  /** Space and inodes of the file system that holds the path. */
  | { readonly _tag: "Space"; readonly path: string }
  /** A small file as text. */
  | { readonly _tag: "Read"; readonly path: string }
  /** Replaces a file: the old content or the new, also after a crash. */
  | { readonly _tag: "Save"; readonly path: string; readonly content: string }
  /** Removes a file; a missing one is fine. */
  | { readonly _tag: "Remove"; readonly path: string }

/** Space in bytes and inodes; inodes are absent where the file system has no fixed number of them. @category models */
export interface Space {
  readonly total: number
  readonly available: number
  readonly inodes?: number
  readonly inodesFree?: number
}

/** Did not end in time, or an earlier one of the same place has still not ended. @category errors */
export class ProbeHung extends Schema.TaggedError<ProbeHung>()("ProbeHung", {
  path: Schema.String,
  /** Whether this one was not even started, because an earlier one still hangs. */
  earlier: Schema.Boolean
}) {
  override get message(): string {
    return `${this.path}: ${this.earlier ? "an earlier access still hangs" : "no answer in time"}; look at the device below it`
  }
}

/** The system call said no, with the code of the operating system. @category errors */
export class ProbeFailed extends Schema.TaggedError<ProbeFailed>()("ProbeFailed", {
  path: Schema.String,
  /** `EROFS`, `EIO`, `ENOENT` and so on; `SPAWN` when there is no child. */
  code: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.path}: ${this.detail}; check that the path exists and may be used`
  }
}

/** A child at work. `ended` is called once with what it printed, or with nothing when a signal ended it. @category models */
export interface Child {
  readonly kill: () => void
}

/** Starts a child on a task; throws when it cannot. @category models */
export type Start = (task: Task, ended: (output: string) => void) => Child

/** Files that are read whole are at most this long, in bytes. */
const maxRead = 262_144

/** The fixed name of the file that `Write` makes. @category models */
export const probeFile = ".reddwarf-write-probe"

/** Runs in the child. Synchronous calls, so that exactly one thread hangs; the answer is one line of JSON. */
const program = `
const fs = require("node:fs"), path = require("node:path")
const task = JSON.parse(process.argv[1]), c = fs.constants
const answer = (value) => fs.writeSync(1, JSON.stringify(value))
const written = (file, content, flags) => {
  const fd = fs.openSync(file, flags, 0o600)
  try { fs.writeSync(fd, content); fs.fsyncSync(fd) } finally { fs.closeSync(fd) }
}
try {
  if (task._tag === "Write") {
    const file = path.join(task.folder, ${JSON.stringify(probeFile)})
    written(file, "1", c.O_WRONLY | c.O_CREAT | c.O_TRUNC | c.O_NOFOLLOW)
    fs.unlinkSync(file)
    answer({ ok: true })
  } else if (task._tag === "Space") {
    const s = fs.statfsSync(task.path)
    answer({ ok: true, space: { total: s.blocks * s.bsize, available: s.bavail * s.bsize, ...(s.files > 0 ? { inodes: s.files, inodesFree: s.ffree } : {}) } })
  } else if (task._tag === "Read") {
    const fd = fs.openSync(task.path, "r"), bytes = Buffer.alloc(${maxRead})
    let size = 0
    for (let read = 1; read > 0 && size < bytes.length; size += read) read = fs.readSync(fd, bytes, size, bytes.length - size, null)
    answer({ ok: true, text: bytes.toString("utf8", 0, size) })
  } else if (task._tag === "Save") {
    written(task.path + ".new", task.content, "w")
    fs.renameSync(task.path + ".new", task.path)
    const folder = fs.openSync(path.dirname(task.path), "r")
    try { fs.fsyncSync(folder) } finally { fs.closeSync(folder) }
    answer({ ok: true })
  } else {
    fs.rmSync(task.path, { force: true })
    answer({ ok: true })
  }
} catch (error) {
  answer({ ok: false, code: error.code || "EUNKNOWN", detail: error.message })
}`

/**
 * Starts children that are this very Node.js.
 *
 * @category constructors
 */
export const startNode: Start = (task, ended) => {
  const child = spawn(process.execPath, ["-e", program, JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin", LC_ALL: "C" },
    // Not below the process's own folder: it may be on the disk that hangs.
    cwd: "/"
  })
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (output.length < 4 * maxRead) output += text
  })
  let told = false
  const tell = (text: string) => {
    if (told) return
    told = true
    ended(text)
  }
  child.once("error", (error) => tell(JSON.stringify({ ok: false, code: "SPAWN", detail: error.message })))
  child.once("close", () => tell(output))
  // A child that hangs for ever must not keep this process from ending.
  child.unref()
  return { kill: () => void child.kill("SIGKILL") }
}

const Answer = Schema.parseJson(Schema.Union(
  Schema.Struct({
    ok: Schema.Literal(true),
    text: Schema.optional(Schema.String),
    space: Schema.optional(Schema.Struct({
      total: Schema.Number,
      available: Schema.Number,
      inodes: Schema.optionalWith(Schema.Number, { exact: true }),
      inodesFree: Schema.optionalWith(Schema.Number, { exact: true })
    }))
  }),
  Schema.Struct({ ok: Schema.Literal(false), code: Schema.String, detail: Schema.String })
))
type Answer = typeof Answer.Type
const decodeAnswer = Schema.decodeOption(Answer)

/** @category models */
export type ProbeError = ProbeFailed | ProbeHung

/** Looking at files by child processes. Every effect is killed with its child when it is interrupted: give it a time limit. @category models */
export interface FileProbe {
  readonly write: (folder: string) => Effect.Effect<void, ProbeError>
  readonly space: (path: string) => Effect.Effect<Space, ProbeError>
  readonly read: (path: string) => Effect.Effect<string, ProbeError>
  readonly save: (path: string, content: string) => Effect.Effect<void, ProbeError>
  readonly remove: (path: string) => Effect.Effect<void, ProbeError>
  /** How many children were killed and have not ended. */
  readonly stuck: () => number
}

const placeOf = (task: Task): string => task._tag === "Write" ? task.folder : task.path

/**
 * Probes that start children with `start`. Stuck ones show as `probe_stuck{mount}`.
 *
 * @category constructors
 */
export const make = (metrics: HealthMetrics, start: Start = startNode): FileProbe => {
  /** Children that were killed and have not ended, by task and place. */
  const stuck = new Set<string>()

  const run = (task: Task): Effect.Effect<Answer, ProbeError> =>
    Effect.suspend(() => {
      const path = placeOf(task)
      const key = `${task._tag} ${path}`
      if (stuck.has(key)) return new ProbeHung({ path, earlier: true })
      return Effect.async<Answer, ProbeError>((resume) => {
        let child: Child
        try {
          child = start(task, (output) => {
            if (stuck.delete(key)) metrics.remove("probe_stuck", { mount: path })
            resume(Option.match(decodeAnswer(output), {
              onNone: () => Effect.fail(new ProbeFailed({ path, code: "SPAWN", detail: "the probe process ended without an answer" })),
              onSome: Effect.succeed
            }))
          })
        } catch (cause) {
          return resume(Effect.fail(new ProbeFailed({ path, code: "SPAWN", detail: cause instanceof Error ? cause.message : String(cause) })))
        }
        return Effect.sync(() => {
          // Until its end is seen, which an ordinary one reaches at once.
          stuck.add(key)
          metrics.set("probe_stuck", 1, { mount: path })
          child.kill()
        })
      })
    }).pipe(
      Effect.flatMap((answer) => answer.ok ? Effect.succeed(answer) : Effect.fail(new ProbeFailed({ path: placeOf(task), code: answer.code, detail: answer.detail })))
    )

  const noText = (path: string) => new ProbeFailed({ path, code: "SPAWN", detail: "the probe process answered something else" })
  return {
    write: (folder) => Effect.asVoid(run({ _tag: "Write", folder })),
    space: (path) => Effect.flatMap(run({ _tag: "Space", path }), (answer) => answer.ok && answer.space !== undefined ? Effect.succeed(answer.space) : Effect.fail(noText(path))),
    read: (path) => Effect.flatMap(run({ _tag: "Read", path }), (answer) => answer.ok && answer.text !== undefined ? Effect.succeed(answer.text) : Effect.fail(noText(path))),
    save: (path, content) => Effect.asVoid(run({ _tag: "Save", path, content })),
    remove: (path) => Effect.asVoid(run({ _tag: "Remove", path })),
    stuck: () => stuck.size
  }
}

/**
 * The same effect with a time limit: hanging longer is an error.
 *
 * @category combinators
 */
export const within = <A>(effect: Effect.Effect<A, ProbeError>, path: string, millis: number): Effect.Effect<A, ProbeError> =>
  Effect.timeoutFail(effect, { duration: millis, onTimeout: () => new ProbeHung({ path, earlier: false }) })
