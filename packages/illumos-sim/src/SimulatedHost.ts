/** An emulated illumos host as a `CommandRunner`: the same commands, grammar, states, output and error texts. */
import { CommandLine, CommandRunner, HostProcess } from "@reddwarf/runtime-illumos"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Host, HostContext, InstantCommand, LongCommand, Timing } from "./CommandContext.js"
import * as Dladm from "./DladmCommand.js"
import * as Faults from "./Faults.js"
import * as HostInfo from "./HostInfoCommands.js"
import * as HostState from "./HostState.js"
import * as hostFiles from "./internal/hostFiles.js"
import type { Result } from "./internal/result.js"
import * as Ipadm from "./IpadmCommand.js"
import * as Kstat from "./KstatCommand.js"
import * as Ps from "./PsCommand.js"
import * as StateFile from "./StateFile.js"
import * as Zfs from "./zfs/ZfsCommand.js"
import * as Zpool from "./zfs/ZpoolCommand.js"
import * as Zlogin from "./ZloginCommand.js"
import * as Zoneadm from "./zoneadm/ZoneadmCommand.js"
import * as Zonecfg from "./zonecfg/ZonecfgCommand.js"
import * as ZoneKernel from "./ZoneKernel.js"

/** What kind of host, and where it is kept. @category models */
export interface Options {
  /** Folder of the host: its state file, its lock and its file system. Created when absent; hosts in other folders are other hosts. */
  readonly directory: string
  /** Whose zonecfg and output: illumos-gate or OmniOS. Default `omnios`. Like all that follows, read only when the host is created. */
  readonly dialect?: "gate" | "omnios"
  /** CPUs of the host; default those of this machine. */
  readonly cpus?: number
  /** Memory in MiB; default that of this machine. */
  readonly memoryMiB?: number
  /** Installed brands. Default `sparse lipkg ipkg pkgsrc lx bhyve`. */
  readonly brands?: ReadonlyArray<string>
  /** Pools with their size in bytes. Default `rpool`, as large as the disk of the directory, else 64 GiB. */
  readonly pools?: ReadonlyArray<{ readonly name: string; readonly size: number }>
  /** Physical links, all up. Default `net0`. */
  readonly links?: ReadonlyArray<string>
  /** How long installing takes. Default no time. This and the next four hold for this runner only. */
  readonly installDelay?: Duration.DurationInput
  /** How long booting takes from ready to running. Default no time. */
  readonly bootDelay?: Duration.DurationInput
  /** How long halting takes. Default no time. */
  readonly haltDelay?: Duration.DurationInput
  /** How long a shutdown leaves processes alone after SIGTERM. Default 10 seconds. */
  readonly shutdownGrace?: Duration.DurationInput
  /** How long `zoneadm shutdown` waits for a zone that does not go. Default 100 seconds. */
  readonly stopTimeout?: Duration.DurationInput
}

/** The controls a test has over the host, beyond its commands. @category services */
export class SimulatedHost extends Context.Tag("@reddwarf/illumos-sim/SimulatedHost")<SimulatedHost, {
  /** Plants a fault; it stays in the state directory until it is used up or cleared. */
  readonly inject: (fault: Faults.Fault) => Effect.Effect<void, StateFile.StateUnavailable>
  /** Removes every fault. */
  readonly clearFaults: Effect.Effect<void, StateFile.StateUnavailable>
  /** A power cycle: kernel zones, their processes and temporary objects vanish, zones with `autoboot` start. */
  readonly rebootHost: Effect.Effect<void, StateFile.StateUnavailable>
  /** The host as it is now. A copy: changing it changes nothing. */
  readonly state: Effect.Effect<HostState.HostState, StateFile.StateUnavailable>
  /** Real path of an illumos path on this host. */
  readonly realPath: (illumosPath: string) => string
}>() {}

const DEFAULT_POOL = 64 * 1024 ** 3

