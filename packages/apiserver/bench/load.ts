/** Prints requests per second of a server on this machine, over HTTP/2 with TLS. Run: `pnpm --filter @reddwarf/apiserver bench`. */
import { Console, Effect } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { type ClientHttp2Session, connect } from "node:http2"
import { tmpdir } from "node:os"
import { join } from "node:path"

interface Access {
  readonly url: string
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const isAccess = (value: unknown): value is Access => typeof value === "object" && value !== null && "url" in value

const startServer = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(join(tmpdir(), "apiserver-bench-"))
    const server = new URL("server.ts", import.meta.url).pathname
    return { directory, child: spawn(process.execPath, [server, directory], { stdio: ["ignore", "pipe", "inherit"] }) }
  }),
  ({ child, directory }) =>
    Effect.async<void>((resume) => {
      child.once("exit", () => {
        rmSync(directory, { recursive: true })
        resume(Effect.void)
      })
      child.kill()
    })
).pipe(Effect.flatMap(({ child }) =>
  Effect.async<Access>((resume) => {
    child.stdout.once("data", (line: Buffer) => {
      const access: unknown = JSON.parse(line.toString("utf8"))
      resume(isAccess(access) ? Effect.succeed(access) : Effect.dieMessage("the server printed something else"))
    })
    child.once("exit", () => resume(Effect.dieMessage("the server did not start")))
  })
))

const pods = "/api/v1/namespaces/default/pods"
const pod = (name: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: "web" }, annotations: { note: "y".repeat(300) } },
    spec: { containers: [{ name: "c", image: "nginx:1", resources: { requests: { cpu: "100m", memory: "64Mi" } } }] }
  })

const send = (session: ClientHttp2Session, method: string, path: string, body?: string) =>
  Effect.async<number>((resume) => {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json"
    const stream = session.request({ ":method": method, ":path": path, "content-type": type })
    let status = 0
    stream.once("response", (headers) => {
      status = headers[":status"] ?? 0
    })
    stream.resume()
    stream.once("end", () => resume(Effect.succeed(status)))
    stream.once("error", (cause) => resume(Effect.die(cause)))
    stream.end(body)
  })

const measure = (name: string, count: number, concurrency: number, request: (i: number) => Effect.Effect<number>) =>
  Effect.gen(function*() {
    const latencies: Array<number> = []
    let failed = 0
    const begin = performance.now()
    yield* Effect.forEach(Array.from({ length: count }, (_, i) => i), (i) =>
      Effect.suspend(() => {
        const before = performance.now()
        return Effect.map(request(i), (status) => {
          latencies.push(performance.now() - before)
          if (status >= 400) failed++
        })
      }), { concurrency, discard: true })
    const perSecond = Math.round(count / ((performance.now() - begin) / 1000))
    latencies.sort((a, b) => a - b)
    const at = (part: number) => (latencies[Math.floor(latencies.length * part)] ?? 0).toFixed(1)
    yield* Console.log(`${name.padEnd(28)} ${String(perSecond).padStart(7)}/s  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  failed ${failed}`)
  })

const program = Effect.gen(function*() {
  const { url, ...credentials } = yield* startServer
  const sessions = Array.from({ length: 4 }, () => connect(url, credentials))
  const on = (i: number): ClientHttp2Session => sessions[i % sessions.length] ?? connect(url, credentials)
  yield* measure("warm up", 500, 32, (i) => send(on(i), "GET", "/version"))
  yield* measure("create a pod", 5000, 64, (i) => send(on(i), "POST", pods, pod(`p-${i}`)))
  yield* measure("get a pod", 20_000, 64, (i) => send(on(i), "GET", `${pods}/p-${i % 5000}`))
  yield* measure("patch a label", 5000, 64, (i) => send(on(i), "PATCH", `${pods}/p-${i}`, JSON.stringify({ metadata: { labels: { i: String(i) } } })))
  yield* measure("list 500", 100, 4, (i) => send(on(i), "GET", `${pods}?limit=500`))
  yield* measure("list 5000", 20, 2, (i) => send(on(i), "GET", pods))
  yield* measure("list by node", 500, 4, (i) => send(on(i), "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1"))
  for (const session of sessions) session.close()
})

await Effect.runPromise(Effect.scoped(program))
