import * as Effect from "effect/Effect"
import * as CommandLine from "../CommandLine.js"
import type { CommandRunner } from "../CommandRunner.js"
import { HostCommandFailed, type HostError, ZoneRootRejected } from "../HostError.js"
import type { RootFile } from "../ZoneBrand.js"
import { detailOf } from "./refusal.js"

/** What a path of the host is. */
type Node = { readonly kind: "absent" | "directory" | "file" | "special" } | { readonly kind: "link"; readonly target: string }

const absent: Node = { kind: "absent" }

/** One line per path that exists; symbolic links are not followed. */
export const list = (paths: ReadonlyArray<string>): CommandLine.CommandLine => CommandLine.make("/usr/bin/ls", "-ld", ...paths)
export const makeDirectory = (path: string): CommandLine.CommandLine => CommandLine.make("/usr/bin/mkdir", "-p", path)
export const copy = (from: string, to: string): CommandLine.CommandLine => CommandLine.make("/usr/bin/cp", from, to)
/** Under the names they have. */
const copyInto = (folder: string, ...files: ReadonlyArray<string>): CommandLine.CommandLine => CommandLine.make("/usr/bin/cp", ...files, folder)
const changeMode = (mode: number, ...paths: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.make("/usr/bin/chmod", mode.toString(8).padStart(4, "0"), ...paths)
export const rename = (from: string, to: string): CommandLine.CommandLine => CommandLine.make("/usr/bin/mv", "-f", from, to)

/** What lines of `ls -ld` say about paths that are known beforehand; a path without a line is absent. */
const parseNodes = (paths: ReadonlyArray<string>, output: string): ReadonlyMap<string, Node> => {
  const nodes = new Map<string, Node>(paths.map((path) => [path, absent]))
  for (const line of output.split("\n")) {
    // A path may be the end of another one: the longest that fits is meant.
    const isLink = line.startsWith("l")
    const shown = isLink ? line.slice(0, Math.max(0, line.indexOf(" -> "))) : line
    const path = paths.filter((candidate) => shown.endsWith(` ${candidate}`)).sort((a, b) => b.length - a.length)[0]
    if (path === undefined) continue
    nodes.set(path, isLink ? { kind: "link", target: line.slice(shown.length + 4) } : { kind: line.startsWith("d") ? "directory" : line.startsWith("-") ? "file" : "special" })
  }
  return nodes
}

/** A path and all folders on the way to it. */
const prefixes = (path: string): ReadonlyArray<string> => {
  const names = path.split("/").filter((name) => name !== "" && name !== "." && name !== "..")
  return names.map((_, index) => names.slice(0, index + 1).join("/"))
}

const isPlain = (file: RootFile): boolean => file.unless === undefined && file.requires === undefined

/** As many as a kernel follows. */
const mostLinks = 20

interface Place {
  /** Path on the host, free of symbolic links. */
  readonly path: string
  readonly node: Node
}

/** The files of a root from which nothing runs, that of a halted zone for instance. Nothing outside it is ever touched, whatever links an image brings. */
export const prepare = (
  runner: CommandRunner["Type"],
  zone: string,
  root: string,
  files: ReadonlyArray<RootFile>,
  /** Folders that must be there, absolute in the root. */
  folders: ReadonlyArray<string> = []
): Effect.Effect<void, HostError> => {
  const operation = "prepare the root of zone"
  const rejected = (detail: string) => Effect.fail(new ZoneRootRejected({ operation, object: zone, detail }))
  const succeed = (line: CommandLine.CommandLine): Effect.Effect<void, HostError> =>
    Effect.flatMap(runner.run(line), (result) =>
      result.exitCode === 0
        ? Effect.void
        : Effect.fail(new HostCommandFailed({ operation, object: zone, detail: detailOf(result), exitCode: result.exitCode })))

  const known = new Map<string, Node>()
  const look = (paths: ReadonlyArray<string>): Effect.Effect<void, HostError> =>
    Effect.flatMap(runner.run(list(paths)), (result) => {
      // It says so for each path that is absent, and ends with 2.
      const others = result.stderr.split("\n").filter((line) => line !== "" && !/No such file or directory/.test(line))
      if (others.length > 0) return Effect.fail(new HostCommandFailed({ operation, object: zone, detail: detailOf(result), exitCode: result.exitCode }))
      for (const [path, node] of parseNodes(paths, result.stdout)) known.set(path, node)
      return Effect.void
    })
  const nodeAt = (path: string): Effect.Effect<Node, HostError> =>
    Effect.suspend(() => {
      const node = known.get(path)
      return node === undefined ? Effect.map(look([path]), () => known.get(path) ?? absent) : Effect.succeed(node)
    })

  /** Where a path of the zone is on the host, following links as the zone would: `/` is its root, and `..` does not lead out of it. */
  const locate = (wanted: string): Effect.Effect<Place, HostError> =>
    Effect.gen(function*() {
      const todo = wanted.split("/").toReversed()
      const done: Array<string> = []
      let node: Node = { kind: "directory" }
      let links = 0
      while (todo.length > 0) {
        const name = todo.pop() ?? ""
        if (name === "" || name === ".") continue
        if (name === "..") {
          done.pop()
          node = { kind: "directory" }
          continue
        }
        done.push(name)
        // Below something that is not there, nothing is.
        node = node.kind === "absent" ? absent : yield* nodeAt(`${root}/${done.join("/")}`)
        if (node.kind !== "link") continue
        links += 1
        if (links > mostLinks || node.target === "") return yield* rejected(`${wanted} leads through too many links`)
        if (node.target.startsWith("/")) done.length = 0
        else done.pop()
        todo.push(...node.target.split("/").toReversed())
        node = { kind: "directory" }
      }
      return { path: `${root}${done.map((name) => `/${name}`).join("")}`, node }
    })

  const exists = (path: string) => Effect.map(locate(path), ({ node }) => node.kind !== "absent")

  /** Where a file is to be written; its folder exists then. */
  const place = (file: RootFile): Effect.Effect<string, HostError> =>
    Effect.gen(function*() {
      const { node, path } = yield* locate(file.path)
      if (node.kind === "directory") yield* rejected(`${file.path} is a directory`)
      // Of an image: whoever wrote into it would write to a device of the host, or wait for a reader for ever.
      if (node.kind === "special") yield* rejected(`${file.path} is a device, a FIFO or a socket`)
      const folder = path.slice(0, path.lastIndexOf("/"))
      if (folder !== root && (yield* nodeAt(folder)).kind === "absent") {
        yield* succeed(makeDirectory(folder))
        known.clear()
      }
      return path
    })

  /** Written before each boot, so a copy that a crash cut short is written again before anybody reads it: no more commands than folders and modes. */
  const renew = (plain: ReadonlyArray<RootFile>): Effect.Effect<void, HostError> =>
    Effect.gen(function*() {
      const byFolder = new Map<string, Map<string, string>>()
      const byMode = new Map<number, Set<string>>()
      for (const file of plain) {
        const path = yield* place(file)
        const at = path.lastIndexOf("/")
        const [folder, name] = [path.slice(0, at), path.slice(at + 1)]
        // Of two files that links make one, the later one counts.
        byFolder.set(folder, new Map([...byFolder.get(folder) ?? [], [name, file.content]]))
        for (const paths of byMode.values()) paths.delete(path)
        byMode.set(file.mode, new Set([...byMode.get(file.mode) ?? [], path]))
      }
      for (const [folder, files] of byFolder) {
        const sources = yield* Effect.forEach(files, ([name, content]) =>
          Effect.map(runner.tempFile(name, content), (source) => ({ name, source })))
        const named = sources.filter(({ name, source }) => source.endsWith(`/${name}`))
        if (named.length > 0) yield* succeed(copyInto(folder, ...named.map(({ source }) => source)))
        // A name that is not kept as it is.
        for (const { name, source } of sources) if (!source.endsWith(`/${name}`)) yield* succeed(copy(source, `${folder}/${name}`))
      }
      for (const [mode, paths] of byMode) if (paths.size > 0) yield* succeed(changeMode(mode, ...paths))
    }).pipe(Effect.scoped)

  const complete = (file: RootFile): Effect.Effect<void, HostError> =>
    Effect.gen(function*() {
      for (const other of file.unless ?? []) if (yield* exists(other)) return
      for (const other of file.requires ?? []) {
        if (!(yield* exists(other))) yield* rejected(`the image has no ${file.path}, and without ${other} none can be given to it`)
      }
      const path = yield* place(file)
      const temporary = yield* runner.tempFile(file.path.replaceAll("/", "_"), file.content)
      // Complete before it has its name: a crash in between leaves no half-written init behind.
      const fresh = `${path}.reddwarf-new`
      yield* succeed(copy(temporary, fresh))
      yield* succeed(changeMode(file.mode, fresh))
      yield* succeed(rename(fresh, path))
      known.clear()
    }).pipe(Effect.scoped)

  const makeFolder = (wanted: string): Effect.Effect<void, HostError> =>
    Effect.gen(function*() {
      const { node, path } = yield* locate(wanted)
      if (node.kind === "directory") return
      if (node.kind !== "absent") yield* rejected(`${wanted} is no directory`)
      yield* succeed(makeDirectory(path))
      known.clear()
    })

  if (files.length === 0 && folders.length === 0) return Effect.void
  const wanted = new Set([...folders, ...files.flatMap((file) => [file.path, ...file.unless ?? [], ...file.requires ?? []])].flatMap(prefixes))
  return look([...wanted].map((path) => `${root}/${path}`)).pipe(
    Effect.zipRight(Effect.forEach(files.filter((file) => !isPlain(file)), complete, { discard: true })),
    Effect.zipRight(Effect.forEach(folders, makeFolder, { discard: true })),
    Effect.zipRight(renew(files.filter(isPlain)))
  )
}
