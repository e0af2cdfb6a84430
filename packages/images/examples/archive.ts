import { Digest, ImageConfig, ZoneArchive } from "@reddwarf/images"
import { Console, Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const work = mkdtempSync(join(tmpdir(), "zar-"))
writeFileSync(join(work, "motd"), "hello\n")

const program = Effect.gen(function*() {
  const path = join(work, "hello.zar")
  yield* ZoneArchive.write({
    path,
    brand: "sparse",
    references: ["registry.example/hello:1"],
    config: ImageConfig.make({ os: "illumos", architecture: "amd64" }, [], { cmd: ["/usr/bin/cat", "/motd"] }),
    kind: "tar",
    content: ZoneArchive.fromFolder(work)
  })
  const { layer, manifest } = yield* ZoneArchive.open(path)
  yield* Console.log(`${manifest.brand} image that runs ${manifest.config.process.cmd.join(" ")}`)
  yield* Console.log(`its layer has the right digest: ${layer.diffId === manifest.payload.contentDigest}, ${Digest.short(layer.diffId).length} digits shown`)
})

await program.pipe(Effect.ensuring(Effect.sync(() => rmSync(work, { recursive: true }))), Effect.runPromise)
