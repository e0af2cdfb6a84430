/** A real registry (distribution) on loopback with a folder of its own, and images of busybox for it. */
import { type BlobSource, Digest, ImageConfig, ImageError, ImageManifest, ImageReference, Keyring, MediaType, RegistryClient } from "@reddwarf/images"
import { Effect, Either, Redacted, Stream } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { waitFor } from "./waitFor.js"

/** The only account of a private registry. */
export const account = { username: "robot", password: "correct horse" }
/** The same, as a registry keeps it. */
const htpasswd = "robot:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n"

export interface Registry {
  /** `127.0.0.1:port`, as it stands in names of images. */
  readonly host: string
  /** What it says it was asked. */
  readonly log: () => string
  /** Ends it and removes its folder. */
  readonly stop: () => Promise<void>
}

export const startRegistry = async (program: string, options: { readonly private?: boolean } = {}): Promise<Registry> => {
  const folder = mkdtempSync(join(tmpdir(), "reddwarf-e2e-registry-"))
  const passwords = join(folder, "htpasswd")
  writeFileSync(passwords, htpasswd)
  // YAML is a superset of JSON.
  writeFileSync(join(folder, "config.yml"), JSON.stringify({
    version: "0.1",
    log: { level: "info" },
    storage: { filesystem: { rootdirectory: join(folder, "data") } },
    http: { addr: "127.0.0.1:0", secret: "test" },
    ...(options.private === true ? { auth: { htpasswd: { realm: "private images", path: passwords } } } : {})
  }))
  const child = spawn(program, ["serve", join(folder, "config.yml")], { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"] } })
  const closed = new Promise<void>((resolve) => { child.once("close", () => resolve()) })
  let log = ""
  const read = (text: string) => { log += text }
  child.stdout.setEncoding("utf8").on("data", read)
  child.stderr.setEncoding("utf8").on("data", read)
  const host = await waitFor("the registry", () => /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1], { seconds: 30, everyMillis: 20, seen: () => log })
  return {
    host,
    log: () => log,
    stop: async () => {
      child.kill("SIGTERM")
      await closed
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

const applets = ["sh", "cat", "chmod", "chroot", "env", "grep", "id", "kill", "ls", "mkdir", "mkfifo", "mount", "mv", "ps", "pwd", "rm", "setsid", "sleep", "su", "tail", "tar", "test", "tr", "true", "tty", "uname"]

/** A layer with busybox, an account `web` (1234:1235) and further files, as a tar archive. */
export const busyboxLayer = (busybox: string, files: Readonly<Record<string, string>>): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), "reddwarf-e2e-layer-"))
  try {
    const root = join(folder, "root")
    for (const name of ["bin", "etc", "srv/app", "tmp"]) mkdirSync(join(root, name), { recursive: true })
    chmodSync(join(root, "tmp"), 0o1777)
    copyFileSync(busybox, join(root, "bin/busybox"))
    for (const name of applets) symlinkSync("busybox", join(root, "bin", name))
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/:/bin/sh\nweb:x:1234:1235::/srv/app:/bin/sh\n")
    writeFileSync(join(root, "etc/group"), "root:x:0:\nweb:x:1235:\n")
    for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content)
    execFileSync("tar", ["--numeric-owner", "--owner=0", "--group=0", "-C", root, "-cf", join(folder, "layer.tar"), "."])
    return new Uint8Array(readFileSync(join(folder, "layer.tar")))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Pushes an image of one layer, and gives the digest of its manifest. */
export const pushImage = (reference: string, layer: Uint8Array, process: Partial<ImageConfig.Process>): Promise<string> => {
  const packed = new Uint8Array(gzipSync(layer, { level: 1 }))
  const config = ImageConfig.encode(ImageConfig.make({ os: "linux", architecture: "amd64" }, [Digest.of(layer)], process))
  const descriptor = (mediaType: string, bytes: Uint8Array): ImageManifest.Descriptor => ({ mediaType, digest: Digest.of(bytes), size: bytes.length })
  const document = ImageManifest.fromManifest({
    mediaType: MediaType.ociManifest,
    config: descriptor(MediaType.ociConfig, config),
    layers: [descriptor(MediaType.ociLayerGzip, packed)]
  })
  const bytes = new Map([[Digest.of(config), config], [Digest.of(packed), packed]])
  const blobs: BlobSource.BlobSource = {
    name: "this test",
    open: ({ digest }, from = 0) => {
      const found = bytes.get(digest)
      return found === undefined
        ? Stream.fail(new ImageError.NotFound({ reference, what: `blob ${digest}`, source: "this test" }))
        : Stream.make(found.subarray(from))
    }
  }
  const parsed = Either.getOrThrow(ImageReference.parse(reference))
  const keyring = Keyring.basic(reference.slice(0, reference.indexOf("/")), account.username, Redacted.make(account.password))
  return Effect.flatMap(RegistryClient.RegistryClient, (client) => client.push(parsed, { documents: [document], blobs }, keyring)).pipe(
    Effect.as(document.digest),
    Effect.provide(RegistryClient.layer()),
    Effect.runPromise
  )
}
