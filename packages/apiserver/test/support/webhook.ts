import { Effect, type Scope } from "effect"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { createAuthority, issue } from "../../src/internal/x509.js"
import { call } from "./api.js"

const day = 86_400_000

const makeIdentity = async (now: number) => {
  const times = { notBefore: now - day, notAfter: now + day }
  const authority = await createAuthority({ commonName: "hooks", ...times })
  const names = ["127.0.0.1", "hook.default.svc"]
  const pair = await issue(authority, { commonName: "hook", organizations: [], names, usages: ["serverAuth"], ...times })
  return { authority, pair }
}

let identity: ReturnType<typeof makeIdentity> | undefined

export interface Hook {
  readonly port: number
  readonly url: string
  readonly caBundle: string
  /** What was sent, parsed. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly requests: Array<any>
  /** Closes a connection when a second request comes by it, as a server that has just given it up. */
  closesKept: boolean
  /** Is given every answer before it is sent, and decides when that happens. */
  hold: (answer: () => void) => void
  /** Makes the answer; undefined answers nothing at all. */
  // oxlint-disable-next-line typescript/no-explicit-any
  reply: (review: any) => unknown
}

/** A webhook on loopback, for as long as the scope lives. */
export const startHook = (reply: Hook["reply"]): Effect.Effect<Hook, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { authority, pair } = yield* Effect.promise(() => identity ??= makeIdentity(performance.timeOrigin + performance.now()))
    const hook = { requests: [] as Array<unknown>, reply, closesKept: false, hold: (answer: () => void) => answer() }
    const used = new WeakSet<object>()
    const server = createServer(pair, (request, response) => {
      if (hook.closesKept && used.has(request.socket)) {
        request.socket.destroy()
        return
      }
      used.add(request.socket)
      const parts: Array<Buffer> = []
      request.on("data", (part: Buffer) => parts.push(part))
      request.on("end", () => {
        const review: unknown = JSON.parse(Buffer.concat(parts).toString())
        hook.requests.push(review)
        const answer = hook.reply(review)
        if (answer === undefined) return
        response.setHeader("content-type", "application/json")
        if (typeof answer === "number") response.statusCode = answer
        hook.hold(() => void response.end(typeof answer === "string" ? answer : JSON.stringify(answer)))
      })
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
    )
    const { port } = server.address() as AddressInfo
    return Object.assign(hook, {
      port,
      url: `https://127.0.0.1:${port}/hook`,
      caBundle: Buffer.from(authority.cert).toString("base64")
    })
  })

/** Lets the service `default/hook` lead to a port of this machine. */
export const exposeHook = (port: number) =>
  Effect.gen(function*() {
    yield* call("POST", "/api/v1/namespaces/default/services", {
      body: { apiVersion: "v1", kind: "Service", metadata: { name: "hook" }, spec: { ports: [{ port: 443 }] } }
    })
    yield* call("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      body: {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: "hook-1", labels: { "kubernetes.io/service-name": "hook" } },
        addressType: "IPv4",
        endpoints: [{ addresses: ["10.1.2.3"], conditions: { ready: false } }, { addresses: ["127.0.0.1"] }],
        ports: [{ port }]
      }
    })
  })
