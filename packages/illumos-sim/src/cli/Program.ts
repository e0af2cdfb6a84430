/** `reddwarf-illumos-sim`: a simulated host from the command line. */
import { type CommandLine, CommandRunner, type HostProcess } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Readable, Writable } from "node:stream"
import * as FaultScript from "../FaultScript.js"
import * as HostServer from "../HostServer.js"
import * as PathFolder from "../PathFolder.js"
import * as Replay from "../Replay.js"
import * as SimulatedHost from "../SimulatedHost.js"
import * as Transcript from "../Transcript.js"
import * as Arguments from "./Arguments.js"

/** What the program is given by whoever starts it. @category models */
export interface World {
  /** Words after the name of the program. */
  readonly argv: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable
  /** The words that start this program again: Node and the file of the program. */
  readonly self: readonly [string, ...ReadonlyArray<string>]
  /** Runs commands of the machine itself, for `replay --real`. */
  readonly realHost: Layer.Layer<CommandRunner.CommandRunner>
}

/** Exit status for wrong usage. */
const misused = 2

const usage = () =>
  `reddwarf-illumos-sim [OPTION…] PROGRAM [ARGUMENT…]     run a program of the host: zoneadm list -cv
reddwarf-illumos-sim [OPTION…] path-folder DIR [--all]  make a folder for PATH with the programs of the host
reddwarf-illumos-sim [OPTION…] fault ACTION…            do something bad; see below
reddwarf-illumos-sim [OPTION…] script FILE              do the actions in a file, one on a line; - is standard input
reddwarf-illumos-sim [OPTION…] faults                   show what is planted
reddwarf-illumos-sim [OPTION…] reboot                   power cycle
reddwarf-illumos-sim [OPTION…] replay FILE [--real] [--stop]
                                                        run a transcript again, on the host or on this machine, and compare
reddwarf-illumos-sim [OPTION…] serve [--linger TIME] [--identity TEXT]
                                                        run the commands of other programs, until for TIME (10s) none wants it
reddwarf-illumos-sim [OPTION…] programs                 show the programs of the host

Options
${Arguments.optionNames.map((name) => `  ${name}`).join("\n")}
REDDWARF_SIM_DIRECTORY stands for --directory, REDDWARF_SIM_TRANSCRIPT for --record. Times hold for the one command.

Actions
${FaultScript.grammar.split("\n").map((line) => `  ${line}`).join("\n")}
`

const write = (stream: Writable, text: string): Effect.Effect<void> =>
  text === "" ? Effect.void : Effect.async<void>((resume) => {
    // A reader that has gone away is no error of the command.
    stream.write(text, () => resume(Effect.void))
  })

const readAll = (stream: Readable): Effect.Effect<string> =>
  Stream.fromAsyncIterable<Buffer, unknown>(stream, (error) => error).pipe(
    Stream.runFold("", (text, chunk) => text + chunk.toString("utf8")),
    // What was read before the input broke is what the command gets.
    Effect.orElseSucceed(() => "")
  )

/** Programs that read their input read it only where they would: a script that calls them in a loop keeps its own. */
const readsInput = (program: string, args: ReadonlyArray<string>): boolean => {
  const file = args[args.indexOf("-f") + 1]
  switch (program) {
    case "zonecfg":
      return args.includes("-f") ? file === "-" : args.length <= 2
    case "svccfg":
      return args.includes("-f") ? file === "-" : args.length === 0 || (args[0] === "-s" && args.length === 2)
    case "ipf":
    case "ipnat":
      return args.includes("-f") && file === "-"
    default:
      return false
  }
}

/** Programs whose input and output are too much, or too lively, to be held back. */
const isStreaming = (program: string, args: ReadonlyArray<string>): boolean =>
  program === "zlogin" || (program === "zfs" && ["send", "receive", "recv"].includes(args[0] ?? ""))

const connect = (world: World, running: HostProcess.HostProcess): Effect.Effect<number> =>
  Effect.gen(function*() {
    world.stdin.pipe(running.stdin)
    const drained = (from: Readable, to: Writable) =>
      Effect.async<void>((resume) => {
        from.pipe(to, { end: false })
        from.once("close", () => resume(Effect.void))
        if (from.closed) resume(Effect.void)
      })
    const [exitCode] = yield* Effect.all(
      [running.exit, drained(running.stdout, world.stdout), drained(running.stderr, world.stderr)],
      { concurrency: 3 }
    )
    world.stdin.unpipe(running.stdin)
    return exitCode
  })

const hostCommand = (
  world: World,
  line: CommandLine.CommandLine
): Effect.Effect<number, CommandRunner.CommandUnavailable, CommandRunner.CommandRunner | Scope.Scope> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const name = path.basename(line.program)
    if (isStreaming(name, line.args)) {
      const terminal = world.stdin.isTTY === true && world.stdout.isTTY === true
      return yield* Effect.flatMap(runner.start(line, { terminal }), (running) => connect(world, running))
    }
    const stdin = readsInput(name, line.args) && world.stdin.isTTY !== true ? yield* readAll(world.stdin) : undefined
    const result = yield* runner.run({ ...line, timeout: "1 day", ...(stdin === undefined ? {} : { stdin }) })
    yield* write(world.stdout, result.stdout)
    yield* write(world.stderr, result.stderr)
    return result.exitCode
  })

