import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { ContainerLogs } from "@reddwarf/node-agent"
import { Console, Effect, Stream } from "effect"

// The last two lines of a log, as `kubectl logs --tail=2 --timestamps` shows them.
const program = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* fs.makeTempDirectoryScoped()}/0.log`
  yield* fs.writeFileString(
    path,
    [
      "2026-11-20T22:05:35.000000000Z stdout F starting",
      "2026-11-20T22:05:36.000000000Z stdout P a long line in two ",
      "2026-11-20T22:05:36.100000000Z stdout F parts",
      "2026-11-20T22:05:37.000000000Z stderr F ready",
      ""
    ].join("\n")
  )
  const lines = ContainerLogs.stream(path, { tailLines: 2, timestamps: true }, Effect.succeed(true))
  yield* lines.pipe(Stream.decodeText(), Stream.splitLines, Stream.runForEach(Console.log))
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer)))
