/** An emulated illumos host as a `CommandRunner`: the same commands, grammar, states, output and error texts. */
import { type CommandLine, CommandRunner, HostProcess } from "@reddwarf/runtime-illumos"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Account from "./AccountCommands.js"
import * as Accounting from "./AccountingCommands.js"
import * as Chown from "./ChownCommand.js"
import type { Host, HostContext, InstantCommand, Timing } from "./CommandContext.js"
import { execute, faulted, type Program } from "./CommandExecution.js"
import * as Dladm from "./DladmCommand.js"
import type * as Faults from "./Faults.js"
import * as Files from "./FileCommands.js"
import * as HostInfo from "./HostInfoCommands.js"
import * as HostState from "./HostState.js"
import * as hostFiles from "./internal/hostFiles.js"
import type { Result } from "./internal/result.js"
import * as temporaryFile from "./internal/temporaryFile.js"
import * as Ipadm from "./IpadmCommand.js"
import * as Flowadm from "./network/FlowadmCommand.js"
import * as Ipf from "./network/IpfCommand.js"
import * as Ipnat from "./network/IpnatCommand.js"
import * as Route from "./network/RouteCommand.js"
import * as Kstat from "./KstatCommand.js"
import * as MountTable from "./MountTable.js"
import * as Prctl from "./PrctlCommand.js"
import * as Ps from "./PsCommand.js"
import * as Svcadm from "./smf/SvcadmCommand.js"
import * as Svccfg from "./smf/SvccfgCommand.js"
import * as Svcprop from "./smf/SvcpropCommand.js"
import * as Svcs from "./smf/SvcsCommand.js"
import * as StateFile from "./StateFile.js"
import * as StreamProcess from "./zfs/StreamProcess.js"
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
  /** What the CPUs offer to virtual machines. Default `vmx`. */
  readonly virtualization?: "vmx" | "amd_svm" | "none"
  /** Scheduling class of new processes; empty when none is set. Default `FSS`. */
  readonly schedulingClass?: string
  /** Who runs the commands, with which privileges. Default root with all of them. */
  readonly account?: { readonly uid: number; readonly name: string; readonly privileges: ReadonlyArray<string> }
  /** How long every command takes before it does anything. Default no time. */
  readonly latency?: Duration.DurationInput
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
  /** How long the methods of a service take to start or stop it. Default no time. */
  readonly serviceDelay?: Duration.DurationInput
  /** Commands that come together are saved together: for the process that runs those of other programs. Default not. */
  readonly together?: boolean
}