const replay = (world: World, args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const [file, ...flags] = args
    if (file === undefined || flags.some((flag) => flag !== "--real" && flag !== "--stop")) return yield* wrong(world, "replay FILE [--real] [--stop]")
    const entries = yield* Transcript.read(file)
    const replayed = Replay.replay(entries, { stopAtDifference: flags.includes("--stop") })
    const report = yield* flags.includes("--real") ? Effect.provide(replayed, world.realHost) : replayed
    yield* write(world.stdout, `${Replay.format(report)}\n`)
    return report.differences.length === 0 ? 0 : 1
  })

const wrong = (world: World, text: string): Effect.Effect<number> =>
  Effect.as(write(world.stderr, `reddwarf-illumos-sim: ${text}\n`), misused)

const pathFolder = (world: World, host: SimulatedHost.Options, record: string | undefined, args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const [folder, flag, ...more] = args
    if (folder === undefined || more.length > 0 || (flag !== undefined && flag !== "--all")) return yield* wrong(world, "path-folder DIR [--all]")
    const names = yield* PathFolder.write({
      folder: path.resolve(folder),
      command: [
        ...world.self,
        "--directory",
        path.resolve(host.directory),
        ...(record === undefined ? [] : ["--record", path.resolve(record)]),
        "--"
      ],
      all: flag === "--all"
    })
    yield* write(world.stdout, `${names.join("\n")}\n`)
    return 0
  })

/** The options hold for the commands of all clients. */
const serve = (world: World, { directory }: SimulatedHost.Options, args: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    const given = new Map<string, string>()
    for (let index = 0; index < args.length; index += 2) given.set(args[index] ?? "", args[index + 1] ?? "")
    const { "--identity": identity = "", "--linger": time = "10s", ...others } = Object.fromEntries(given)
    const linger = Arguments.millis(time)
    if (args.length % 2 > 0 || linger === undefined || Object.keys(others).length > 0) return wrong(world, "serve [--linger TIME] [--identity TEXT]")
    return Effect.as(HostServer.serve({ directory, identity, linger }), 0)
  })

const act = (world: World, { host, record, words }: Arguments.Arguments) =>
  Effect.gen(function*() {
    const [verb = "", ...args] = words
    switch (verb) {
      case "programs":
        yield* write(world.stdout, `${SimulatedHost.programPaths.join("\n")}\n`)
        return 0
      case "path-folder":
        return yield* pathFolder(world, host, record, args)
      case "reboot":
        yield* FaultScript.run([{ kind: "reboot" }])
        return 0
      case "faults": {
        const { faults } = yield* Effect.flatMap(SimulatedHost.SimulatedHost, ({ state }) => state)
        yield* write(world.stdout, faults.map((fault) => `${FaultScript.format({ kind: "plant", fault })}\n`).join(""))
        return 0
      }
      case "fault": {
        const action = FaultScript.parseWords(args)
        if (Either.isLeft(action)) return yield* wrong(world, `${action.left}\n${FaultScript.grammar}`)
        yield* FaultScript.run([action.right])
        return 0
      }
      case "script": {
        const [file, ...more] = args
        if (file === undefined || more.length > 0) return yield* wrong(world, "script FILE")
        const text = file === "-" ? yield* readAll(world.stdin) : yield* Effect.try({
          try: () => fs.readFileSync(file, "utf8"),
          catch: (error) => new FaultScript.FaultScriptInvalid({ line: 0, text: file, reason: error instanceof Error ? error.message : String(error) })
        })
        yield* Effect.flatMap(FaultScript.parse(text), FaultScript.run)
        return 0
      }
      case "replay":
        return yield* replay(world, args)
      case "serve":
        return yield* serve(world, host, args)
      default:
        return yield* hostCommand(world, { program: verb, args })
    }
  })

/**
 * Does what the words say and gives the exit status: that of the host's program, 2 for wrong usage, 1 for a replay with differences, 127 for a
 * program that the host does not have, 125 when the simulation itself cannot go on.
 *
 * @category constructors
 */
export const run = (world: World): Effect.Effect<number> => {
  const parsed = Arguments.parse(world.argv, world.environment)
  if (Either.isLeft(parsed)) return wrong(world, parsed.left)
  const { host, words } = parsed.right
  if (words[0] === "help") return Effect.as(write(world.stdout, usage()), 0)
  const record = parsed.right.record ?? world.environment["REDDWARF_SIM_TRANSCRIPT"]
  const controls = SimulatedHost.layerWithControls({ ...host, together: words[0] === "serve" })
  const layer = record === undefined || record === "" ? controls : Layer.provideMerge(Transcript.record({ path: record }), controls)
  return act(world, { ...parsed.right, record }).pipe(
    Effect.scoped,
    Effect.provide(layer),
    Effect.catchTag("CommandUnavailable", (error) =>
      error.reason === "NotFound"
        ? Effect.as(write(world.stderr, `${words[0] ?? ""}: not found\n`), 127)
        : Effect.as(write(world.stderr, `reddwarf-illumos-sim: ${error.message}\n`), 125)),
    Effect.catchAll((error) => Effect.as(write(world.stderr, `reddwarf-illumos-sim: ${error.message}\n`), 125))
  )
}
