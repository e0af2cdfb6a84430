/** `pods/<name>/exec`, `attach` and `portforward`: the connection is joined with one to the agent of the pod's node. */
import { type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { OutgoingHttpHeaders } from "node:http"
import type { ApiResponse } from "../ApiResponse.js"
import { objectOf, type ResourceRequest } from "../internal/apiContext.js"
import * as failures from "../internal/failures.js"
import { forbiddenMessage } from "../internal/forbidden.js"
import { keyOf } from "../internal/keys.js"
import { addressOf, containerOf, nodeNameOf } from "../internal/podTarget.js"
import * as relay from "../internal/relay.js"
import * as sideAdmission from "../internal/sideAdmission.js"
import { isTrue } from "../RequestInfo.js"

/** The subresources that only an upgraded connection can use. @category models */
export type Connectable = "attach" | "exec" | "portforward"

const agentPaths: Readonly<Record<Connectable, string>> = { attach: "attach", exec: "exec", portforward: "portForward" }

// The names of the API, and those of the agent.
const streams = [["stdin", "input"], ["stdout", "output"], ["stderr", "error"], ["tty", "tty"]] as const

const commandQuery = (query: URLSearchParams): Either.Either<URLSearchParams, Status.Status> => {
  const parameters = new URLSearchParams()
  for (const [name, agentName] of streams) {
    if (isTrue(query.get(name))) parameters.set(agentName, "1")
  }
  return ["input", "output", "error"].some((name) => parameters.has(name))
    ? Either.right(parameters)
    : Either.left(Status.badRequest("you must specify at least 1 of stdin, stdout, stderr"))
}

const execQuery = (query: URLSearchParams): Either.Either<URLSearchParams, Status.Status> => {
  const command = query.getAll("command")
  if (command.length === 0) return Either.left(Status.badRequest("you must specify at least one command for the container"))
  return Either.map(commandQuery(query), (parameters) => {
    for (const word of command) parameters.append("command", word)
    return parameters
  })
}

const portQuery = (query: URLSearchParams): Either.Either<URLSearchParams, Status.Status> => {
  const parameters = new URLSearchParams()
  for (const text of query.getAll("ports").flatMap((list) => list.split(","))) {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
    if (port < 1 || port > 65_535) return Either.left(Status.badRequest(`invalid port ${JSON.stringify(text)}: it must be a number from 1 to 65535`))
    parameters.append("port", text)
  }
  return Either.right(parameters)
}

const optionKinds: Readonly<Record<Connectable, string>> = {
  attach: "PodAttachOptions",
  exec: "PodExecOptions",
  portforward: "PodPortForwardOptions"
}

/** The request as rules of users see it. */
const optionsOf = (query: URLSearchParams, connect: Connectable): sideAdmission.Asked => {
  if (connect === "portforward") return { ports: query.getAll("ports").flatMap((list) => list.split(",")).map(Number) }
  const container = query.get("container") ?? ""
  return {
    ...Object.fromEntries(streams.flatMap(([name]) => isTrue(query.get(name)) ? [[name, true]] : [])),
    ...(container === "" ? {} : { container }),
    ...(connect === "exec" ? { command: query.getAll("command") } : {})
  }
}

const queries = { attach: commandQuery, exec: execQuery, portforward: portQuery }

/** Headers by which client and agent agree on a protocol; they pass as they are. Credentials do not. */
const negotiation = ["upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "x-stream-protocol-version", "user-agent"]

// Browsers send their token as the name of a protocol.
const tokenProtocol = "base64url.bearer.authorization.k8s.io."

/** What an upgrade request hands on. */
export const upgradeHeaders = (headers: ResourceRequest["request"]["headers"]): OutgoingHttpHeaders => {
  const passed: OutgoingHttpHeaders = { connection: "Upgrade" }
  for (const name of negotiation) {
    const value = headers[name]
    if (value !== undefined) passed[name] = typeof value === "string" ? value : [...value]
  }
  const protocols = headers["sec-websocket-protocol"]
  const offered = (typeof protocols === "string" ? [protocols] : protocols ?? [])
    .flatMap((list) => list.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "" && !name.startsWith(tokenProtocol))
  if (offered.length > 0) passed["sec-websocket-protocol"] = offered.join(", ")
  return passed
}

// WebSocket clients ask with GET, for which permission to read would be enough.
const mayCreate = ({ context, info, user }: ResourceRequest): Either.Either<void, Status.Status> => {
  if (info.verb === "create") return Either.void
  const { group, name, namespace, path, resource, subresource, version } = info
  const attributes = { user, verb: "create", isResource: true, group, version, resource, subresource, namespace, name, path }
  const { allowed, reason } = context.authorizer.authorize(attributes)
  return allowed ? Either.void : Either.left(forbiddenMessage(attributes, reason))
}

const segmentsOf = (call: ResourceRequest, pod: KubeObject.KubeObject, connect: Connectable): Either.Either<ReadonlyArray<string>, Status.Status> => {
  const common = [agentPaths[connect], pod.metadata.namespace ?? "", pod.metadata.name ?? ""]
  return connect === "portforward"
    ? Either.right(common)
    : Either.map(containerOf(pod, call.info.query.get("container")), (container) => [...common, container])
}

/** Joins the client with the agent of the pod's node. @category combinators */
export const connect = (call: ResourceRequest, name: string, subresource: Connectable): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { context, info, kind, request } = call
    yield* mayCreate(call)
    const entry = context.cache.get(keyOf(kind, info.namespace, name))
    if (entry === undefined) return yield* Effect.fail(failures.missing(kind, name))
    const pod = objectOf(entry)
    const segments = yield* segmentsOf(call, pod, subresource)
    const node = nodeNameOf(pod)
    if (node === undefined) return yield* Effect.fail(Status.badRequest(`pod ${name} does not have a host assigned`))
    const address = yield* addressOf(context, node)
    const parameters = yield* queries[subresource](info.query)
    yield* sideAdmission.connect(call, name, optionKinds[subresource], optionsOf(info.query, subresource))
    if (request.upgrade === undefined) return yield* Effect.fail(Status.badRequest("Upgrade request required"))
    const path = `/${segments.map(encodeURIComponent).join("/")}${parameters.size === 0 ? "" : `?${parameters.toString()}`}`
    const outgoing = { method: request.method, path, headers: upgradeHeaders(request.headers) }
    return yield* relay.holding((close) =>
      context.kubelet.open(address, outgoing).pipe(
        Effect.mapError((error) => Status.internalError(error.message)),
        Effect.flatMap((answer) =>
          answer._tag === "Upgraded" ? Effect.succeed(relay.joined(answer, close)) : relay.refusal(answer.incoming))
      )
    )
  })
