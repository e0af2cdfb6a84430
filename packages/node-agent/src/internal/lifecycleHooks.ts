/** Carries out the hooks of containers. The supervisor does it, so they run while no agent is there, and go on after it was restarted. */
import * as FileSystem from "@effect/platform/FileSystem"
import { Zlogin } from "@reddwarf/runtime-illumos"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { request as httpRequest } from "node:http"
import { request as httpsRequest } from "node:https"
import type { Hook } from "../supervisor/ContainerLifecycle.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as attempts from "./containerAttempt.js"
import * as shim from "./shim.js"

/** A hook did not do what it should, for people. */
export class HookFailed extends Data.TaggedError("HookFailed")<{ readonly message: string }> {}

/** Text of a failed command that is kept. */
const longestText = 1024

/** A hook may take as long as its container lives; commands in zones need a bound all the same. */
const longestCommand = Duration.days(1)

const failedCommand = (argv: ReadonlyArray<string>, why: string): HookFailed =>
  new HookFailed({ message: `exec lifecycle hook ${JSON.stringify(argv)} failed: ${why.slice(0, longestText)}` })

const exec = (
  place: attempts.PodPlace,
  container: Files.ContainerSpec,
  launch: string,
  name: "poststart" | "prestop",
  argv: readonly [string, ...ReadonlyArray<string>]
) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const file = `${attempts.onHost(place, launch)}/${name}.sh`
    // As command.sh: the same root, directory, variables and user, whatever they take.
    yield* fs.remove(file, { force: true })
    yield* fs.writeFileString(file, shim.commandScript({ ...container, argv, tty: false, stdin: false }), { flag: "wx", mode: 0o600 })
    const result = yield* Zlogin.run(place.runner, place.spec.zone, ["/bin/sh", `${attempts.inZone(launch)}/${name}.sh`], {
      timeout: longestCommand,
      failsafe: true
    })
    if (result.exitCode !== 0) {
      const said = result.stderr.trim() || result.stdout.trim()
      yield* failedCommand(argv, `exit code ${result.exitCode}${said === "" ? "" : `: ${said}`}`)
    }
  }).pipe(Effect.mapError((error) => error._tag === "HookFailed" ? error : failedCommand(argv, error.message)))

const httpGet = (hook: Extract<Hook, { readonly type: "httpGet" }>): Effect.Effect<void, HookFailed> =>
  Effect.async<void, HookFailed>((resume, signal) => {
    const options = {
      host: hook.host,
      port: hook.port,
      path: hook.path,
      signal,
      agent: false,
      setHost: false,
      headers: {
        Host: hook.host.includes(":") ? `[${hook.host}]:${hook.port}` : `${hook.host}:${hook.port}`,
        "User-Agent": "kube-lifecycle/1.36",
        Accept: "*/*",
        Connection: "close",
        ...Object.fromEntries(hook.headers.map(({ name, value }) => [name, value]))
      }
    }
    // Who ends a container asks no certificate: the request stays on the node.
    const call = hook.scheme === "https" ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options)
    call.on("response", (response) => {
      resume(Effect.void)
      response.destroy()
    })
    call.on("error", (error) => resume(new HookFailed({ message: `httpGet lifecycle hook to ${hook.host}:${hook.port}${hook.path} failed: ${error.message}` })))
    call.end()
  })

/** Runs a hook until it ends; interruption ends it. */
export const run = (
  place: attempts.PodPlace,
  container: Files.ContainerSpec,
  launch: string,
  name: "poststart" | "prestop",
  hook: Hook
): Effect.Effect<void, HookFailed, FileSystem.FileSystem> => {
  if (hook.type === "exec") return exec(place, container, launch, name, hook.argv)
  if (hook.type === "httpGet") return httpGet(hook)
  return hook.type === "sleep" ? Effect.sleep(Duration.seconds(hook.seconds)) : Effect.fail(new HookFailed({ message: hook.detail }))
}
