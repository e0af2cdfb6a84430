/** A real registry (distribution) on loopback, and an image of busybox in it. */
import { BlobStore, ExtendedAttributes, type ImageConfig, type ImageError, ImageReference, ImageStore, LayerStore, MemoryImage, RegistryClient } from "@reddwarf/images"
import { ContainerImages } from "@reddwarf/node-agent"
import { DatasetName, Zfs } from "@reddwarf/storage-zfs"
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Busybox from "vitest-config/busybox"
import type { Directories } from "./harness.js"

const peers = process.env["REDDWARF_PEERS"]
const program = (name: string): string | undefined => peers === undefined ? undefined : join(peers, "bin", name)
const isThere = (path: string | undefined): path is string => path !== undefined && existsSync(path)

/** Without these, or without the right to make roots, there is nothing to test with. */
export const missing = !isThere(program("docker-registry")) || !isThere(program("busybox")) || process.getuid?.() !== 0

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-registry-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Gives `127.0.0.1:port`. */
export const registry = Effect.gen(function*() {
  const folder = yield* temporaryFolder
  const config = join(folder, "config.yml")
  // YAML is a superset of JSON.
  writeFileSync(config, JSON.stringify({
    version: "0.1",
    log: { level: "info" },
    storage: { filesystem: { rootdirectory: join(folder, "data") } },
    http: { addr: "127.0.0.1:0", secret: "test" }
  }))
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(program("docker-registry") ?? "", ["serve", config], { stdio: ["ignore", "pipe", "pipe"], env: {} })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  return yield* Effect.async<string>((resume) => {
    let log = ""
    const read = (chunk: Buffer) => {
      log += chunk.toString()
      const found = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1]
      if (found !== undefined) resume(Effect.succeed(found))
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
  })
})

/** Images as roots of zones, on the simulated host of these folders. */
export const imagesLayer = (
  { dataDir, hostDir }: Directories
): Layer.Layer<ContainerImages.ContainerImages | ImageStore.ImageStore, ImageError.ImageError, CommandRunner.CommandRunner | FileSystem.FileSystem | RegistryClient.RegistryClient> => {
  const images = DatasetName.make("rpool/reddwarf/images")
  const directory = join(dataDir, "images")
  return ContainerImages.layer({ defaultBrand: "sparse", backOff: { initial: "2 seconds" } }).pipe(
    Layer.provideMerge(ImageStore.layer({ images, directory })),
    Layer.provide(LayerStore.layerZfs({ images, realPath: (path) => join(hostDir, "root", path) })),
    Layer.provide(Layer.mergeAll(Zfs.layer, ExtendedAttributes.layerNone, BlobStore.layer({ directory: join(directory, "content") })))
  )
}

/** Pushes an image of busybox that runs `process`. */
export const pushBusybox = (reference: string, process: Partial<ImageConfig.Process>, extras: Busybox.Extras = {}) =>
  Effect.gen(function*() {
    const client = yield* RegistryClient.RegistryClient
    const { blobs, document } = MemoryImage.make(Busybox.layer(program("busybox") ?? "", extras), process)
    yield* client.push(Either.getOrThrow(ImageReference.parse(reference)), { documents: [document], blobs })
    return document.digest
  })
