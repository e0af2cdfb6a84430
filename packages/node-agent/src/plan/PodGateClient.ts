/** Asks and approves the gates of a pod: by HTTP at its address, or by commands in its containers. */
import type { CoreV1 } from "@reddwarf/api-types"
import { type Gate, GateClient } from "@reddwarf/plans"
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import { request } from "node:http"
import * as ContainerTarget from "../container/ContainerTarget.js"
import * as ProbeCommand from "../pod/ProbeCommand.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"

/** How long an answer may take, connecting included. */
const patience = "2 seconds"

/** So much of an answer is read; nobody looks at it. */
const longestBody = 1024

const unreachable = (detail: string): GateClient.GateAnswer => ({ _tag: "Unreachable", detail })

/** One request without following redirects. */
const send = (
  method: "GET" | "POST",
  host: string,
  { path, port }: { readonly port: number; readonly path: string },
  { body, headers }: { readonly body?: string; readonly headers: Readonly<Record<string, string>> }
): Effect.Effect<GateClient.GateAnswer> =>
  Effect.async<GateClient.GateAnswer>((resume) => {
    const sent = request({ method, host, port, path: path.startsWith("/") ? path : `/${path}`, headers, agent: false }, (answer) => {
      let size = 0
      const done = () => {
        resume(Effect.succeed({ _tag: "Status", code: answer.statusCode ?? 0 }))
        sent.destroy()
      }
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length
        if (size > longestBody) done()
      })
      answer.once("end", done)
      answer.once("error", done)
    })
    sent.once("error", (error) => resume(Effect.succeed(unreachable(error.message))))
    sent.end(body)
    return Effect.sync(() => void sent.destroy())
  }).pipe(Effect.timeoutTo({ duration: patience, onSuccess: (answer) => answer, onTimeout: () => unreachable(`no answer within ${patience}`) }))

const headers = { "user-agent": "reddwarf-gate", accept: "*/*" }

/**
 * The client of one pod. Fails where the pod has no address yet.
 *
 * @category constructors
 */
export const make = (
  runner: CommandRunner.CommandRunner["Type"],
  pod: CoreV1.Pod,
  address: string | undefined,
  supervised: Option.Option<SupervisorClient.SupervisedPod>
): Effect.Effect<GateClient.GateClient, GateClient.GateClientUnavailable> => {
  if (address === undefined) {
    return Effect.fail(new GateClient.GateClientUnavailable({ detail: `pod ${pod.metadata.name ?? ""} has no address` }))
  }
  const exec = ({ command, container }: { readonly container: string; readonly command: ReadonlyArray<string> }): Effect.Effect<GateClient.GateAnswer> =>
    ProbeCommand.run(runner, Either.getOrUndefined(ContainerTarget.find(supervised, container)), command).pipe(
      Effect.map((outcome): GateClient.GateAnswer =>
        outcome._tag === "Exited" ? { _tag: "Exit", code: outcome.exitCode } : unreachable("message" in outcome ? outcome.message : "the command did not end")),
      Effect.disconnect,
      Effect.timeoutTo({ duration: patience, onSuccess: (answer) => answer, onTimeout: () => unreachable(`no end within ${patience}`) })
    )
  return Effect.succeed({
    probe: ({ probe }: Gate.Gate) => "httpGet" in probe ? send("GET", address, probe.httpGet, { headers }) : exec(probe.exec),
    approve: ({ approve }: Gate.Gate, taskId: string) => {
      if ("exec" in approve) return exec(approve.exec)
      const { format } = approve.httpPost
      const body = format === "task" ? JSON.stringify({ id: taskId, type: "mark-ready" }) : ""
      return send("POST", address, approve.httpPost, {
        body,
        headers: {
          ...headers,
          "idempotency-key": taskId,
          "content-length": String(Buffer.byteLength(body)),
          ...(format === "task" ? { "content-type": "application/json" } : {})
        }
      })
    }
  })
}
