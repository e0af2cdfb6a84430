/** Calls to webhooks: JSON over TLS, to places in the cluster, bounded in time and size. */
import type { AdmissionregistrationV1 } from "@reddwarf/api-types"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { lookup, type LookupAddress } from "node:dns"
import type { ClientRequest, IncomingMessage } from "node:http"
import { Agent, request } from "node:https"
import { isIP, type LookupFunction } from "node:net"
import type { ClusterView } from "../admission/Admission.js"
import { isInCluster, isOfPod } from "./clusterAddresses.js"
import * as serviceEndpoints from "./serviceEndpoints.js"

/** A call that brought no answer, in the words of Kubernetes. */
export class CallFailed extends Data.TaggedError("CallFailed")<{ readonly message: string }> {}

/** Where a webhook is, as its configuration says. */
export type ClientConfig = AdmissionregistrationV1.WebhookClientConfig

export interface WebhookClient {
  /** Sends a review and gives the JSON value of the answer. */
  readonly call: (config: ClientConfig, review: object, timeoutMillis: number) => Effect.Effect<unknown, CallFailed>
}

/** Answers above this many bytes are refused. */
const maximumAnswer = 16 * 1024 * 1024

/** Connections to one webhook that are kept for the next calls. */
const maximumKept = 16

/** Where a call goes, and as what it shows in messages. */
interface Target {
  readonly url: URL
  readonly address: string
  readonly port: number
}

const failed = (message: string) => new CallFailed({ message })

const targetOf = (
  { service, url }: ClientConfig,
  view: ClusterView,
  random: () => number
): Either.Either<Target, CallFailed> => {
  if (service !== undefined) {
    const { name, namespace, path = "/", port = 443 } = service
    return Either.flatMap(Either.mapLeft(serviceEndpoints.find(view, namespace, name, port), failed), (endpoints) => {
      const { address, port: target } = endpoints[Math.floor(random() * endpoints.length)] ?? { address: "", port }
      const origin = `https://${name}.${namespace}.svc:${port}`
      return Either.try({
        try: () => {
          const url = new URL(origin)
          // Set as a path, whatever it looks like: what begins with two slashes would otherwise name another host.
          url.pathname = path
          return { url, address, port: target }
        },
        catch: () => failed(`parse ${JSON.stringify(origin)}: invalid URL`)
      })
    })
  }
  return Either.try({
    try: () => {
      const parsed = new URL(url ?? "")
      return { url: parsed, address: parsed.hostname.replace(/^\[(.*)\]$/, "$1"), port: parsed.port === "" ? 443 : Number(parsed.port) }
    },
    catch: () => failed(`parse "${url ?? ""}": invalid URL`)
  })
}

const refusal = (address: string): string => `dial tcp ${address}: address is outside of the cluster`

const guarded: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, found: ReadonlyArray<LookupAddress>) => {
    const [first] = found ?? []
    const outside = error === null ? found.find(({ address }) => !isInCluster(address)) : undefined
    if (error !== null) callback(error, "", 4)
    else if (outside !== undefined || first === undefined) callback(new Error(refusal(outside?.address ?? host)), "", 4)
    else if (options.all === true) callback(null, [...found])
    else callback(null, first.address, first.family)
  })
}

const untrusted: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
])

const reasonOf = (error: Error & { readonly code?: unknown }, { address, port, url }: Target): string => {
  const code = typeof error.code === "string" ? error.code : ""
  const host = address.includes(":") ? `[${address}]` : address
  if (code === "ECONNREFUSED") return `dial tcp ${host}:${port}: connect: connection refused`
  if (code === "ENOTFOUND") return `dial tcp: lookup ${url.hostname}: no such host`
  if (code === "CERT_HAS_EXPIRED") return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `tls: failed to verify certificate: x509: certificate is not valid for any names, but wanted to match ${url.hostname}`
  }
  return untrusted.has(code) ? "tls: failed to verify certificate: x509: certificate signed by unknown authority" : error.message
}

const statusTexts: ReadonlyMap<number, string> = new Map([
  [400, "the server rejected our request for an unknown reason"],
  [401, "the server has asked for the client to provide credentials"],
  [404, "the server could not find the requested resource"],
  [405, "the server does not allow this method on the requested resource"],
  [409, "the server reported a conflict"],
  [422, "the server rejected our request due to an error in our request"],
  [429, "the server has received too many requests and has asked us to try again later"],
  [503, "the server is currently unable to handle the request"],
  [504, "the server was unable to return a response in the time allotted, but may still be processing the request"]
])

/** Statuses of which the server itself says what is wrong. */
const spoken: ReadonlySet<number> = new Set([403, 406, 415])

/** As much of an answer is shown. */
const maximumShown = 2048

