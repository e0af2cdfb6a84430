import { Effect, Fiber, Option, TestClock } from "effect"
import type * as CommandLine from "../src/CommandLine.js"
import * as CommandRunner from "../src/CommandRunner.js"

interface Zone {
  state: string
  zonepath: string
  script: string
}

/** Answers of one command that come before the ordinary one. */
export type Interception = (line: CommandLine.CommandLine) => CommandRunner.CommandResult | undefined

/** The few rules of zoneadm and zonecfg the runtime relies on, over a table of zones. */
export const make = (intercept: Interception = () => undefined) => {
  const zones = new Map<string, Zone>()
  const journal: Array<CommandLine.CommandLine> = []
  /** How many reads of a zone still show it on its way down. */
  const goingDown = new Map<string, number>()
  const ok = CommandRunner.result()
  const no = (stderr: string) => CommandRunner.result({ exitCode: 1, stderr: `${stderr}\n` })

  const zoneadm = (name: string, [command = ""]: ReadonlyArray<string>): CommandRunner.CommandResult => {
    const zone = zones.get(name)
    if (zone === undefined) return no(`zoneadm: ${name}: No such zone configured`)
    const invalid = no(`zoneadm: zone '${name}': ${command} operation is invalid for ${zone.state} zones.`)
    switch (command) {
      case "list": {
        const left = goingDown.get(name)
        if (left !== undefined) {
          goingDown.set(name, left - 1)
          if (left <= 0) {
            goingDown.delete(name)
            zone.state = "installed"
          }
        }
        return CommandRunner.result({ stdout: `${zone.state === "running" ? 7 : "-"}:${name}:${zone.state}:${zone.zonepath}::lx:excl\n` })
      }
      case "install":
        if (zone.state !== "configured") return invalid
        zone.state = "installed"
        return ok
      case "boot":
        if (zone.state === "shutting_down") return CommandRunner.result({ stderr: `zone '${name}': zone is already booted\n` })
        if (zone.state !== "installed" && zone.state !== "ready") return no(`zoneadm: zone '${name}': must be installed before boot.`)
        zone.state = "running"
        return ok
      case "halt":
      case "shutdown":
        if (zone.state !== "running" && zone.state !== "ready") return invalid
        zone.state = "shutting_down"
        goingDown.set(name, 3)
        return ok
      case "uninstall":
        if (zone.state !== "installed" && zone.state !== "incomplete") return invalid
        zone.state = "configured"
        return ok
      default:
        return CommandRunner.result({ exitCode: 2, stderr: "usage" })
    }
  }

  const zonecfg = (
    name: string,
    args: ReadonlyArray<string>,
    files: ReadonlyMap<string, string>
  ): CommandRunner.CommandResult => {
    const zone = zones.get(name)
    if (args[0] === "-f") {
      if (zone !== undefined) return no(`Zone ${name} already installed; create not allowed.`)
      const script = files.get(args[1] ?? "") ?? ""
      zones.set(name, { state: "configured", zonepath: /zonepath="(.*)"/.exec(script)?.[1] ?? "", script })
      return ok
    }
    if (zone === undefined) return no(`${name}: No such zone configured`)
    if (args[0] === "export") return CommandRunner.result({ stdout: zone.script })
    if (zone.state !== "configured") return no(`${name}: Zone state is invalid for the requested operation`)
    zones.delete(name)
    return ok
  }

  const layer = CommandRunner.layerTest((line, files) => {
    const early = intercept(line)
    if (early !== undefined) return early
    if (line.program === "/usr/bin/ls") {
      // A root with everything a Linux system needs.
      return CommandRunner.result({ stdout: line.args.slice(1).map((path) => `-rwxr-xr-x   1 root root 9 Nov 21 09:00 ${path}\n`).join("") })
    }
    if (line.program === "/usr/bin/ps") return CommandRunner.result({ stdout: "   PID\n  4711\n" })
    const [flag, name = "", ...args] = line.args
    if (line.program === "/usr/sbin/zonecfg") return zonecfg(name, args, files)
    if (flag === "-z") return zoneadm(name, args)
    return CommandRunner.result({
      stdout: ["0:global:running:/::ipkg:shared", ...[...zones].map(([zone, { state, zonepath }]) => `-:${zone}:${state}:${zonepath}::lx:excl`)]
        .map((row) => `${row}\n`).join("")
    })
  }, journal)

  return {
    layer,
    journal,
    zones,
    put: (name: string, state: string, script = "create -b\n") => zones.set(name, { state, zonepath: `/zones/${name}`, script }),
    /** What changed something, without the reads in between. */
    changes: () => journal.flatMap(({ args, program }) =>
      (program.startsWith("/usr/bin/") || args[2] === "list" || args[2] === "export" || args[0] === "list" ? [] : [args[2] === "-f" ? "apply" : args[2]]))
  }
}

/** Lets the test clock run until the effect has ended. */
export const drive = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    for (let second = 0; second < 1000; second++) {
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow()
      if (Option.isSome(yield* Fiber.poll(fiber))) break
      yield* TestClock.adjust("1 second")
    }
    return yield* Fiber.join(fiber)
  })
