/** A real registry (distribution) on loopback, and an image of busybox in it. */
import { type BlobSource, BlobStore, Digest, ExtendedAttributes, ImageConfig, ImageError, ImageManifest, ImageReference, ImageStore, LayerStore, MediaType, RegistryClient } from "@reddwarf/images"
import { ContainerImages } from "@reddwarf/node-agent"
import { DatasetName, Zfs } from "@reddwarf/storage-zfs"
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
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

const commands = ["sh", "cat", "chmod", "chroot", "env", "grep", "id", "kill", "ls", "mkdir", "mkfifo", "mount", "mv", "ps", "pwd", "rm", "setsid", "sleep", "stat", "su", "tail", "tr", "true", "tty", "uname"]

/** What an image has beside busybox: text files and links by path, and programs of this machine with their libraries. */
export interface Extras {
  readonly texts?: Readonly<Record<string, string>>
  readonly links?: Readonly<Record<string, string>>
  readonly programs?: ReadonlyArray<string>
}

const librariesOf = (path: string): ReadonlyArray<string> =>
  [...execFileSync("ldd", [path], { encoding: "utf8" }).matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, file = ""]) => file)

const put = (root: string, path: string, write: (target: string) => void): void => {
  const target = join(root, path)
  mkdirSync(dirname(target), { recursive: true })
  write(target)
}

const layerOf = (folder: string, { links = {}, programs = [], texts = {} }: Extras): Uint8Array => {
  const root = join(folder, "root")
  for (const name of ["bin", "etc", "srv/app", "tmp"]) mkdirSync(join(root, name), { recursive: true })
  chmodSync(join(root, "tmp"), 0o1777)
  copyFileSync(program("busybox") ?? "", join(root, "bin/busybox"))
  for (const name of commands) symlinkSync("busybox", join(root, "bin", name))
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/:/bin/sh\nweb:x:1234:1235::/srv/app:/bin/sh\n")
  writeFileSync(join(root, "etc/group"), "root:x:0:\nweb:x:1235:\n")
  writeFileSync(join(root, "srv/app/greeting"), "from the image\n")
  for (const [path, content] of Object.entries(texts)) put(root, path, (target) => writeFileSync(target, content))
  for (const [path, to] of Object.entries(links)) put(root, path, (target) => symlinkSync(to, target))
  for (const file of new Set(programs.flatMap((path) => [path, ...librariesOf(path)]))) put(root, file, (target) => copyFileSync(file, target))
  execFileSync("tar", ["--numeric-owner", "--owner=0", "--group=0", "-C", root, "-cf", join(folder, "layer.tar"), "."])
  return new Uint8Array(readFileSync(join(folder, "layer.tar")))
}

/** Pushes an image of busybox that runs `process`. */
export const pushBusybox = (reference: string, process: Partial<ImageConfig.Process>, extras: Extras = {}) =>
  Effect.gen(function*() {
    const client = yield* RegistryClient.RegistryClient
    const archive = layerOf(yield* temporaryFolder, extras)
    const packed = new Uint8Array(gzipSync(archive, { level: 1 }))
    const config = ImageConfig.encode(ImageConfig.make({ os: "linux", architecture: "amd64" }, [Digest.of(archive)], process))
    const descriptor = (mediaType: string, bytes: Uint8Array): ImageManifest.Descriptor => ({ mediaType, digest: Digest.of(bytes), size: bytes.length })
    const document = ImageManifest.fromManifest({
      mediaType: MediaType.ociManifest,
      config: descriptor(MediaType.ociConfig, config),
      layers: [descriptor(MediaType.ociLayerGzip, packed)]
    })
    const bytes = new Map([[Digest.of(config), config], [Digest.of(packed), packed]])
    const blobs: BlobSource.BlobSource = {
      name: "test",
      open: ({ digest }, from = 0) => {
        const found = bytes.get(digest)
        return found === undefined
          ? Stream.fail(new ImageError.NotFound({ reference, what: `blob ${digest}`, source: "test" }))
          : Stream.make(found.subarray(from))
      }
    }
    yield* client.push(Either.getOrThrow(ImageReference.parse(reference)), { documents: [document], blobs })
    return document.digest
  }).pipe(Effect.scoped)
