/** Files that hold secrets: mode 0600 in directories of mode 0700, replaced as a whole or not at all. */
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { mkdir, open, readFile, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"

/** A file operation that did not work, with Node's error as the cause. */
export interface FileFailure {
  readonly path: string
  readonly detail: string
  readonly cause: unknown
}

const failure = (path: string) => (cause: unknown): FileFailure => ({
  path,
  detail: cause instanceof Error ? cause.message : String(cause),
  cause
})

const isMissing = ({ cause }: FileFailure): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT"

/** The text of a file; undefined when it does not exist. */
export const read = (path: string): Effect.Effect<string | undefined, FileFailure> =>
  Effect.tryPromise({ try: () => readFile(path, "utf8"), catch: failure(path) }).pipe(
    Effect.catchIf(isMissing, () => Effect.succeed(undefined))
  )

/** Creates a directory and its parents for this user only. An existing one keeps its mode. */
export const directory = (path: string): Effect.Effect<void, FileFailure> =>
  Effect.tryPromise({ try: () => mkdir(path, { recursive: true, mode: 0o700 }), catch: failure(path) })

/** Puts the text at the path: whoever reads sees the old file or the complete new one, also after a power failure. */
export const write = (path: string, text: string): Effect.Effect<void, FileFailure> => {
  const temporary = `${path}.${randomUUID()}.tmp`
  return Effect.tryPromise({
    try: async () => {
      const file = await open(temporary, "wx", 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
      const folder = await open(dirname(path), "r")
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
    },
    catch: failure(path)
  }).pipe(
    // What remains of a failed write is of no use, and that it cannot be removed adds nothing to the failure.
    Effect.tapError(() => Effect.ignore(Effect.tryPromise(() => rm(temporary, { force: true }))))
  )
}
