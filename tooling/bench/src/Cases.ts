/** The measured cases. Every one takes a running server and leaves its objects for the next. */
import { RawConnection } from "./RawClient.ts"
import { type Result, result, run } from "./Load.ts"
import { type Server, usage } from "./Server.ts"

const NAMESPACE = "bench"
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`

const expect = (status: number, wanted: number, what: string, body: Buffer): void => {
  if (status !== wanted) throw new Error(`${what}: the server answered ${String(status)} ${body.toString("utf8", 0, 500)}`)
}

/** A pod of about 1.85 KB as a client posts it. */
const pod = (name: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      labels: { app: "bench", tier: "backend", "app.kubernetes.io/name": "bench", "app.kubernetes.io/instance": name },
      annotations: { "example.com/description": "x".repeat(300) }
    },
    spec: {
      // Nobody schedules these pods, so that only the API is measured.
      schedulerName: "nobody",
      containers: ["web", "sidecar"].map((container) => ({
        name: container,
        image: `registry.example.com/${container}:1.0`,
        command: ["/bin/server", "--listen", ":8080"],
        env: Array.from({ length: 6 }, (_, i) => ({ name: `VARIABLE_${String(i)}`, value: `value-${String(i)}` })),
        ports: [{ name: "http", containerPort: 8080 }],
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "256Mi" } }
      }))
    }
  })

/** Makes the namespace that all cases work in. */
export const prepare = async (server: Server): Promise<void> => {
  const connection = await RawConnection.open(server.target)
  const answer = await connection.request("POST", "/api/v1/namespaces", JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } }))
  if (answer.status !== 409) expect(answer.status, 201, "create namespace", answer.body)
  // The namespace's ServiceAccount comes from a controller; other servers refuse pods until it is there.
  for (let i = 0; i < 500; i++) {
    if ((await connection.request("GET", `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`)).status === 200) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  connection.close()
}

const create = (concurrency: number, count: number) => (server: Server) =>
  run(server, {
    name: `create pods, concurrency ${String(concurrency)}`,
    concurrency,
    count,
    operation: async (connection, n) => {
      const answer = await connection.request("POST", PODS, pod(`c${String(concurrency)}-${String(n)}`))
      expect(answer.status, 201, "create", answer.body)
    }
  })

const get = (concurrency: number, count: number) => (server: Server) =>
  run(server, {
    name: `get pod, concurrency ${String(concurrency)}`,
    concurrency,
    count,
    operation: async (connection, n) => {
      const answer = await connection.request("GET", `${PODS}/c64-${String(n % 1000)}`)
      expect(answer.status, 200, "get", answer.body)
    }
  })

const patch = (concurrency: number, count: number) => (server: Server) =>
  run(server, {
    name: `merge-patch pod, concurrency ${String(concurrency)}`,
    concurrency,
    count,
    operation: async (connection, n) => {
      const body = JSON.stringify({ metadata: { annotations: { "example.com/n": `${String(concurrency)}-${String(n)}` } } })
      const answer = await connection.request("PATCH", `${PODS}/c64-${String(n % 1000)}`, body, "application/merge-patch+json")
      expect(answer.status, 200, "patch", answer.body)
    }
  })

const status = (concurrency: number, count: number) => (server: Server) =>
  run(server, {
    name: `put pod status, concurrency ${String(concurrency)}`,
    concurrency,
    count,
    operation: async (connection, n) => {
      const name = `c64-${String(n % 1000)}`
      const condition = { status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }
      const reported = {
        phase: "Running",
        podIP: `10.0.${String((n >> 8) & 255)}.${String(n & 255)}`,
        conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({ type, ...condition }))
      }
      const body = JSON.stringify({ ...(JSON.parse(pod(name)) as object), status: reported })
      const answer = await connection.request("PUT", `${PODS}/${name}/status`, body)
      expect(answer.status, 200, "put status", answer.body)
    }
  })

const NOW = JSON.stringify({ gracePeriodSeconds: 0 })

const remove = (concurrency: number, count: number) => (server: Server) =>
  run(server, {
    name: `delete pods, concurrency ${String(concurrency)}`,
    concurrency,
    count,
    operation: async (connection, n) => {
      const answer = await connection.request("DELETE", `${PODS}/c64-${String(n)}`, NOW)
      expect(answer.status, 200, "delete", answer.body)
    }
  })

/** What is left of the pods in one request; the figures are for one pod. */
const removeCollection = async (server: Server): Promise<Result> => {
  const connection = await RawConnection.open(server.target)
  const before = usage(server.pid)
  const began = performance.now()
  const answer = await connection.request("DELETE", PODS, NOW)
  const millis = performance.now() - began
  const after = usage(server.pid)
  connection.close()
  expect(answer.status, 200, "deletecollection", answer.body)
  const { items } = JSON.parse(answer.body.toString("utf8")) as { items: ReadonlyArray<unknown> }
  const cpu = before === undefined || after === undefined ? undefined : after.cpuSeconds - before.cpuSeconds
  return result(`deletecollection of ${String(items.length)} pods`, items.map(() => millis / items.length), millis / 1000, cpu, after?.residentBytes)
}

const list = (count: number) => async (server: Server): Promise<Result> => {
  let items = 0
  const measured = await run(server, {
    name: "list all pods of the namespace",
    concurrency: 1,
    count,
    operation: async (connection) => {
      const answer = await connection.request("GET", PODS)
      expect(answer.status, 200, "list", answer.body)
      items = (JSON.parse(answer.body.toString("utf8")) as { items: ReadonlyArray<unknown> }).items.length
    }
  })
  return { ...measured, name: `${measured.name} (${String(items)})` }
}

/** `watchers` streams of the namespace's pods while `writes` patches go in; counts delivered events. */
const watch = (watchers: number, writes: number) => async (server: Server): Promise<Result> => {
  const marker = Buffer.from("{\"type\":\"MODIFIED\"")
  let delivered = 0
  const latencies: Array<number> = []
  let sentAt = 0
  const streams = await Promise.all(Array.from({ length: watchers }, () => RawConnection.open(server.target)))
  const listed = await streams[0]?.request("GET", `${PODS}?limit=1`)
  if (listed === undefined) throw new Error("a watch case needs at least one watcher")
  const { metadata } = JSON.parse(listed.body.toString("utf8")) as { metadata: { resourceVersion: string } }
  let started = 0
  for (const stream of streams) {
    stream.stream(`${PODS}?watch=true&resourceVersion=${metadata.resourceVersion}`, (data) => {
      if (data.toString("latin1", 0, 12) === "HTTP/1.1 200") started++
      for (let at = data.indexOf(marker); at >= 0; at = data.indexOf(marker, at + marker.length)) {
        delivered++
        latencies.push(performance.now() - sentAt)
      }
    })
  }
  const until = async (condition: () => boolean, what: string): Promise<void> => {
    const deadline = performance.now() + 60_000
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`${what} did not happen within a minute (${String(delivered)} events delivered)`)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  await until(() => started === watchers, "the start of all watches")
  const writer = await RawConnection.open(server.target)
  const before = usage(server.pid)
  const began = performance.now()
  for (let n = 0; n < writes; n++) {
    sentAt = performance.now()
    const answer = await writer.request("PATCH", `${PODS}/c64-0`, JSON.stringify({ metadata: { annotations: { "example.com/n": `w${String(watchers)}-${String(n)}` } } }), "application/merge-patch+json")
    expect(answer.status, 200, "patch", answer.body)
  }
  await until(() => delivered >= watchers * writes, "the delivery of every event")
  const seconds = (performance.now() - began) / 1000
  const after = usage(server.pid)
  for (const connection of [...streams, writer]) connection.close()
  return result(`watch fan-out, ${String(watchers)} watchers`, latencies, seconds, before === undefined || after === undefined ? undefined : after.cpuSeconds - before.cpuSeconds, after?.residentBytes)
}

const memory = (name: string) => (server: Server): Promise<Result> =>
  Promise.resolve(result(name, [], 1, undefined, usage(server.pid)?.residentBytes))

const startup = (server: Server): Promise<Result> =>
  Promise.resolve(result("cold start to /readyz", server.startMillis === undefined ? [] : [server.startMillis], 1, undefined, usage(server.pid)?.residentBytes))

export interface Case {
  readonly name: string
  readonly run: (server: Server) => Promise<Result>
}

/** All cases in order; `scale` 1 is the full size, smaller ones keep the cases from rotting. */
export const cases = (scale: number): ReadonlyArray<Case> => {
  const n = (count: number): number => Math.max(1, Math.round(count * scale))
  return [
    { name: "start", run: startup },
    { name: "memory-idle", run: memory("memory, idle") },
    { name: "create-1", run: create(1, n(500)) },
    { name: "create-64", run: create(64, Math.max(1000, n(9500))) },
    { name: "memory-10000", run: memory("memory, with these pods") },
    { name: "get-1", run: get(1, n(5000)) },
    { name: "get-64", run: get(64, n(20_000)) },
    { name: "patch-1", run: patch(1, n(500)) },
    { name: "patch-64", run: patch(64, n(5000)) },
    { name: "status-64", run: status(64, n(5000)) },
    { name: "list", run: list(Math.max(2, n(5))) },
    { name: "watch-100", run: watch(100, n(200)) },
    { name: "watch-1000", run: watch(Math.min(1000, Math.max(100, n(1000))), n(50)) },
    { name: "delete-64", run: remove(64, Math.max(500, n(5000))) },
    { name: "deletecollection", run: removeCollection }
  ]
}
