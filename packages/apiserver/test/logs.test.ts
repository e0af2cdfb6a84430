import { assert, describe, it, layer } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Effect, Fiber, Layer } from "effect"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import * as ApiServer from "../src/ApiServer.js"
import * as Certificates from "../src/Certificates.js"
import * as KubeletClient from "../src/KubeletClient.js"
import * as Server from "../src/Server.js"
import { call, layerApi, merge, pod, pods } from "./support/api.js"
import { eventually, layerCertificates } from "./support/http.js"

const addNode = (name: string, port: number) =>
  Effect.gen(function*() {
    yield* call("POST", "/api/v1/nodes", { body: { apiVersion: "v1", kind: "Node", metadata: { name } } })
    const status = {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } }
    }
    yield* call("PATCH", `/api/v1/nodes/${name}/status`, { type: merge, body: { status } })
  })

describe("logs", () => {
  layer(layerApi)((it) => {
    it.effect("refuse what cannot be asked for", () =>
      Effect.gen(function*() {
        yield* call("POST", pods, { body: pod("free") })
        assert.strictEqual((yield* call("GET", `${pods}/free/log`)).status, 204)
        const containers = [{ name: "a", image: "i" }, { name: "b", image: "i" }]
        yield* call("POST", pods, { body: pod("two", { containers, initContainers: [{ name: "i", image: "i" }] }) })
        const ambiguous = yield* call("GET", `${pods}/two/log`)
        assert.strictEqual(
          ambiguous.json.message,
          "a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]"
        )
        const wrong = yield* call("GET", `${pods}/two/log?container=x`)
        assert.strictEqual(wrong.json.message, "container x is not valid for pod two")
        const negative = yield* call("GET", `${pods}/two/log?container=a&tailLines=-1`)
        assert.strictEqual(
          negative.json.message,
          "PodLogOptions \"two\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0"
        )
        assert.strictEqual((yield* call("GET", `${pods}/two/log?container=a&sinceSeconds=1&sinceTime=x`)).status, 422)
        assert.strictEqual((yield* call("GET", `${pods}/nope/log`)).status, 404)
      }))

    it.effect("say when no agent can be reached", () =>
      Effect.gen(function*() {
        yield* addNode("n1", 10250)
        yield* call("POST", pods, { body: pod("p", { nodeName: "n1" }) })
        const answer = yield* call("GET", `${pods}/p/log`)
        assert.strictEqual(answer.status, 500)
        assert.include(answer.json.message, "no connection to node agents")
      }))
  })

  it.scopedLive("come from the agent of the node, chunk by chunk, until the client leaves", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.Certificates
      const identity = yield* certificates.node("n1")
      const client = yield* certificates.kubeletClient
      let asked = ""
      let caller: unknown
      let left = false
      const agent = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof createServer>>((resume) => {
          const server = createServer({ ...identity, ca: certificates.authority, requestCert: true, rejectUnauthorized: true }, (request, response) => {
            asked = request.url ?? ""
            caller = "getPeerCertificate" in request.socket ? (request.socket as unknown as { getPeerCertificate: () => { subject: { CN: string } } }).getPeerCertificate().subject.CN : ""
            if (asked.includes("previous")) {
              response.writeHead(400)
              response.end("previous terminated container \"c\" in pod \"p\" not found\n")
              return
            }
            response.writeHead(200, { "content-type": "text/plain" })
            response.write("one\n")
            response.on("close", () => {
              left = true
            })
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
      )
      const port = (agent.address() as AddressInfo).port
      const api = Server.layerApi().pipe(
        Layer.provide(ObjectStore.layerMemory),
        Layer.provide(KubeletClient.layer({ authority: certificates.authority, credentials: client }))
      )
      yield* Effect.gen(function*() {
        yield* addNode("n1", port)
        yield* call("POST", pods, { body: pod("p", { nodeName: "n1" }) })
        const previous = yield* call("GET", `${pods}/p/log?previous=true`)
        assert.strictEqual(previous.status, 400)
        assert.strictEqual(previous.json.message, "previous terminated container \"c\" in pod \"p\" not found")
        const server = yield* ApiServer.ApiServer
        const { body, status } = yield* server.handle({
          method: "GET",
          url: `${pods}/p/log?follow=true&tailLines=5&container=c`,
          headers: {},
          body: Effect.succeed(new Uint8Array(0)),
          user: { name: "admin", groups: ["system:masters"] }
        })
        assert.strictEqual(status, 200)
        if (body instanceof Uint8Array) throw new Error("the log is not streamed")
        let text = ""
        const fiber = yield* Effect.fork(
          Effect.ensuring(body.run({ write: (chunk) => (text += new TextDecoder().decode(chunk), true), drained: Effect.void }), body.discard)
        )
        yield* eventually("the first line has come", () => text === "one\n")
        yield* Fiber.interrupt(fiber)
        yield* eventually("the agent has been left", () => left)
        assert.strictEqual(asked, "/containerLogs/default/p/c?follow=true&tailLines=5&pieces=true")
        assert.strictEqual(caller, "kube-apiserver-kubelet-client")
      }).pipe(Effect.provide(api))
    }).pipe(Effect.provide(layerCertificates)))

  it.scopedLive("go on when the agent is started anew, at the place where it has ended", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.Certificates
      const identity = yield* certificates.node("n1")
      const client = yield* certificates.kubeletClient
      const asked: Array<string> = []
      const agent = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof createServer>>((resume) => {
          const server = createServer({ ...identity, ca: certificates.authority, requestCert: true, rejectUnauthorized: true }, (request, response) => {
            asked.push(request.url ?? "")
            if (asked.length === 2) {
              response.writeHead(404)
              response.end("pod \"p\" does not exist")
              return
            }
            response.writeHead(200, { "content-type": "application/vnd.reddwarf.log-pieces" })
            if (asked.length > 2) {
              response.end("0.7.9.l 0\n0.7.18.l 4\ntwo\n0.7.18.l 0\nend 0\n")
              return
            }
            // Killed in the middle of a piece.
            response.write("0.7.9.l 4\none\n0.7.18.l 4\ntw", () => response.destroy())
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
      )
      const api = Server.layerApi().pipe(
        Layer.provide(ObjectStore.layerMemory),
        Layer.provide(KubeletClient.layer({ authority: certificates.authority, credentials: client }))
      )
      yield* Effect.gen(function*() {
        yield* addNode("n1", (agent.address() as AddressInfo).port)
        yield* call("POST", pods, { body: pod("p", { nodeName: "n1" }) })
        const server = yield* ApiServer.ApiServer
        const { body } = yield* server.handle({
          method: "GET",
          url: `${pods}/p/log?follow=true&tailLines=5&timestamps=true&container=c`,
          headers: {},
          body: Effect.succeed(new Uint8Array(0)),
          user: { name: "admin", groups: ["system:masters"] }
        })
        if (body instanceof Uint8Array) throw new Error("the log is not streamed")
        let text = ""
        yield* Effect.ensuring(body.run({ write: (chunk) => (text += new TextDecoder().decode(chunk), true), drained: Effect.void }), body.discard)
        assert.strictEqual(text, "one\ntwo\n")
        assert.deepStrictEqual(asked.slice(1), Array.from({ length: 2 }, () => "/containerLogs/default/p/c?follow=true&timestamps=true&pieces=true&from=0.7.9.l"))
      }).pipe(Effect.provide(api))
    }).pipe(Effect.provide(layerCertificates)))
})