const diskSize = (directory: string): number => {
  try {
    const stat = fs.statfsSync(directory)
    return stat.blocks * stat.bsize || DEFAULT_POOL
  } catch {
    return DEFAULT_POOL
  }
}

const defaults = (options: Options, now: number): HostState.HostDefaults => ({
  hostId: randomUUID(),
  dialect: options.dialect ?? "omnios",
  now,
  cpus: options.cpus ?? Math.max(1, os.cpus().length),
  memoryMiB: options.memoryMiB ?? Math.floor(os.totalmem() / 1024 ** 2),
  brands: options.brands ?? ["sparse", "lipkg", "ipkg", "pkgsrc", "lx", "bhyve"],
  pools: options.pools ?? [{ name: "rpool", size: diskSize(options.directory) }],
  links: options.links ?? ["net0"]
})

/** The files by which automation finds out what kind of host this is. */
const systemFiles = ({ host, files }: HostContext): void => {
  for (const brand of host.brands) {
    const folder = files.real(`/usr/lib/brand/${brand}`)
    if (files.makeDirectory(folder)) fs.writeFileSync(path.join(folder, "config.xml"), `<brand name="${brand}"/>\n`)
  }
  files.makeDirectory(files.real("/etc"))
  const release = host.dialect === "omnios" ? "OmniOS v11 r151054 (simulated)" : "illumos (simulated)"
  if (!fs.existsSync(files.real("/etc/release"))) fs.writeFileSync(files.real("/etc/release"), `  ${release}\n`)
}

const timing = (options: Options): Timing => ({
  install: Duration.toMillis(options.installDelay ?? 0),
  boot: Duration.toMillis(options.bootDelay ?? 0),
  halt: Duration.toMillis(options.haltDelay ?? 0),
  shutdownGrace: Duration.toMillis(options.shutdownGrace ?? "10 seconds"),
  stopTimeout: Duration.toMillis(options.stopTimeout ?? "100 seconds")
})

type Program = { readonly instant: InstantCommand } | { readonly long: LongCommand }

const instant = (command: InstantCommand): Program => ({ instant: command })

const programs: Readonly<Record<string, Program>> = {
  "/usr/sbin/zoneadm": { long: Zoneadm.run },
  "/usr/sbin/zonecfg": instant(Zonecfg.run),
  "/usr/sbin/zlogin": { long: Zlogin.run },
  "/usr/sbin/dladm": instant(Dladm.run),
  "/usr/sbin/ipadm": instant(Ipadm.run),
  "/usr/sbin/zfs": instant(Zfs.run),
  "/usr/sbin/zpool": instant(Zpool.run),
  "/usr/sbin/psrinfo": instant(HostInfo.psrinfo),
  "/usr/sbin/prtconf": instant(HostInfo.prtconf),
  "/usr/bin/uname": instant(HostInfo.uname),
  "/usr/bin/zonename": instant(HostInfo.zonename),
  "/usr/bin/hostid": instant(HostInfo.hostid),
  "/usr/bin/isainfo": instant(HostInfo.isainfo),
  "/usr/bin/kstat": instant(Kstat.run),
  "/usr/bin/ls": instant(HostInfo.ls),
  "/usr/bin/ps": instant(Ps.run),
  "/usr/bin/chmod": instant(HostInfo.chmod),
  "/usr/bin/mkdir": instant(HostInfo.mkdir)
}

/** Folders in which a name without a slash is looked up, in this order. */
const searchPath = ["/usr/sbin", "/usr/bin"]

