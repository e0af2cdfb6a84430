/** A real registry (distribution) on loopback with a folder of its own, and images of busybox for it. */
import { type ImageConfig, ImageReference, Keyring, MemoryImage, RegistryClient } from "@reddwarf/images"
import { Effect, Either, Redacted } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Busybox from "vitest-config/busybox"
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

/** A layer with busybox, an account `web` (1234:1235) and further files, as a tar archive. */
export const busyboxLayer = (busybox: string, texts: Readonly<Record<string, string>>): Uint8Array => Busybox.layer(busybox, { applets: ["tar", "test"], texts })

/** Pushes an image of one layer, and gives the digest of its manifest. */
export const pushImage = (reference: string, layer: Uint8Array, process: Partial<ImageConfig.Process>): Promise<string> => {
  const { blobs, document } = MemoryImage.make(layer, process)
  const parsed = Either.getOrThrow(ImageReference.parse(reference))
  const keyring = Keyring.basic(reference.slice(0, reference.indexOf("/")), account.username, Redacted.make(account.password))
  return Effect.flatMap(RegistryClient.RegistryClient, (client) => client.push(parsed, { documents: [document], blobs }, keyring)).pipe(
    Effect.as(document.digest),
    Effect.provide(RegistryClient.layer()),
    Effect.runPromise
  )
}
