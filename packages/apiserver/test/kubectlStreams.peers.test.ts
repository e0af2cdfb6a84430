/**
 * exec, attach, cp and port-forward with real kubectl of several versions. Needs REDDWARF_PEERS to name a folder with
 * bin/kubectl-<version>.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { connect } from "node:net"
import * as agents from "./support/agent.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import { adminCredentials, eventually, http1, layerServer } from "./support/http.js"
import { isMissing, peers, setup } from "./support/kubectl.js"

const versions = ["1.20", "1.32", "1.36"]

const node = "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\"},\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"127.0.0.1\"}],\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":PORT}}}}"

const pod = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p1\"},\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"stdin\":true}]}}"

const status = "{\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"image\":\"i\",\"imageID\":\"i\",\"ready\":true,\"restartCount\":0,\"state\":{\"running\":{}}}]}}"

const setRunning = Effect.gen(function*() {
  const { url } = yield* HttpsEdge.HttpsEdge
  const credentials = yield* adminCredentials
  const headers = { "content-type": "application/merge-patch+json" }
  const path = "/api/v1/namespaces/default/pods/p1/status"
  assert.strictEqual((yield* http1(`${url}${path}`, { method: "PATCH", headers, body: status, credentials })).status, 200)
})

describe.skipIf(peers === undefined)("kubectl (skipped unless REDDWARF_PEERS names a folder with bin/kubectl-<version>)", () => {
  for (const version of versions) {
    it.scopedLive.skipIf(isMissing(version))(version, () =>
      Effect.gen(function*() {
        const agent = yield* agents.make
        const { file, ok, run, start, talk } = yield* setup(version)
        yield* ok("create", "-f", file("node.json", node.replace("PORT", String(agent.port))))
        yield* ok("create", "-f", file("pod.json", pod))
        yield* setRunning

        assert.strictEqual(yield* ok("exec", "p1", "--", "echo", "hello", "there & more"), "hello there & more\n")
        assert.strictEqual(agent.asked.at(-1), "/exec/default/p1/c?output=1&error=1&command=echo&command=hello&command=there+%26+more")
        assert.strictEqual(agent.callers.at(-1), "kube-apiserver-kubelet-client")
        assert.strictEqual(agent.protocols.at(-1), version === "1.20" ? "spdy/3.1" : "websocket")
        const failed = yield* run("exec", "p1", "--", "fail")
        assert.strictEqual(failed.code, 3)
        assert.include(failed.out, "no luck\n")
        assert.include(failed.out, "command terminated with exit code 3")
        const broken = yield* run("exec", "p1", "--", "nonsense")
        assert.strictEqual(broken.code, 1)
        assert.include(broken.out, "Internal error occurred: no command nonsense")
        const wrong = yield* run("exec", "p1", "-c", "x", "--", "echo")
        assert.include(wrong.out, "container x is not valid for pod p1")

        const cat = talk(["exec", "-i", "p1", "--", "cat"])
        let said = ""
        let code: number | null | undefined
        cat.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("latin1")))
        cat.once("exit", (exited) => (code = exited))
        const size = 3_000_000
        cat.stdin.end(Buffer.alloc(size, "x"))
        yield* eventually("everything has come back", () => said.length === size && code !== undefined, 15_000)
        assert.strictEqual(code, 0)

        const attached = talk(["attach", "-i", "p1"])
        let echoed = ""
        attached.stdout.on("data", (chunk: Buffer) => (echoed += chunk.toString()))
        attached.stdin.write("hello\n")
        yield* eventually("the container has answered", () => echoed.includes("hello\n"), 15_000)
        attached.kill("SIGKILL")

        const sleeping = start(["exec", "p1", "--", "sleep"])
        let asleep = ""
        sleeping.stdout.on("data", (chunk: Buffer) => (asleep += chunk.toString()))
        yield* eventually("the command runs", () => asleep === "asleep\n", 15_000)
        sleeping.kill("SIGKILL")
        yield* eventually("nothing is left at the agent", () => agent.active() === 0, 15_000)

        const upper = yield* agents.layerUpper
        const forwarding = start(["port-forward", "p1", `:${upper.port}`, ":1"])
        let told = ""
        forwarding.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()))
        forwarding.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()))
        const portsOf = () => [...told.matchAll(/127\.0\.0\.1:(\d+) -> /g)].map(([, port]) => Number(port))
        yield* eventually("the ports are open", () => portsOf().length === 2, 15_000)
        const [first = 0, second = 0] = portsOf()
        for (let turn = 0; turn < 3; turn++) {
          let answer = ""
          const socket = connect({ port: first, host: "127.0.0.1" })
          socket.on("data", (chunk) => (answer += chunk.toString()))
          socket.write("hello\n")
          yield* eventually("the port has answered", () => answer === "HELLO\n", 15_000)
          if (turn > 0) socket.destroy()
          else {
            // Newer versions of kubectl hand a half-close on; all of them end the connection in the end.
            socket.end()
            yield* eventually("the connection has ended", () => socket.closed, 15_000)
          }
        }
        assert.strictEqual(agent.protocols.at(-1), version === "1.20" ? "spdy/3.1" : "websocket")
        connect({ port: second, host: "127.0.0.1" }).on("error", () => {}).write("x")
        yield* eventually("the failure is told", () => told.includes("nothing listens on 1"), 15_000)
        forwarding.kill("SIGKILL")
        yield* eventually("nothing is left at the agent", () => agent.active() === 0, 15_000)
      }).pipe(Effect.provide(layerServer())), 90_000)
  }
})