const statusText = (status: number, body: string): string => {
  const said = body.slice(0, maximumShown).trim()
  if (spoken.has(status)) return said === "" ? "unknown" : said
  const known = statusTexts.get(status)
  if (known !== undefined) return known
  return status >= 500
    ? `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`
    : `the server responded with the status code ${status} but did not return more information`
}

/** Why there is no usable answer. */
interface Failure {
  readonly reason: string
  /** The webhook has answered; otherwise the address belongs to the message. */
  readonly isAnswer?: boolean
  /** A kept connection had been closed before anything was answered: another one may do. */
  readonly isStale?: boolean
}

const readAnswer = (incoming: IncomingMessage, resume: (answer: Effect.Effect<string, Failure>) => void): void => {
  const parts: Array<Buffer> = []
  let size = 0
  incoming.on("data", (part: Buffer) => {
    size += part.length
    if (size > maximumAnswer) incoming.destroy(new Error(`the answer is larger than ${maximumAnswer} bytes`))
    else parts.push(part)
  })
  incoming.on("error", (error) => resume(Effect.fail({ reason: error.message })))
  incoming.on("end", () => {
    const text = Buffer.concat(parts).toString("utf8")
    const status = incoming.statusCode ?? 0
    resume(status === 200 || status === 201 ? Effect.succeed(text) : Effect.fail({ reason: statusText(status, text), isAnswer: true }))
  })
}

const exchange = (agent: Agent, target: Target, config: ClientConfig, body: Buffer): Effect.Effect<string, Failure> =>
  Effect.async((resume) => {
    let outgoing: ClientRequest
    try {
      outgoing = request({
        agent,
        method: "POST",
        host: target.address,
        port: target.port,
        path: `${target.url.pathname}${target.url.search}`,
        headers: {
          host: target.url.host,
          accept: "application/json, */*",
          "content-type": "application/json",
          "content-length": body.length,
          "user-agent": "kube-apiserver-admission"
        },
        lookup: guarded,
        ...(isIP(target.url.hostname.replace(/^\[(.*)\]$/, "$1")) === 0 ? { servername: target.url.hostname } : {}),
        ...(config.caBundle === undefined || config.caBundle === "" ? {} : { ca: Buffer.from(config.caBundle, "base64") })
      }, (incoming) => readAnswer(incoming, resume))
    } catch (error) {
      return resume(Effect.fail({ reason: error instanceof Error ? error.message : String(error) }))
    }
    outgoing.on("error", (error) =>
      resume(Effect.fail({ reason: reasonOf(error, target), isStale: outgoing.reusedSocket && Reflect.get(error, "code") === "ECONNRESET" })))
    outgoing.end(body)
    return Effect.sync(() => outgoing.destroy())
  })

const decode = (text: string): Effect.Effect<unknown, CallFailed> =>
  Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: (cause) => failed(`couldn't get version/kind; json parse error: ${cause instanceof Error ? cause.message : String(cause)}`)
  })

/** A client that finds services in the cluster. Its connections live as long as the scope. */
export const make = (view: ClusterView, random: () => number): Effect.Effect<WebhookClient, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: maximumKept, timeout: 60_000 })),
      (agent) => Effect.sync(() => agent.destroy())
    ),
    (agent) => ({
      call: (config, review, timeoutMillis) =>
        Effect.gen(function*() {
          const target = yield* targetOf(config, view, random)
          const asked = new URL(target.url)
          asked.searchParams.set("timeout", `${timeoutMillis / 1000}s`)
          // The port of a service is always shown.
          const host = config.service === undefined ? asked.host : `${asked.hostname}:${config.service.port ?? 443}`
          const shown = `https://${host}${asked.pathname}${asked.search}`
          const post = (reason: string) => failed(`Post ${JSON.stringify(shown)}: ${reason}`)
          // A URL may say anything, and so may an EndpointSlice.
          const isAllowed = config.service === undefined ? isInCluster : isOfPod
          if (isIP(target.address) !== 0 && !isAllowed(target.address)) return yield* post(refusal(target.address))
          const body = Buffer.from(JSON.stringify(review))
          const text = yield* exchange(agent, { ...target, url: asked }, config, body).pipe(
            // A stale connection is found out by using it; there are no more of them than are kept.
            Effect.retry({ while: ({ isStale }) => isStale === true, times: maximumKept }),
            Effect.timeoutFail({
              duration: Duration.millis(timeoutMillis),
              onTimeout: (): Failure => ({ reason: "context deadline exceeded" })
            }),
            Effect.mapError(({ isAnswer, reason }) => isAnswer === true ? failed(reason) : post(reason))
          )
          return yield* decode(text)
        })
    })
  )
