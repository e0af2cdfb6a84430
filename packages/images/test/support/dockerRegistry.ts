/** A real registry (distribution) on the loopback interface, its storage gone with the scope. */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryDirectory } from "./testImages.js"

const peers = process.env["REDDWARF_PEERS"]
const program = peers === undefined ? undefined : join(peers, "bin", "docker-registry")

/** Whether there is no registry to test with. */
export const registryMissing = program === undefined || !existsSync(program)

/** For the title of what is skipped then. */
export const skippedUnless = "skipped unless REDDWARF_PEERS names a folder with bin/docker-registry"

export interface RegistrySettings {
  /** `htpasswd` lines; passwords hashed by bcrypt. */
  readonly htpasswd?: string
  readonly token?: { readonly realm: string; readonly service: string; readonly issuer: string; readonly rootCertificate: string }
  readonly tls?: { readonly cert: string; readonly key: string }
}

export interface Registry {
  /** `127.0.0.1:port`. */
  readonly host: string
  /** Lines of its log so far. */
  readonly log: () => string
}

export const startRegistry = (settings: RegistrySettings = {}) =>
  Effect.gen(function*() {
    const folder = yield* temporaryDirectory
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    }
    const auth = settings.htpasswd !== undefined
      ? { htpasswd: { realm: "test registry", path: file("htpasswd", settings.htpasswd) } }
      : settings.token !== undefined
      ? {
        token: {
          realm: settings.token.realm,
          service: settings.token.service,
          issuer: settings.token.issuer,
          rootcertbundle: file("root.pem", settings.token.rootCertificate)
        }
      }
      : undefined
    // YAML is a superset of JSON.
    const config = file("config.yml", JSON.stringify({
      version: "0.1",
      log: { level: "info" },
      storage: { filesystem: { rootdirectory: join(folder, "data") } },
      http: {
        addr: "127.0.0.1:0",
        secret: "test",
        ...(settings.tls === undefined ? {} : { tls: { certificate: file("tls.crt", settings.tls.cert), key: file("tls.key", settings.tls.key) } })
      },
      ...(auth === undefined ? {} : { auth })
    }))
    let log = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(program ?? "", ["serve", config], { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"] } })),
      (child) =>
        Effect.suspend(() =>
          child.exitCode !== null || child.signalCode !== null ? Effect.void : Effect.async<void>((resume) => {
            child.once("close", () => resume(Effect.void))
            child.kill("SIGKILL")
          })
        )
    )
    const host = yield* Effect.async<string>((resume) => {
      const read = (chunk: string) => {
        log += chunk
        const found = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1]
        if (found !== undefined) resume(Effect.succeed(found))
      }
      child.stderr.setEncoding("utf8").on("data", read)
      child.stdout.setEncoding("utf8").on("data", read)
      child.once("close", () => resume(Effect.dieMessage(`the registry ended: ${log}`)))
    })
    return { host, log: () => log } satisfies Registry
  })
