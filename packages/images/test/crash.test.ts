/** A program that pulls is killed, again and again; what it had fetched is not fetched again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import * as NodePath from "node:path"
import { bundle } from "vitest-config/bundle"
import { until } from "vitest-config/waiting"
import { Digest } from "../src/index.js"
import { rangeOf, startFaultyRegistry } from "./support/faultyRegistry.js"
import { noise, temporaryDirectory, testImage } from "./support/testImages.js"

const image = testImage({ layers: [{ data: noise(400_000) }], packing: "none" })
const layer = image.manifest.layers[0] ?? image.manifest.config
const bytes = image.blobs.get(layer.digest) ?? new Uint8Array()

/** Starts the program; it is killed at the end of the scope if it still runs. */
const start = (program: string, directory: string, name: string) =>
  Effect.gen(function*() {
    let output = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [program, directory, name], { stdio: ["ignore", "pipe", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk))
    const closed = until("the program ends", Effect.sync(() => (child.exitCode !== null || child.signalCode !== null) && child.stdout.closed))
    return { kill: Effect.zipRight(Effect.sync(() => child.kill("SIGKILL")), closed), closed: Effect.map(closed, () => output) }
  })

describe("kill -9", () => {
  it.scopedLive("a pull goes on where the killed one was, after each of several kills", () =>
    Effect.gen(function*() {
      const program = yield* bundle(new URL("crash/puller.ts", import.meta.url), yield* temporaryDirectory)
      const directory = yield* temporaryDirectory
      const registry = yield* startFaultyRegistry([image], { "1": image })
      const piece = 90_000
      let hold = true
      registry.faults.push((request, response) => {
        if (!request.path.endsWith(layer.digest) || !hold) return false
        const from = rangeOf(request)
        response.writeHead(from > 0 ? 206 : 200, {
          "content-length": String(bytes.length - from),
          ...(from > 0 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {})
        })
        // And then nothing more.
        response.write(bytes.subarray(from, from + piece))
        return true
      })
      const partial = NodePath.join(directory, "partial")
      const written = () => (existsSync(partial) ? readdirSync(partial).map((name) => statSync(NodePath.join(partial, name), { throwIfNoEntry: false })?.size ?? 0) : [])
      for (const round of [1, 2, 3]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const { kill } = yield* start(program, directory, `${registry.host}/app:1`)
          yield* until(`${round} pieces are written`, Effect.sync(() => written().includes(round * piece)))
          yield* kill
        }))
      }
      hold = false
      const { closed } = yield* start(program, directory, `${registry.host}/app:1`)
      assert.strictEqual((yield* closed).trim(), image.document.digest)
      const starts = registry.seen.filter(({ path }) => path.endsWith(layer.digest)).map(rangeOf)
      assert.deepStrictEqual(starts, [0, piece, 2 * piece, 3 * piece])
      assert.deepStrictEqual(readFileSync(NodePath.join(directory, "blobs", "sha256", Digest.hex(layer.digest))), Buffer.from(bytes))
      assert.deepStrictEqual(readdirSync(partial), [])
    }), 60_000)
})
