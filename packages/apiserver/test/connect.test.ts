import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { connect as tlsConnect } from "node:tls"
import { WebSocket } from "ws"
import * as Certificates from "../src/Certificates.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import * as agents from "./support/agent.js"
import { call, layerApi, merge, pod, pods } from "./support/api.js"
import { adminCredentials, eventually, http1, http2, layerServer, session } from "./support/http.js"

const two = { containers: [{ name: "a", image: "i" }, { name: "b", image: "i" }] }

describe("exec, attach and portforward", () => {
  layer(layerApi)((it) => {
    it.effect("refuse what cannot be connected to", () =>
      Effect.gen(function*() {
        yield* call("POST", pods, { body: pod("p2") })
        yield* call("POST", pods, { body: pod("p", two) })
        const messageOf = (path: string, method = "GET") => Effect.map(call(method, `${pods}/${path}`), ({ json, status }) => [status, json.message])
        const streams = "command=ls&stdout=true"
        assert.deepStrictEqual(yield* messageOf(`p2/exec?${streams}`), [400, "pod p2 does not have a host assigned"])
        assert.deepStrictEqual(yield* messageOf("p2/attach?stdout=true"), [400, "pod p2 does not have a host assigned"])
        assert.deepStrictEqual(yield* messageOf("p2/portforward", "POST"), [400, "pod p2 does not have a host assigned"])
        assert.deepStrictEqual(yield* messageOf(`p/exec?${streams}`), [400, "a container name must be specified for pod p, choose one of: [a b]"])
        assert.deepStrictEqual(yield* messageOf(`p/exec?${streams}&container=x`), [400, "container x is not valid for pod p"])
        assert.deepStrictEqual(yield* messageOf(`nope/exec?${streams}`), [404, "pods \"nope\" not found"])
        assert.strictEqual((yield* call("PUT", `${pods}/p/exec`)).status, 405)
        assert.strictEqual((yield* call("GET", `${pods}/p/exec/more`)).status, 404)
        const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n1" }, status: { addresses: [{ type: "InternalIP", address: "127.0.0.1" }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } } } }
        yield* call("POST", "/api/v1/nodes", { body: node })
        yield* call("POST", pods, { body: pod("bound", { nodeName: "n1" }) })
        assert.deepStrictEqual(yield* messageOf(`bound/exec?${streams}`), [400, "Upgrade request required"])
        assert.deepStrictEqual(yield* messageOf("bound/exec?stdout=true"), [400, "you must specify at least one command for the container"])
        assert.deepStrictEqual(yield* messageOf("bound/exec?command=ls"), [400, "you must specify at least 1 of stdin, stdout, stderr"])
        assert.strictEqual((yield* call("GET", `${pods}/bound/portforward?ports=0`)).status, 400)
      }))

    it.effect("are listed with their own kinds", () =>
      Effect.gen(function*() {
        const { json } = yield* call("GET", "/api/v1")
        const found = json.resources.filter(({ name }: { readonly name: string }) => /\/(?:attach|exec|portforward|proxy)$/.test(name))
        const both = ["create", "get"]
        const all = ["create", "delete", "get", "patch", "update"]
        assert.deepStrictEqual(
          found.map(({ kind, name, verbs }: Record<string, unknown>) => [name, kind, verbs]),
          [
            ["nodes/proxy", "NodeProxyOptions", all],
            ["pods/attach", "PodAttachOptions", both],
            ["pods/exec", "PodExecOptions", both],
            ["pods/portforward", "PodPortForwardOptions", both],
            ["pods/proxy", "PodProxyOptions", all],
            ["services/proxy", "ServiceProxyOptions", all]
          ]
        )
        const document = yield* call("GET", "/openapi/v3/api/v1")
        const exec = document.json.paths["/api/v1/namespaces/{namespace}/pods/{name}/exec"]
        assert.strictEqual(exec.get["x-kubernetes-action"], "connect")
        assert.strictEqual(exec.post["x-kubernetes-group-version-kind"].kind, "PodExecOptions")
        assert.isTrue("/api/v1/nodes/{name}/proxy/{path}" in document.json.paths)
      }))
  })

  const scene = Effect.gen(function*() {
    const agent = yield* agents.make
    const { url } = yield* HttpsEdge.HttpsEdge
    const credentials = yield* adminCredentials
    const send = (method: string, path: string, body?: object, type = "application/json") =>
      Effect.map(
        http1(`${url}${path}`, { method, credentials, headers: { "content-type": type }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
        (answer) => ({ ...answer, text: answer.body.toString() })
      )
    const status = { addresses: [{ type: "InternalIP", address: "127.0.0.1" }], daemonEndpoints: { kubeletEndpoint: { Port: agent.port } } }
    yield* send("POST", "/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name: "n1" }, status })
    yield* send("POST", pods, pod("p", { nodeName: "n1" }))
    return { agent, url, credentials, send }
  })

  const open = (url: string, path: string, credentials: object, headers: Record<string, string> = {}) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const socket = new WebSocket(`${url.replace("https", "wss")}${path}`, ["v5.channel.k8s.io"], { ...credentials, headers })
        let text = ""
        let failure = ""
        socket.on("message", (data: Buffer) => (text += data.subarray(1).toString()))
        socket.on("error", (error) => (failure = error.message))
        return { socket, text: () => text, failure: () => failure }
      }),
      ({ socket }) => Effect.sync(() => socket.terminate())
    )

  it.scopedLive("end on both sides when the client goes away", () =>
    Effect.gen(function*() {
      const { agent, credentials, url } = yield* scene
      const client = yield* open(url, `${pods}/p/exec?command=sleep&stdout=true`, credentials)
      yield* eventually("the command runs", () => client.text() === "asleep\n" && agent.active() === 1)
      client.socket.terminate()
      yield* eventually("the agent is left", () => agent.active() === 0)
    }).pipe(Effect.provide(layerServer())))

  it.scopedLive("end on both sides when the server stops", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { agent, client } = yield* Effect.gen(function*() {
        const { agent, credentials, url } = yield* scene
        const client = yield* open(url, `${pods}/p/exec?command=sleep&stdout=true`, credentials)
        yield* eventually("the command runs", () => client.text() === "asleep\n" && agent.active() === 1)
        return { agent, client }
      }).pipe(Effect.provide(yield* Layer.buildWithScope(layerServer(), scope)))
      yield* Scope.close(scope, Exit.void)
      yield* eventually("both are left", () => agent.active() === 0 && client.socket.readyState === WebSocket.CLOSED)
    }))

  it.scopedLive("hold back a client whose command does not read", () =>
    Effect.gen(function*() {
      const { agent, credentials, url } = yield* scene
      const client = yield* open(url, `${pods}/p/exec?command=sleep&stdin=true&stdout=true`, credentials)
      yield* eventually("the command runs", () => client.text() === "asleep\n")
      for (let sent = 0; sent < 200; sent++) client.socket.send(Buffer.alloc(64 * 1024))
      yield* eventually("some of it waits at the client", () => client.socket.bufferedAmount > 0)
      client.socket.terminate()
      yield* eventually("the agent is left", () => agent.active() === 0, 15_000)
    }).pipe(Effect.provide(layerServer())))

  it.scopedLive("are for those who may create them, also with GET", () =>
    Effect.gen(function*() {
      const { agent, send, url } = yield* scene
      const certificates = yield* Certificates.Certificates
      const reader = { ...(yield* certificates.client("reader", "reader", [])), ca: certificates.authority }
      const role = (verbs: ReadonlyArray<string>) => ({
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "Role",
        metadata: { name: "r", namespace: "default" },
        rules: [{ apiGroups: [""], resources: ["pods/exec"], verbs }]
      })
      const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
      yield* send("POST", `${rbac}/roles`, role(["get"]))
      yield* send("POST", `${rbac}/rolebindings`, {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        metadata: { name: "r" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
        subjects: [{ kind: "User", name: "reader", apiGroup: "rbac.authorization.k8s.io" }]
      })
      const refused = yield* open(url, `${pods}/p/exec?command=sleep&stdout=true`, reader)
      yield* eventually("the refusal", () => refused.failure() !== "")
      assert.include(refused.failure(), "403")
      assert.strictEqual(agent.asked.length, 0)
      yield* send("PUT", `${rbac}/roles/r`, role(["get", "create"]))
      const granted = yield* open(url, `${pods}/p/exec?command=sleep&stdout=true`, reader)
      yield* eventually("the command runs", () => granted.text() === "asleep\n")
    }).pipe(Effect.provide(layerServer())))

  it.scopedLive("hand the agent's refusal on", () =>
    Effect.gen(function*() {
      const { credentials, url } = yield* scene
      const port = Number(new URL(url).port)
      const answer = yield* Effect.async<string>((resume) => {
        let text = ""
        const socket = tlsConnect({ port, host: "127.0.0.1", ...credentials }, () => {
          socket.write(`POST ${pods}/p/exec?command=sleep&stdout=true HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v0.none\r\n\r\n`)
        })
        socket.on("data", (chunk: Buffer) => (text += chunk.toString()))
        socket.once("close", () => resume(Effect.succeed(text)))
      })
      assert.include(answer, "HTTP/1.1 403 Forbidden")
      assert.include(answer, "unable to negotiate protocol: client supports [v0.none]")
    }).pipe(Effect.provide(layerServer())))

  it.scopedLive("proxy reaches agents, pods and services, and nothing else", () =>
    Effect.gen(function*() {
      const { agent, credentials, send, url } = yield* scene
      const seen: Array<Record<string, unknown>> = []
      const web = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof createServer>>((resume) => {
          const server = createServer((request, response) => {
            const chunks: Array<Buffer> = []
            request.on("data", (chunk: Buffer) => chunks.push(chunk))
            request.on("end", () => {
              seen.push(request.headers)
              if (request.url === "/old") response.writeHead(302, { location: "/new?x=1" })
              else response.writeHead(request.url === "/teapot" ? 418 : 200, { "content-type": "text/x-test", "set-cookie": ["a=1", "b=2"] })
              response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`)
            })
          })
          server.on("upgrade", (request, socket) => {
            if (request.url === "/none") socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone")
            else {
              socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n")
              socket.pipe(socket)
            }
          })
          // Pods of the simulated host have addresses like this one.
          server.listen(0, "127.0.42.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
      )
      const { port } = web.address() as AddressInfo
      const name = `p:${port}`
      assert.include((yield* send("GET", `${pods}/${name}/proxy/x`)).text, "address not allowed")
      const podStatus = { status: { podIP: "127.0.42.1", podIPs: [{ ip: "127.0.42.1" }] } }
      yield* send("PATCH", `${pods}/p/status`, podStatus, merge)
      const got = yield* send("GET", `${pods}/${name}/proxy/a/b?c=d`)
      assert.deepStrictEqual([got.status, got.text], [200, "GET /a/b?c=d "])
      assert.strictEqual(got.headers["content-type"], "text/x-test")
      assert.deepStrictEqual(got.headers["set-cookie"], ["a=1", "b=2"])
      assert.strictEqual((yield* send("POST", `${pods}/${name}/proxy/x`, { k: 1 })).text, "POST /x {\"k\":1}")
      assert.strictEqual((yield* send("GET", `${pods}/http:${name}/proxy/teapot`)).status, 418)
      assert.strictEqual((yield* send("GET", `${pods}/${name}/proxy/old`)).headers["location"], `${pods}/${name}/proxy/new?x=1`)
      const bare = yield* send("GET", `${pods}/${name}/proxy?q=1`)
      assert.deepStrictEqual([bare.status, bare.headers["location"]], [301, `${pods}/${name}/proxy/?q=1`])
      const connection = yield* session(url, credentials)
      const second = yield* http2(connection, `${pods}/${name}/proxy/over2`, { headers: { accept: "text/html", "impersonate-user": "a", "impersonate-group": "system:masters" } })
      assert.strictEqual(second.status, 200)
      assert.strictEqual(seen.at(-1)?.["accept"], "text/html")
      assert.isTrue(seen.every((headers) => headers["impersonate-user"] === undefined))
      const unreachable = yield* send("GET", `${pods}/p:1/proxy/`)
      assert.strictEqual(unreachable.status, 503)
      assert.include(unreachable.text, "error trying to reach service: dial tcp 127.0.42.1:1: connect: connection refused")

      const services = "/api/v1/namespaces/default/services"
      yield* send("POST", services, { apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec: { ports: [{ name: "http", port: 80 }] } })
      const service = (text: string) => send("GET", `${services}/${text}/proxy/s`)
      assert.include((yield* service("web:http")).text, "no endpoints available for service")
      assert.include((yield* service("web:81")).text, "no service port 81 found for service")
      const endpoints = (ip: string) => ({
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: { name: "web" },
        subsets: [{ addresses: [{ ip }], ports: [{ name: "http", port }] }]
      })
      yield* send("POST", "/api/v1/namespaces/default/endpoints", endpoints("10.1.2.3"))
      assert.strictEqual((yield* service("web:80")).status, 503)
      yield* send("DELETE", "/api/v1/namespaces/default/endpoints/web")
      yield* send("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
        addressType: "IPv4",
        endpoints: [{ addresses: ["127.0.42.1"], targetRef: { kind: "Pod", name: "p", namespace: "default" } }],
        ports: [{ name: "http", port }]
      })
      assert.strictEqual((yield* service("http:web:80")).text, "GET /s ")

      const health = yield* send("GET", "/api/v1/nodes/n1/proxy/healthz")
      assert.deepStrictEqual([health.status, health.text], [200, "ok nobody"])
      assert.strictEqual((yield* send("GET", `/api/v1/nodes/n1:${agent.port}/proxy/nope`)).status, 404)
      assert.include((yield* send("GET", "/api/v1/nodes/n1:22/proxy/")).text, "address not allowed")

      const upgrade = (path: string) =>
        Effect.async<string>((resume) => {
          let text = ""
          const socket = tlsConnect({ port: Number(new URL(url).port), host: "127.0.0.1", ...credentials }, () => {
            socket.write(`GET ${pods}/${name}/proxy/${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n`)
          })
          socket.on("data", (chunk: Buffer) => {
            text += chunk.toString()
            if (text.endsWith("\r\n\r\n") && text.includes(" 101 ")) socket.end("hello")
          })
          socket.once("close", () => resume(Effect.succeed(text)))
        })
      assert.match(yield* upgrade("up"), /101 Switching Protocols[^]*Upgrade: test\r\n\r\nhello$/)
      assert.match(yield* upgrade("none"), /404 Not Found[^]*none$/)
    }).pipe(Effect.provide(layerServer())))
})
