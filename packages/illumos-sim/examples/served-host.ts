import { ConnectedHost, HostServer, SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Console, Effect, Fiber } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const directory = mkdtempSync(join(tmpdir(), "illumos-sim-"))
const identity = "example 1.0"

// The program of the host's process. A fiber here; HostServerProcess.start makes a process of it that outlives this one.
const serve = Effect.provide(HostServer.serve({ directory, identity }), SimulatedHost.layer({ directory }))
const start = Effect.map(Effect.forkDaemon(serve), (server) => Effect.as(Fiber.await(server), "its end"))

const program = Effect.gen(function*() {
  const { run } = yield* CommandRunner.CommandRunner
  const release = yield* run(CommandLine.make("/usr/bin/cat", "/etc/release"))
  yield* Console.log(release.stdout.trim())
})

await Effect.runPromise(Effect.provide(program, ConnectedHost.layer({ directory, server: { identity, start } })))
await Effect.runPromise(ConnectedHost.endServer(directory))
rmSync(directory, { recursive: true })
