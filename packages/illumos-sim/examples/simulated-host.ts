import { SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Console, Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const directory = mkdtempSync(join(tmpdir(), "illumos-sim-"))

const program = Effect.gen(function*() {
  const { run } = yield* CommandRunner.CommandRunner
  const zonecfg = "create -b; set zonepath=/zones/web; set brand=sparse; set ip-type=exclusive"
  yield* run(CommandLine.make("/usr/sbin/zonecfg", "-z", "web", zonecfg))
  yield* run(CommandLine.make("/usr/sbin/zoneadm", "-z", "web", "install"))
  yield* run(CommandLine.make("/usr/sbin/zoneadm", "-z", "web", "boot"))
  const hello = yield* run(CommandLine.make("/usr/sbin/zlogin", "-Q", "web", "echo hello from $(basename $(dirname $PWD))"))
  yield* Console.log(hello.stdout.trim())
  const list = yield* run(CommandLine.make("/usr/sbin/zoneadm", "list", "-cv"))
  yield* Console.log(list.stdout.trimEnd())
  const twice = yield* run(CommandLine.make("/usr/sbin/zoneadm", "-z", "web", "install"))
  yield* Console.log(`exit ${twice.exitCode}: ${twice.stderr.trim()}`)
  yield* run(CommandLine.make("/usr/sbin/zoneadm", "-z", "web", "halt"))
})

await Effect.runPromise(Effect.provide(program, SimulatedHost.layer({ directory })))
rmSync(directory, { recursive: true })
