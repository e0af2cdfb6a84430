/** Prints what writes cost without a socket and without a disk. Run: `node bench/writes.ts [count]`. */
import { InProcessTransport, KubeletClient, Server, UserInfo } from "@reddwarf/apiserver"
import { Transport } from "@reddwarf/client"
import { ObjectStore } from "@reddwarf/store"
import { Console, Effect, Layer } from "effect"

const count = Number(process.argv[2] ?? 10_000)
const pods = "/api/v1/namespaces/default/pods"

const pod = (name: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: "bench", tier: "backend" }, annotations: { "example.com/description": "x".repeat(300) } },
    spec: {
      containers: ["web", "sidecar"].map((container) => ({
        name: container,
        image: `registry.example.com/${container}:1.0`,
        command: ["/bin/server", "--listen", ":8080"],
        env: Array.from({ length: 6 }, (_, i) => ({ name: `VARIABLE_${i}`, value: `value-${i}` })),
        ports: [{ name: "http", containerPort: 8080 }],
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "256Mi" } }
      }))
    }
  })

const measured = (name: string, request: (n: number) => Transport.Request) =>
  Effect.gen(function*() {
    const transport = yield* Transport.Transport
    const before = process.cpuUsage()
    yield* Effect.forEach(
      Array.from({ length: count }, (_, n) => n),
      (n) =>
        Effect.flatMap(transport.request(request(n)), ({ body, status }) =>
          status < 300 ? Effect.void : Effect.dieMessage(new TextDecoder().decode(body))),
      { concurrency: 64, discard: true }
    )
    const { system, user } = process.cpuUsage(before)
    yield* Console.log(`${name.padEnd(12)} ${((user + system) / count).toFixed(0).padStart(6)} us CPU`)
  })

const json = { "content-type": "application/json" }

const program = Effect.gen(function*() {
  for (let round = 0; round < 3; round++) {
    yield* measured("create", (n) => ({ method: "POST", path: pods, headers: json, body: pod(`p${round}-${n}`) }))
    yield* measured("merge-patch", (n) => ({
      method: "PATCH",
      path: `${pods}/p${round}-${n % 1000}`,
      headers: { "content-type": "application/merge-patch+json" },
      body: JSON.stringify({ metadata: { annotations: { "example.com/n": `${n}` } } })
    }))
    yield* measured("status PUT", (n) => ({
      method: "PUT",
      path: `${pods}/p${round}-${n % 1000}/status`,
      headers: json,
      body: JSON.stringify({ ...JSON.parse(pod(`p${round}-${n % 1000}`)), status: { phase: "Running", podIP: `10.0.0.${n % 250}` } })
    }))
    yield* measured("delete", (n) => ({ method: "DELETE", path: `${pods}/p${round}-${n}?gracePeriodSeconds=0` }))
  }
})

const layer = InProcessTransport.layer(UserInfo.authenticated("admin", ["system:masters"])).pipe(
  Layer.provide(Server.layerApi()),
  Layer.provide([ObjectStore.layerMemory, KubeletClient.layerUnavailable])
)

await Effect.runPromise(program.pipe(Effect.provide(layer)))
