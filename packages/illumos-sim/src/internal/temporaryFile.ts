/** Files that commands of the host read by path. */
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { HostFiles } from "./hostFiles.js"

/** Removes a folder with a file in it; by a walk only where that is not all there is. */
const discard = (folder: string, file: string): void => {
  try {
    fs.unlinkSync(path.join(folder, file))
    fs.rmdirSync(folder)
  } catch {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** `tempFile` of a `CommandRunner` for the host with these files. */
export const make = (files: HostFiles) => (name: string, content: string): Effect.Effect<string, CommandRunner.CommandUnavailable, Scope.Scope> => {
  const file = name.replaceAll(/[^A-Za-z0-9_.-]/g, "_")
  return Effect.acquireRelease(
    Effect.try({
      try: () => {
        const folder = files.real(`/tmp/${randomUUID()}`)
        fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
        fs.writeFileSync(path.join(folder, file), content, { flag: "wx", mode: 0o600 })
        return { folder, named: `${folder.slice(files.root.length)}/${file}` }
      },
      catch: (error) =>
        new CommandRunner.CommandUnavailable({
          program: "tempFile",
          args: [file],
          reason: "TempFile",
          detail: error instanceof Error ? error.message : String(error)
        })
    }),
    ({ folder }) => Effect.sync(() => discard(folder, file))
  ).pipe(Effect.map(({ named }) => named))
}
