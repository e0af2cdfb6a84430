/**
 * `zlogin`: a command in a zone is a real local process, started by `/bin/sh -c` as zlogin has it started by the zone's
 * shell. It leads its own session, so it outlives the caller; its environment carries the marker of the boot.
 */
import { type CommandLine, HostProcess } from "@reddwarf/runtime-illumos"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Host, HostContext, LongCommand } from "./CommandContext.js"
import * as ContainedRoot from "./ContainedRoot.js"
import { findZone, type Zone, zoneState } from "./HostState.js"
import { getopt, hasFlag, lastValue } from "./internal/getopt.js"
import * as Processes from "./internal/processTable.js"
import { fail, result, type Result } from "./internal/result.js"
import { zoneRoot } from "./ZoneFileSystems.js"
import type { StateUnavailable } from "./StateFile.js"
import { MARKER, markerValue } from "./ZoneKernel.js"

const OUTPUT_LIMIT = 16 * 1024 * 1024

interface Login {
  readonly name: string
  readonly home: string
  readonly shell: string
}

/**
 * The zone's `PATH`, then the folders of this machine where `node` and local programs are: on illumos they are part of the
 * zone's own root.
 */
const searchPath = (): string => ["/usr/sbin", "/usr/bin", path.dirname(process.execPath), "/usr/local/bin", "/bin"].join(":")

const account = (context: HostContext, zone: Zone, user: string): Login | undefined => {
  let passwd = ""
  try {
    passwd = fs.readFileSync(`${zoneRoot(context, zone)}/etc/passwd`, "utf8")
  } catch {
    // An image without a passwd file still has its root login.
  }
  const entry = passwd.split("\n").find((candidate) => candidate.startsWith(`${user}:`))?.split(":")
  if (entry === undefined) return user === "root" ? { name: user, home: "/", shell: "/sbin/sh" } : undefined
  return { name: user, home: entry[5] ?? "/", shell: entry[6] === undefined || entry[6] === "" ? "/sbin/sh" : entry[6] }
}

const environment = (marker: string, login: Login | undefined): NodeJS.ProcessEnv => ({
  PATH: searchPath(),
  ...(login === undefined
    ? { HOME: "/", SHELL: "/sbin/sh" }
    : { LOGNAME: login.name, HOME: login.home, MAIL: `/var/mail/${login.name}`, SHELL: login.shell }),
  [MARKER]: marker
})

interface Request {
  readonly zone: string
  readonly user: string
  readonly failsafe: boolean
  /** The command as one text for the shell of the zone. */
  readonly command: string | undefined
  readonly input: string | undefined
}

/** How the process of a command is made. */
type Spawn = (options: HostProcess.SpawnOptions) => ChildProcess

const refusal = (context: HostContext, name: string): Result | undefined => {
  if (name === "global") return fail("zlogin: 'zlogin' not applicable to the global zone")
  const zone = findZone(context.host, name)
  if (zone === undefined) return fail(`zlogin: zone '${name}' unknown`)
  const state = zoneState(zone)
  if (state === "configured" || state === "incomplete") return fail(`zlogin: cannot login to a zone which is '${state}'`)
  return state === "running" ? undefined : fail(`zlogin: login allowed only to running zones (${name} is '${state}').`)
}

