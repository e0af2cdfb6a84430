import { type CommandLine, CommandRunner, type HostProcess } from "@reddwarf/runtime-illumos"
import { Effect, Layer, type Scope } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { SimulatedHost } from "../src/index.js"

/** Memory where there is such a folder: hundreds of hosts are made here, and each of their steps is synchronised to disk. */
const parent = fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir()

/** A folder of its own for one host, removed at the end. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(parent, "illumos-sim-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

/** A host with its controls, alive until the scope closes. */
export const hostIn = (folder: string, options: Omit<SimulatedHost.Options, "directory"> = {}) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(SimulatedHost.layerWithControls({ memoryMiB: 4096, cpus: 4, ...options, directory: folder }))
    const { run: runLine, start: startLine, tempFile } = yield* Effect.provide(CommandRunner.CommandRunner, context)
    // A test that fails half-way must leave no process behind.
    yield* Effect.addFinalizer(() => Effect.ignore(controls.rebootHost))
    const run = (line: CommandLine.CommandLine) => runLine(line)
    const start = (line: CommandLine.CommandLine, options?: CommandRunner.StartOptions): Effect.Effect<HostProcess.HostProcess, CommandRunner.CommandUnavailable, Scope.Scope> =>
      startLine(line, options)
    const controls = yield* Effect.provide(SimulatedHost.SimulatedHost, context)
    const command = (...words: ReadonlyArray<string>) =>
      run({ program: `/usr/sbin/${words[0] ?? ""}`, args: words.slice(1) })
    /** `zoneadm -z web boot`: words are separated by single blanks. */
    const sh = (text: string) => command(...text.split(" "))
    const expectOk = (text: string) =>
      Effect.tap(sh(text), (result) => result.exitCode === 0 ? Effect.void : Effect.dieMessage(`${text}: ${result.stderr}`))
    /** Runs a zonecfg script from a file. */
    const script = (zone: string, lines: ReadonlyArray<string>) =>
      Effect.scoped(Effect.flatMap(tempFile("script.cfg", `${lines.join("\n")}\n`), (file) => command("zonecfg", "-z", zone, "-f", file)))
    const zone = (name: string, ...extra: ReadonlyArray<string>) =>
      script(name, ["create -b", `set zonepath=/zones/${name}`, "set brand=sparse", ...extra, "verify", "commit"])
    const running = (name: string, ...extra: ReadonlyArray<string>) =>
      Effect.zipRight(zone(name, ...extra), Effect.zipRight(expectOk(`zoneadm -z ${name} install`), expectOk(`zoneadm -z ${name} boot`)))
    const states = Effect.map(sh("zoneadm list -cp"), (result) =>
      Object.fromEntries(result.stdout.trim().split("\n").map((line) => line.split(":")).map((fields) => [fields[1], fields[2]])))
    const layer = Layer.succeedContext(context)
    return { ...controls, layer, run, start, tempFile, command, sh, expectOk, script, zone, running, states, folder }
  })

export const host = (options: Omit<SimulatedHost.Options, "directory"> = {}) => Effect.flatMap(directory, (folder) => hostIn(folder, options))

export type Host = Effect.Effect.Success<ReturnType<typeof host>>

/** One row of an error table: commands that must work before, the command, and what it leaves behind. */
export interface Row {
  readonly name: string
  readonly before?: ReadonlyArray<string>
  readonly run: string
  readonly exit: number
  readonly stderr?: string
  readonly stdout?: string
}

/** Whether the process runs; a zombie that nobody has waited for does not. */
export const alive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(fs.readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}
