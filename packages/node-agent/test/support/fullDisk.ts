/** A disk below a folder that a test can fill up, or make read-only. */
import { type PlatformError, SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** What the disk takes: everything, no content any more, or no change at all. */
export interface Disk {
  state: "fine" | "full" | "readOnly"
}

const texts = { full: "ENOSPC: no space left on device", readOnly: "EROFS: read-only file system" } as const

/** The machine, with such a disk at `folder`. */
export const machine = (folder: string, disk: Disk): typeof NodeContext.layer => {
  const refused = (path: string, method: string): Effect.Effect<never, PlatformError> =>
    Effect.fail(new SystemError({ reason: "Unknown", module: "FileSystem", method, pathOrDescriptor: path, description: disk.state === "fine" ? "" : texts[disk.state] }))
  const isOn = (path: string) => path === folder || path.startsWith(`${folder}/`)
  /** A change that needs room. */
  const filling = <A, R>(path: string, method: string, change: Effect.Effect<A, PlatformError, R>) =>
    Effect.suspend(() => disk.state !== "fine" && isOn(path) ? refused(path, method) : change)
  /** One that needs none. */
  const changing = <A, R>(path: string, method: string, change: Effect.Effect<A, PlatformError, R>) =>
    Effect.suspend(() => disk.state === "readOnly" && isOn(path) ? refused(path, method) : change)
  const guarded = (path: string, handle: FileSystem.File): FileSystem.File =>
    new Proxy(handle, {
      get: (file, name) => {
        if (name === "writeAll") return (buffer: Uint8Array) => filling(path, name, file.writeAll(buffer))
        if (name === "write") return (buffer: Uint8Array) => filling(path, name, file.write(buffer))
        const value: unknown = Reflect.get(file, name, file)
        return typeof value === "function" ? value.bind(file) : value
      }
    })
  const wrap = (fs: FileSystem.FileSystem): FileSystem.FileSystem => ({
    ...fs,
    open: (path, options) => {
      const opened = Effect.map(fs.open(path, options), (handle) => guarded(path, handle))
      return (options?.flag ?? "r") === "r" ? opened : changing(path, "open", opened)
    },
    writeFile: (path, data, options) => filling(path, "writeFile", fs.writeFile(path, data, options)),
    writeFileString: (path, data, options) => filling(path, "writeFile", fs.writeFileString(path, data, options)),
    makeDirectory: (path, options) => filling(path, "makeDirectory", fs.makeDirectory(path, options)),
    link: (from, to) => changing(to, "link", fs.link(from, to)),
    rename: (from, to) => changing(to, "rename", fs.rename(from, to)),
    truncate: (path, length) => changing(path, "truncate", fs.truncate(path, length)),
    remove: (path, options) => changing(path, "remove", fs.remove(path, options))
  })
  return Layer.map(NodeContext.layer, (context) => Context.add(context, FileSystem.FileSystem, wrap(Context.get(context, FileSystem.FileSystem))))
}