/** Checks and starts in one step, so a halt can never come between the start and the record of the process group. */
const start = (
  context: HostContext,
  request: Request,
  spawnProcess: Spawn,
  words?: ReadonlyArray<string>
): { readonly child: ChildProcess } | { readonly refused: Result } => {
  const refused = refusal(context, request.zone)
  const zone = findZone(context.host, request.zone)
  if (refused !== undefined || zone?.kernel === undefined) return { refused: refused ?? fail(`zlogin: zone '${request.zone}' unknown`) }
  const login = request.failsafe ? undefined : account(context, zone, request.user)
  if (login === undefined && !request.failsafe) return { refused: fail(`su: Unknown id: ${request.user}`) }
  const root = zoneRoot(context, zone)
  const home = login === undefined || login.name === "root" ? root : path.join(root, path.posix.normalize(`/${login.home}`))
  const [first = "/bin/sh", ...rest] = words ?? ["/bin/sh", ...(request.command === undefined ? [] : ["-c", request.command])]
  const contained = ContainedRoot.applies(root)
  const [program, ...args] = contained
    ? ContainedRoot.command({ root, workingDirectory: `/${path.relative(root, home)}`, mounts: zone.kernel.mounts, words: [first, ...rest] })
    : [first, ...rest]
  const variables = environment(markerValue(context.host, zone), login)
  const child = spawnProcess({
    program,
    args,
    workingDirectory: fs.existsSync(home) ? home : root,
    environment: contained ? { ...variables, SHELL: "/bin/sh" } : variables
  })
  if (zone.kernel.processGroups.length >= 32) zone.kernel.processGroups = Processes.liveGroups(zone.kernel.processGroups)
  if (child.pid !== undefined) zone.kernel.processGroups.push(Processes.identify(child.pid))
  return { child }
}

const killGroup = (child: ChildProcess): void => {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, "SIGKILL")
  } catch {
    // It ended in this moment.
  }
}

/** Waits for the end of the command and of everybody who holds its output pipes. */
const collect = (child: ChildProcess, input: string | undefined): Effect.Effect<Result> =>
  Effect.async<Result>((resume) => {
    const output: Array<Buffer> = []
    const errors: Array<Buffer> = []
    let size = 0
    const gather = (into: Array<Buffer>) => (chunk: Buffer) => {
      size += chunk.byteLength
      if (size <= OUTPUT_LIMIT) into.push(chunk)
    }
    child.stdout?.on("data", gather(output))
    child.stderr?.on("data", gather(errors))
    child.on("error", (error) => resume(Effect.succeed(fail(`zlogin: exec failure: ${error.message}`))))
    child.on("close", (code) => {
      const exact = { stdout: Buffer.concat(output).toString("utf8"), stderr: Buffer.concat(errors).toString("utf8") }
      // zlogin looks at the exit status without asking for a signal first: a killed command gives 0.
      resume(Effect.succeed({ exitCode: code ?? 0, ...exact }))
    })
    // A command that ends without reading its input is no error of the caller.
    child.stdin?.on("error", () => undefined)
    child.stdin?.end(input ?? "")
    return Effect.sync(() => {
      killGroup(child)
      child.stdout?.destroy()
      child.stderr?.destroy()
    })
  })

const forget = (host: Host, zone: string, child: ChildProcess): Effect.Effect<void> =>
  Effect.ignore(host.step((context) => {
    const kernel = findZone(context.host, zone)?.kernel
    if (kernel === undefined) return
    const mine = kernel.processGroups.filter((leader) => leader.pid === child.pid)
    if (Processes.liveGroups(mine).length === 0) kernel.processGroups = kernel.processGroups.filter((leader) => leader.pid !== child.pid)
  }))

const usage = "usage:\tzlogin [ -dinCEINQS ] [ -e cmdchar ] [ -l user ] zonename [command [args ...] ]"

interface Parsed {
  readonly request: Request
  readonly words: ReadonlyArray<string>
  /** `-i`: the words are a program and its arguments, and get a terminal if there is one to pass on. */
  readonly interactive: boolean
  readonly console: boolean
  readonly noInput: boolean
}

