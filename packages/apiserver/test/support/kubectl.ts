/** Real kubectl against a real port. Needs REDDWARF_PEERS to name a folder with bin/kubectl-<version>. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Certificates from "../../src/Certificates.js"
import * as HttpsEdge from "../../src/HttpsEdge.js"
import * as Kubeconfig from "../../src/Kubeconfig.js"
import { adminCredentials, TempDirectory } from "./http.js"

export const peers = process.env["REDDWARF_PEERS"]

export const isMissing = (version: string): boolean => peers === undefined || !existsSync(join(peers, "bin", `kubectl-${version}`))

export interface Output {
  readonly code: number
  readonly out: string
}

export const setup = (version: string) =>
  Effect.gen(function*() {
    const { url } = yield* HttpsEdge.HttpsEdge
    const directory = yield* TempDirectory
    const { authority } = yield* Certificates.Certificates
    const kubeconfig = join(directory, "admin.conf")
    const credentials = yield* adminCredentials
    yield* Kubeconfig.write(kubeconfig, { server: url, authority, user: "kubernetes-admin", credentials })
    const program = join(peers ?? "", "bin", `kubectl-${version}`)
    const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: directory, TMPDIR: directory }
    const start = (args: ReadonlyArray<string>) => spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] })
    /** With a stdin to write to. */
    const talk = (args: ReadonlyArray<string>) => spawn(program, args, { env, stdio: "pipe" })
    const run = (...args: ReadonlyArray<string>): Effect.Effect<Output> =>
      Effect.async<Output>((resume) => {
        const child = start(args)
        let out = ""
        child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()))
        child.stderr.on("data", (chunk: Buffer) => (out += chunk.toString()))
        child.on("close", (code) => resume(Effect.succeed({ code: code ?? -1, out })))
        return Effect.sync(() => child.kill("SIGKILL"))
      }).pipe(Effect.timeout("20 seconds"), Effect.orDie)
    const ok = (...args: ReadonlyArray<string>) =>
      Effect.map(run(...args), ({ code, out }) => {
        assert.strictEqual(code, 0, `kubectl ${args.join(" ")}: ${out}`)
        return out
      })
    const file = (name: string, text: string): string => {
      const path = join(directory, name)
      writeFileSync(path, text)
      return path
    }
    return { ok, run, start, talk, file }
  })
