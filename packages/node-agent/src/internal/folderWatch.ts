/** Notices of the file system about one folder, as plain calls: a watch is in place when the call returns, so nothing can come between. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"

/**
 * Tells of every entry of a folder that came, went or was replaced from now on, by name where the system gives one; and of the folder's own
 * end, by its own name. Gives what ends it, or nothing when the folder is gone or the system has no more watches to give: who follows a folder
 * looks now and then in any case.
 */
export const open = (folder: string, onNotice: (name: string | null) => void): (() => void) | undefined => {
  try {
    const watcher = fs.watch(folder, (_, name) => onNotice(name))
    const close = () => watcher.close()
    watcher.on("error", close)
    return close
  } catch {
    return undefined
  }
}

/** The same for as long as a scope lives. */
export const scoped = (folder: string, onNotice: (name: string | null) => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(Effect.sync(() => open(folder, onNotice)), (close) => Effect.sync(() => close?.())))