const parse = (dialect: "gate" | "omnios", line: CommandLine.CommandLine): Parsed | { readonly refused: Result } => {
  const parsed = getopt(line.args, dialect === "gate" ? "dnECR:Se:l:Q" : "diNnECIR:Se:l:Q")
  const [zone, ...words] = parsed.operands
  const refuse = (message: string) => ({ refused: fail(message, 2) })
  if (parsed.error !== undefined) return refuse(`zlogin: illegal option -- ${parsed.error.flag}\n${usage}`)
  if (zone === undefined) return refuse(usage)
  const user = lastValue(parsed, "l")
  if (user !== undefined && hasFlag(parsed, "S")) return refuse(`zlogin: -l may not be specified for failsafe login\n${usage}`)
  if (hasFlag(parsed, "i") && hasFlag(parsed, "n")) return refuse(`zlogin: -i and -n flags are incompatible\n${usage}`)
  const console_ = hasFlag(parsed, "C")
  if (console_ && (user !== undefined || hasFlag(parsed, "S") || hasFlag(parsed, "n") || words.length > 0)) {
    return refuse(`zlogin: -C may not be used with a command or with -l, -n or -S\n${usage}`)
  }
  if (hasFlag(parsed, "d") && !console_) return refuse(`zlogin: -d may only be specified with console login\n${usage}`)
  return {
    words,
    interactive: hasFlag(parsed, "i"),
    console: console_,
    noInput: hasFlag(parsed, "n"),
    request: {
      zone,
      user: user ?? "root",
      failsafe: hasFlag(parsed, "S"),
      // Joined without quoting and with one blank behind, then parsed by a shell: the zlogin protocol.
      command: words.length === 0 ? undefined : words.map((word) => `${word} `).join(""),
      input: hasFlag(parsed, "n") ? undefined : line.stdin ?? (words.length === 0 ? "" : undefined)
    }
  }
}

const withPipes = (input: string | undefined): Spawn => ({ args, environment: env, program, workingDirectory: cwd }) =>
  spawn(program, args, { cwd, env, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"], detached: true })

/** `zlogin …`. @category commands */
export const run: LongCommand = (host: Host, line: CommandLine.CommandLine) =>
  Effect.gen(function*() {
    const parsed = parse(yield* host.look((context) => context.host.dialect), line)
    if ("refused" in parsed) return parsed.refused
    const { request } = parsed
    if (parsed.console) {
      const refused = yield* host.look((context) => refusal(context, request.zone))
      return refused ?? result(0, `[Connected to zone '${request.zone}' console]\n\n[Connection to zone '${request.zone}' console closed]`)
    }
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(host.step((context) => start(context, request, withPipes(request.input), parsed.interactive ? parsed.words : undefined)), (started) =>
        "refused" in started
          ? Effect.succeed(started.refused)
          : Effect.ensuring(restore(collect(started.child, request.input)), forget(host, request.zone, started.child)))
    )
  })

/**
 * `zlogin …` to talk to. Gives the result instead when zlogin refuses. With a terminal and `-i` the command has a terminal too; its bytes
 * are those zlogin would copy, so there is one pseudo-terminal and not two.
 *
 * @category commands
 */
export const open = (
  host: Host,
  line: CommandLine.CommandLine,
  terminal: boolean
): Effect.Effect<{ readonly process: HostProcess.HostProcess } | { readonly refused: Result }, HostProcess.SpawnFailed | StateUnavailable, Scope.Scope> =>
  Effect.uninterruptible(Effect.gen(function*() {
    const parsed = parse(yield* host.look((context) => context.host.dialect), line)
    if ("refused" in parsed) return parsed
    const { request } = parsed
    if (parsed.console) return { refused: fail(`zlogin: the console of a simulated zone cannot be talked to`) }
    const wantsTerminal = terminal && parsed.interactive
    if (wantsTerminal && !HostProcess.hasTerminals()) {
      return { refused: fail(`zlogin: failed to get a pseudo-terminal: ${HostProcess.noTerminal}`) }
    }
    const spawnProcess: Spawn = (options) => HostProcess.unsafeSpawn((wantsTerminal ? HostProcess.inTerminal(options) : undefined) ?? options)
    const started = yield* host.step((context) => start(context, request, spawnProcess, parsed.interactive ? parsed.words : undefined))
    if ("refused" in started) return started
    yield* Effect.addFinalizer(() => forget(host, request.zone, started.child))
    const process = yield* HostProcess.fromChild(started.child)
    if (parsed.noInput) process.stdin.end()
    return { process }
  }))