/** The controls a test has over the host, beyond its commands. @category services */
export class SimulatedHost extends Context.Tag("@reddwarf/illumos-sim/SimulatedHost")<SimulatedHost, {
  /** Plants a fault; it stays in the state directory until it is used up or cleared. What is merely counted is counted at once. */
  readonly inject: (fault: Faults.Fault) => Effect.Effect<void, StateFile.StateUnavailable>
  /** Removes every fault. */
  readonly clearFaults: Effect.Effect<void, StateFile.StateUnavailable>
  /** A power cycle: kernel zones, processes, commands in progress and temporary objects vanish, zones with `autoboot` start. */
  readonly rebootHost: Effect.Effect<void, StateFile.StateUnavailable>
  /** The host begins to go down, as after `init 5`: it says so, and everything runs on until `rebootHost`. */
  readonly shutDown: Effect.Effect<void, StateFile.StateUnavailable>
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

/** What is only written down where it differs from a usual host. */
const particulars = ({ account, schedulingClass, virtualization }: Options) => ({
  ...(account === undefined ? {} : { account }),
  ...(schedulingClass === undefined ? {} : { schedulingClass }),
  ...(virtualization === undefined ? {} : { virtualization })
})

/** The files by which automation finds out what kind of host this is. */
const systemFiles = ({ host, files }: HostContext): void => {
  files.makeDirectory(files.real("/usr/lib/brand"))
  for (const brand of host.brands) {
    const folder = files.real(`/usr/lib/brand/${brand}`)
    if (files.makeDirectory(folder)) fs.writeFileSync(path.join(folder, "config.xml"), `<brand name="${brand}"/>\n`)
  }
  // The device of the hypervisor is there where its brand is and the CPUs can carry it.
  if (host.brands.includes("bhyve") && host.virtualization !== "none") {
    files.makeDirectory(files.real("/dev"))
    fs.writeFileSync(files.real("/dev/vmmctl"), "")
  }
  files.makeDirectory(files.real("/etc"))
  const release = host.dialect === "omnios" ? "OmniOS v11 r151054 (simulated)" : "illumos (simulated)"
  const texts = { "/etc/hosts": "::1 localhost\n127.0.0.1 localhost loghost\n", "/etc/resolv.conf": "nameserver 127.0.0.1\n" }
  for (const [name, text] of Object.entries(texts)) if (!fs.existsSync(files.real(name))) fs.writeFileSync(files.real(name), text)
  files.makeDirectory(files.real("/etc/zones"))
  if (!fs.existsSync(files.real("/etc/release"))) fs.writeFileSync(files.real("/etc/release"), `  ${release}\n`)
}

const timing = (options: Options): Timing => ({
  install: Duration.toMillis(options.installDelay ?? 0),
  boot: Duration.toMillis(options.bootDelay ?? 0),
  halt: Duration.toMillis(options.haltDelay ?? 0),
  shutdownGrace: Duration.toMillis(options.shutdownGrace ?? "10 seconds"),
  stopTimeout: Duration.toMillis(options.stopTimeout ?? "100 seconds"),
  service: Duration.toMillis(options.serviceDelay ?? 0)
})

const instant = (command: InstantCommand): Program => ({ instant: command })
const reading = (command: InstantCommand, reads: (args: ReadonlyArray<string>) => boolean = () => true): Program => ({ instant: command, reads })

const shows = ([subcommand = ""]: ReadonlyArray<string>): boolean => subcommand.startsWith("show-")
const listsPools = ([subcommand = ""]: ReadonlyArray<string>): boolean => ["list", "get", "status"].includes(subcommand)
const listsDatasets = ([subcommand = ""]: ReadonlyArray<string>): boolean => ["list", "get", "holds"].includes(subcommand)

const programs: Readonly<Record<string, Program>> = {
  "/usr/sbin/zoneadm": { long: Zoneadm.run },
  "/usr/sbin/zonecfg": instant(Zonecfg.run),
  "/usr/sbin/zlogin": { long: Zlogin.run },
  "/usr/sbin/dladm": reading(Dladm.run, shows),
  "/usr/sbin/ipadm": reading(Ipadm.run, shows),
  "/usr/sbin/route": instant(Route.route),
  "/usr/sbin/routeadm": instant(Route.routeadm),
  "/usr/bin/netstat": instant(Route.netstat),
  "/usr/sbin/ipnat": instant(Ipnat.run),
  "/usr/sbin/ipf": instant(Ipf.ipf),
  "/usr/sbin/ipfstat": instant(Ipf.ipfstat),
  "/usr/sbin/flowadm": instant(Flowadm.run),
  "/usr/sbin/zfs": reading(Zfs.run, listsDatasets),
  "/usr/sbin/zpool": reading(Zpool.run, listsPools),
  "/usr/sbin/dispadmin": instant(Account.dispadmin),
  "/usr/sbin/rctladm": instant(Prctl.rctladm),
  "/usr/sbin/svcadm": { long: Svcadm.run },
  "/usr/sbin/svccfg": { long: Svccfg.run },
  "/usr/sbin/swap": instant(Accounting.swap),
  "/usr/sbin/psrinfo": reading(HostInfo.psrinfo),
  "/usr/sbin/prtconf": reading(HostInfo.prtconf),
  "/usr/bin/cat": instant(Account.cat),
  "/usr/bin/getent": instant(Account.getent),
  "/usr/bin/id": instant(Account.id),
  "/usr/bin/pkg": instant(Account.pkg),
  "/usr/bin/ppriv": instant(Account.ppriv),
  "/usr/bin/prctl": instant(Prctl.prctl),
  "/usr/bin/prstat": instant(Accounting.prstat),
  "/usr/bin/svcprop": { long: Svcprop.run },
  "/usr/bin/svcs": { long: Svcs.run },
  "/usr/bin/zonestat": instant(Accounting.zonestat),
  "/usr/bin/who": reading(HostInfo.who),
  "/usr/bin/uname": reading(HostInfo.uname),
  "/usr/bin/zonename": reading(HostInfo.zonename),
  "/usr/bin/hostid": reading(HostInfo.hostid),
  "/usr/bin/isainfo": reading(HostInfo.isainfo),
  "/usr/bin/kstat": reading(Kstat.run, Kstat.reads),
  "/usr/bin/cp": instant(Files.cp),
  "/usr/bin/ls": instant(Files.ls),
  "/usr/bin/mv": instant(Files.mv),
  "/usr/bin/ps": reading(Ps.run),
  "/usr/bin/chown": instant(Chown.run),
  "/usr/bin/chmod": instant(HostInfo.chmod),
  "/usr/bin/mkdir": instant(HostInfo.mkdir)
}

/** Absolute paths of the programs of the host, in order. @category models */
export const programPaths: ReadonlyArray<string> = Object.keys(programs).sort()

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

const unavailable = (line: CommandLine.CommandLine, reason: "NotFound" | "Timeout" | "Failed", detail: string) =>
  new CommandRunner.CommandUnavailable({ program: line.program, args: [...line.args], reason, detail })

/** A process that does nothing but leave a result behind. */
const finished = ({ exitCode, stderr, stdout }: Result) =>
  HostProcess.spawn({
    program: "/bin/sh",
    args: ["-c", "printf %s \"$1\"; printf %s \"$2\" >&2; exit \"$3\"", "sh", stdout, stderr, String(exitCode)],
    environment: {}
  })

const runner = (host: Host, latency: number): Context.Tag.Service<CommandRunner.CommandRunner> => {
  const run = (given: CommandLine.CommandLine): Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable> => {
    const line = withoutPfexec(given)
    const found = lookup(line.program)
    if (found === undefined) return Effect.fail(unavailable(line, "NotFound", "No such file or directory"))
    const [name, program] = found
    const limit = line.timeout ?? "60 seconds"
    const command = execute(host, name, program, line)
    return (latency > 0 ? Effect.delay(command, latency) : command).pipe(
      Effect.mapError((error) => unavailable(line, "Failed", error.message)),
      Effect.timeoutFail({
        duration: limit,
        onTimeout: () => unavailable(line, "Timeout", `did not end within ${Duration.format(Duration.decode(limit))}`)
      })
    )
  }

  const start = (given: CommandLine.CommandLine, { terminal = false }: CommandRunner.StartOptions = {}) => {
    const line = withoutPfexec(given)
    const found = lookup(line.program)
    if (found === undefined) return Effect.fail(unavailable(line, "NotFound", "No such file or directory"))
    const [name, program] = found
    return Effect.gen(function*() {
      if (StreamProcess.applies(name, line.args)) {
        return yield* StreamProcess.open(line.args, (stdin) => execute(host, name, program, { ...line, stdin }))
      }
      if (name !== "zlogin") return yield* Effect.flatMap(execute(host, name, program, line), finished)
      const { struck } = yield* faulted(host, name, line)
      if (struck !== undefined) return yield* finished(struck)
      const opened = yield* Zlogin.open(host, line, terminal)
      return "refused" in opened ? yield* finished(opened.refused) : opened.process
    }).pipe(Effect.mapError((error) => unavailable(line, "Failed", error.message)))
  }

  return CommandRunner.CommandRunner.of({ run, start, tempFile: temporaryFile.make(host.files) })
}

/**
 * The host with its controls. Fails when the directory cannot be used or holds a state that cannot be read.
 *
 * @category layers
 */
export const layerWithControls = (
  options: Options
): Layer.Layer<CommandRunner.CommandRunner | SimulatedHost, StateFile.StateUnavailable> =>
  Layer.scopedContext(Effect.gen(function*() {
    const state = yield* StateFile.make(options.directory, (now) => ({ ...HostState.initial(defaults(options, now)), ...particulars(options) }), options)
    const files = hostFiles.make(options.directory)
    const keepMountTable = MountTable.keeper()
    const step = <A>(change: (context: HostContext) => A) =>
      state.transact((current, now) => {
        const context = { host: current, files, now }
        ZoneKernel.settle(context)
        const changed = change(context)
        keepMountTable(context)
        return changed
      })
    const host: Host = {
      files,
      timing: timing(options),
      step,
      look: <A>(read: (context: HostContext) => A) =>
        Effect.flatMap(
          state.look((current, now) => {
            const context = { host: current, files, now }
            return current.faults.length > 0 || ZoneKernel.isDue(context) ? Option.none<A>() : Option.some(read(context))
          }),
          Option.match({ onNone: () => step(read), onSome: Effect.succeed })
        )
    }
    // The first step creates the host, so that a bad directory is found out here.
    yield* host.step(systemFiles)
    const controls = SimulatedHost.of({
      inject: (fault) =>
        host.step(({ host: current }) => {
          if (fault.kind === "memoryRefused") {
            const kernel = current.zones.find(({ name }) => name === fault.zone)?.kernel
            if (kernel !== undefined) kernel.allocationFailures = (kernel.allocationFailures ?? 0) + fault.times
          } else current.faults.push(fault)
        }),
      clearFaults: host.step(({ host: current }) => {
        current.faults = []
      }),
      rebootHost: host.step(ZoneKernel.rebootHost),
      shutDown: host.step(({ host: current }) => {
        current.runLevel = "5"
      }),
      state: host.step(({ host: current }) => structuredClone(current)),
      realPath: files.real
    })
    return Context.make(CommandRunner.CommandRunner, runner(host, Duration.toMillis(options.latency ?? 0))).pipe(Context.add(SimulatedHost, controls))
  }))

/**
 * The host as a `CommandRunner` and nothing else: what automation under test is given in place of a real one.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<CommandRunner.CommandRunner, StateFile.StateUnavailable> =>
  Layer.project(layerWithControls(options), CommandRunner.CommandRunner, CommandRunner.CommandRunner, (service) => service)