const lookup = (program: string): readonly [string, Program] | undefined => {
  const paths = program.includes("/") ? [program.replace(/^\/sbin\//, "/usr/sbin/").replace(/^\/bin\//, "/usr/bin/")] : searchPath.map((folder) => `${folder}/${program}`)
  for (const candidate of paths) {
    const command = programs[candidate]
    if (command !== undefined) return [path.basename(candidate), command]
  }
  return undefined
}

/** `pfexec prog args` is `prog args`: the emulated user is root in the global zone. */
const withoutPfexec = (line: CommandLine.CommandLine): CommandLine.CommandLine => {
  const [program, ...args] = line.args
  return /^(\/usr\/bin\/)?pfexec$/.test(line.program) && program !== undefined ? { ...line, program, args } : line
}

const unavailable = (line: CommandLine.CommandLine, reason: "NotFound" | "Timeout" | "Failed" | "TempFile", detail: string) =>
  new CommandRunner.CommandUnavailable({ program: line.program, args: [...line.args], reason, detail })

const applies = (program: string, args: ReadonlyArray<string>) => (fault: { readonly program: string; readonly match: string }): boolean =>
  (fault.program === program || path.basename(fault.program) === program) && args.join(" ").includes(fault.match)

interface Planted {
  readonly delayMillis: number | undefined
  readonly hangs: boolean
  readonly fails: Faults.Of<"failNext"> | undefined
}

/** The faults planted for a command line, used up; nothing where there are none. */
const strike = ({ host }: HostContext, program: string, args: ReadonlyArray<string>): Planted | undefined => {
  if (host.faults.length === 0) return undefined
  const matches = applies(program, args)
  const planted = {
    delayMillis: Faults.consume(host, "slow", matches)?.delayMillis,
    hangs: Faults.consume(host, "hang", matches) !== undefined,
    fails: Faults.consume(host, "failNext", matches)
  }
  return planted.delayMillis === undefined && !planted.hangs && planted.fails === undefined ? undefined : planted
}

/** What a fault leaves behind before the command itself runs, or nothing when it may run. */
const suffer = ({ delayMillis, fails, hangs }: Planted): Effect.Effect<Result | undefined> =>
  Effect.gen(function*() {
    if (delayMillis !== undefined) yield* Effect.sleep(delayMillis)
    if (hangs) return yield* Effect.never
    if (fails === undefined) return undefined
    const { exitCode, stderr } = fails
    return { exitCode, stdout: "", stderr: stderr === "" || stderr.endsWith("\n") ? stderr : `${stderr}\n` }
  })

/** Faults that strike before the command itself runs: what the command then leaves behind, or nothing when it may run. */
const faulted = (host: Host, program: string, line: CommandLine.CommandLine) =>
  Effect.flatMap(host.step((context) => strike(context, program, line.args)), (planted) =>
    planted === undefined ? Effect.succeed(undefined) : suffer(planted))

/** Runs a command, after the faults that were planted for it. One that needs nothing but the state is a single step with the look for them. */
const execute = (host: Host, name: string, program: Program, line: CommandLine.CommandLine): Effect.Effect<Result, StateFile.StateUnavailable> => {
  if ("long" in program) {
    return Effect.flatMap(faulted(host, name, line), (struck) => struck === undefined ? program.long(host, line) : Effect.succeed(struck))
  }
  const command = (context: HostContext) => program.instant(context, line.args, line.stdin ?? "")
  const first = host.step((context): { readonly planted: Planted } | { readonly result: Result } => {
    const planted = strike(context, name, line.args)
    return planted === undefined ? { result: command(context) } : { planted }
  })
  return Effect.flatMap(first, (done) =>
    "result" in done
      ? Effect.succeed(done.result)
      : Effect.flatMap(suffer(done.planted), (struck) => struck === undefined ? host.step(command) : Effect.succeed(struck)))
}

/** A process that does nothing but leave a result behind. */
const finished = ({ exitCode, stderr, stdout }: Result) =>
  HostProcess.spawn({
    program: "/bin/sh",
    args: ["-c", "printf %s \"$1\"; printf %s \"$2\" >&2; exit \"$3\"", "sh", stdout, stderr, String(exitCode)],
    environment: {}
  })

const runner = (host: Host): Context.Tag.Service<CommandRunner.CommandRunner> => {
  const run = (given: CommandLine.CommandLine): Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable> => {
    const line = withoutPfexec(given)
    const found = lookup(line.program)
    if (found === undefined) return Effect.fail(unavailable(line, "NotFound", "No such file or directory"))
    const [name, program] = found
    const limit = line.timeout ?? "60 seconds"
    return execute(host, name, program, line).pipe(
      Effect.mapError((error) => unavailable(line, "Failed", error.message)),
      Effect.timeoutFail({
        duration: limit,
        onTimeout: () => unavailable(line, "Timeout", `did not end within ${Duration.format(Duration.decode(limit))}`)
      })
    )
  }

  const tempFile = (name: string, content: string) => {
    const file = name.replaceAll(/[^A-Za-z0-9_.-]/g, "_")
    const line = CommandLine.make("tempFile", file)
    return Effect.acquireRelease(
      Effect.try({
        try: () => {
          const folder = host.files.real(`/tmp/${randomUUID()}`)
          fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
          fs.writeFileSync(path.join(folder, file), content, { flag: "wx", mode: 0o600 })
          return { folder, named: `${folder.slice(host.files.root.length)}/${file}` }
        },
        catch: (error) => unavailable(line, "TempFile", error instanceof Error ? error.message : String(error))
      }),
      ({ folder }) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
    ).pipe(Effect.map(({ named }) => named))
  }

  const start = (given: CommandLine.CommandLine, { terminal = false }: CommandRunner.StartOptions = {}) => {
    const line = withoutPfexec(given)
    const found = lookup(line.program)
    if (found === undefined) return Effect.fail(unavailable(line, "NotFound", "No such file or directory"))
    const [name, program] = found
    return Effect.gen(function*() {
      if (name !== "zlogin") return yield* Effect.flatMap(execute(host, name, program, line), finished)
      const struck = yield* faulted(host, name, line)
      if (struck !== undefined) return yield* finished(struck)
      const opened = yield* Zlogin.open(host, line, terminal)
      return "refused" in opened ? yield* finished(opened.refused) : opened.process
    }).pipe(Effect.mapError((error) => unavailable(line, "Failed", error.message)))
  }

  return CommandRunner.CommandRunner.of({ run, start, tempFile })
}

/**
 * The host with its controls. Fails when the directory cannot be used or holds a state that cannot be read.
 *
 * @category layers
 */
export const layerWithControls = (
  options: Options
): Layer.Layer<CommandRunner.CommandRunner | SimulatedHost, StateFile.StateUnavailable> =>
  Layer.effectContext(Effect.gen(function*() {
    const state = yield* StateFile.make(options.directory, (now) => HostState.initial(defaults(options, now)))
    const files = hostFiles.make(options.directory)
    const host: Host = {
      files,
      timing: timing(options),
      step: <A>(change: (context: HostContext) => A) =>
        state.transact((current, now) => {
          const context = { host: current, files, now }
          ZoneKernel.settle(context)
          return change(context)
        })
    }
    // The first step creates the host, so that a bad directory is found out here.
    yield* host.step(systemFiles)
    const controls = SimulatedHost.of({
      inject: (fault) => host.step(({ host: current }) => void current.faults.push(fault)),
      clearFaults: host.step(({ host: current }) => {
        current.faults = []
      }),
      rebootHost: host.step(ZoneKernel.rebootHost),
      state: host.step(({ host: current }) => structuredClone(current)),
      realPath: files.real
    })
    return Context.make(CommandRunner.CommandRunner, runner(host)).pipe(Context.add(SimulatedHost, controls))
  }))

/**
 * The host as a `CommandRunner` and nothing else: what automation under test is given in place of a real one.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<CommandRunner.CommandRunner, StateFile.StateUnavailable> =>
  Layer.project(layerWithControls(options), CommandRunner.CommandRunner, CommandRunner.CommandRunner, (service) => service)
