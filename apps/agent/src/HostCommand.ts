/** `reddwarf-agent host -- COMMAND…`: one command on the agent's host, simulated or real. */
import { Command } from "@effect/cli"
import { Program } from "@reddwarf/cli"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Effect } from "effect"
import * as Host from "./Host.js"
import { dataDir } from "./RunSettings.js"

/** Where illumos keeps the programs that are called by a bare name. */
const directories: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "/usr/sbin": ["dispadmin", "dladm", "flowadm", "ipadm", "ipf", "ipnat", "prtconf", "psrinfo", "rctladm", "route", "routeadm", "svcadm", "svccfg", "swap", "zfs", "zlogin", "zoneadm", "zonecfg", "zpool"],
    "/usr/bin": ["hostid", "kstat", "ls", "prctl", "prstat", "svcprop", "svcs", "uname", "zonename", "zonestat"]
  }).flatMap(([directory, programs]) => programs.map((program) => [program, directory] as const))
)

export const host = (words: ReadonlyArray<string>) =>
  Command.make("host", { dataDir }, ({ dataDir }) =>
    Effect.gen(function*() {
      const [name, ...args] = words
      if (name === undefined) return yield* Program.wrongUsage("give the command after --, for instance: reddwarf-agent host --data-dir DIR -- zoneadm list -cv")
      const program = name.includes("/") ? name : `${directories.get(name) ?? "/usr/bin"}/${name}`
      const result = yield* Effect.flatMap(CommandRunner.CommandRunner, (runner) => runner.run(CommandLine.make(program, ...args))).pipe(
        Effect.provide(Host.rememberedRunner(dataDir))
      )
      return yield* Effect.sync(() => {
        process.stdout.write(result.stdout)
        process.stderr.write(result.stderr)
        // The command's own exit status is the answer; its output has said everything else.
        process.exitCode = result.exitCode
      })
    })).pipe(Command.withDescription("Run one command on the agent's host: reddwarf-agent host --data-dir DIR -- zoneadm list -cv"))
