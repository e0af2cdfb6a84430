/** What happens in a cluster: heartbeats, reports, events, rollouts. Every write is a request to the API. */
import { ApiServer, UserInfo } from "@reddwarf/apiserver"
import { Effect } from "effect"

export interface Size {
  readonly nodes: number
  readonly pods: number
  /** Deployments that get another version each day; all pods of one are replaced. */
  readonly rollouts: number
  /** Seconds between two heartbeats. */
  readonly step: number
  /** Seconds between two reports of a node's status. */
  readonly report: number
}

/** How long requests took, in milliseconds, sorted. */
export interface Latencies {
  /** Writes that are answered when they are on disk. */
  readonly durable: ReadonlyArray<number>
  /** Renewals of leases, which are not. */
  readonly heartbeats: ReadonlyArray<number>
}

const podsPerDeployment = 30
const eventLifeMillis = 3_600_000
const encoder = new TextEncoder()
const admin = UserInfo.authenticated("system:kube-controller-manager", ["system:masters"])
const merge = "application/merge-patch+json"

const podsPath = "/api/v1/namespaces/default/pods"
const leasesPath = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
const eventsPath = "/api/v1/namespaces/default/events"
const deploymentsPath = "/apis/apps/v1/namespaces/default/deployments"

/** As the ReplicaSet of a Deployment makes it. */
const podOf = (name: string, deployment: string, image: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    labels: { app: deployment },
    annotations: { "example.com/description": "x".repeat(300) },
    ownerReferences: [
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: deployment, uid: "6f2c0d6e-36a1-4f0b-9d0e-5a1f6a1c2b3d", controller: true, blockOwnerDeletion: true }
    ]
  },
  spec: {
    containers: ["web", "sidecar"].map((container) => ({
      name: container,
      image,
      command: ["/bin/server", "--listen", ":8080"],
      env: Array.from({ length: 6 }, (_, i) => ({ name: `VARIABLE_${i}`, value: `value-${i}` })),
      ports: [{ name: "http", containerPort: 8080 }],
      resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "256Mi" } }
    }))
  }
})

const deploymentOf = (name: string) => {
  const { metadata, spec } = podOf("", name, "registry.example.com/app:0")
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas: podsPerDeployment,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: metadata.labels }, spec }
    }
  }
}

const ascending = (a: number, b: number): number => a - b

/** A cluster over the API in this process. */
export const make = (size: Size, now: () => number) =>
  Effect.gen(function*() {
    const api = yield* ApiServer.ApiServer
    let durable: Array<number> = []
    let heartbeats: Array<number> = []
    let writes = 0
    let eventCount = 0
    let podCount = 0
    const events: Array<{ readonly name: string; readonly at: number }> = []
    const deployments = Math.max(1, Math.round(size.pods / podsPerDeployment))
    const running: Array<Array<string>> = Array.from({ length: deployments }, () => [])

    const request = (method: string, url: string, body?: unknown, type = "application/json") =>
      Effect.gen(function*() {
        const response = yield* api.handle({
          method,
          url,
          headers: { "content-type": type, "user-agent": "simulation" },
          body: Effect.sync(() => body === undefined ? new Uint8Array(0) : encoder.encode(JSON.stringify(body))),
          user: admin
        })
        if (response.body instanceof Uint8Array) {
          if (response.status < 300) return response.body.length
          return yield* Effect.dieMessage(`${method} ${url}: ${response.status} ${new TextDecoder().decode(response.body)}`)
        }
        let bytes = 0
        yield* response.body.run({ write: (chunk) => (bytes += chunk.length) > 0, drained: Effect.void })
        return bytes
      })

    const write = (method: string, url: string, body?: unknown, type?: string) =>
      Effect.suspend(() => {
        const started = performance.now()
        return Effect.map(request(method, url, body, type), () => {
          const latencies = url.startsWith(leasesPath) ? heartbeats : url.startsWith(eventsPath) ? undefined : durable
          latencies?.push(performance.now() - started)
          writes++
        })
      })

    const patch = (url: string, body: unknown) => write("PATCH", url, body, merge)
    const iso = () => new Date(now()).toISOString()

    const report = (pod: string, reason: string) =>
      Effect.suspend(() => {
        const name = `${pod}.${(eventCount++).toString(16)}`
        events.push({ name, at: now() })
        return write("POST", eventsPath, {
          apiVersion: "v1",
          kind: "Event",
          metadata: { name },
          involvedObject: { apiVersion: "v1", kind: "Pod", namespace: "default", name: pod },
          reason,
          message: `${reason}: something happened to ${pod} that somebody may want to know`,
          type: "Normal",
          count: 1,
          firstTimestamp: iso().replace(/\.\d+/, ""),
          lastTimestamp: iso().replace(/\.\d+/, ""),
          source: { component: "simulation" }
        })
      })

    const startPod = (deployment: number, image: string) =>
      Effect.gen(function*() {
        const name = `app-${deployment}-${(podCount++).toString(36)}`
        yield* write("POST", podsPath, podOf(name, `app-${deployment}`, image))
        yield* write("POST", `${podsPath}/${name}/binding`, {
          apiVersion: "v1",
          kind: "Binding",
          metadata: { name },
          target: { apiVersion: "v1", kind: "Node", name: `node-${podCount % size.nodes}` }
        })
        yield* patch(`${podsPath}/${name}/status`, { status: { phase: "Pending", hostIP: "10.0.0.1" } })
        yield* patch(`${podsPath}/${name}/status`, { status: { phase: "Running", podIP: `10.1.0.${podCount % 250}` } })
        for (const reason of ["Scheduled", "Pulled", "Started"]) yield* report(name, reason)
        running[deployment]?.push(name)
      })

    const rollout = (deployment: number, image: string) =>
      Effect.gen(function*() {
        yield* patch(`${deploymentsPath}/app-${deployment}`, {
          metadata: { annotations: { "example.com/changed": iso() } },
          spec: { template: { metadata: { annotations: { image } } } }
        })
        for (const name of running[deployment]?.splice(0) ?? []) {
          yield* report(name, "Killing")
          yield* write("DELETE", `${podsPath}/${name}?gracePeriodSeconds=0`)
          yield* startPod(deployment, image)
        }
      })

    const expireEvents = Effect.gen(function*() {
      let count = 0
      while ((events[count]?.at ?? Infinity) <= now() - eventLifeMillis) count++
      for (const { name } of events.splice(0, count)) yield* write("DELETE", `${eventsPath}/${name}`)
    })

    const setup = Effect.gen(function*() {
      for (let i = 0; i < size.nodes; i++) {
        yield* write("POST", "/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name: `node-${i}` } })
        yield* write("POST", leasesPath, {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: { name: `node-${i}` },
          spec: { holderIdentity: `node-${i}`, leaseDurationSeconds: 40 }
        })
      }
      for (let i = 0; i < deployments; i++) {
        yield* write("POST", deploymentsPath, deploymentOf(`app-${i}`))
        const here = Math.round(size.pods * (i + 1) / deployments) - Math.round(size.pods * i / deployments)
        for (let j = 0; j < here; j++) yield* startPod(i, "registry.example.com/app:0")
      }
    })

    let owedRollouts = 0
    let sinceReport = 0
    let rolled = 0
    let reported = 0
    const everything = () => running.flat()

    const reports = Effect.gen(function*() {
      for (let i = 0; i < size.nodes; i++) {
        yield* patch(`/api/v1/nodes/node-${i}/status`, {
          status: { conditions: [{ type: "Ready", status: "True", reason: "AgentReady", lastHeartbeatTime: iso().replace(/\.\d+/, "") }] }
        })
      }
      // A pod in five hundred has something to say.
      const all = everything()
      for (let i = 0; i < all.length / 500; i++) {
        const name = all[(reported++ * 7919) % all.length]
        if (name !== undefined) {
          yield* patch(`${podsPath}/${name}/status`, { status: { message: `restarted at ${iso()}` } })
          yield* report(name, "BackOff")
        }
      }
    })

    /** What happens in one step. */
    const step = Effect.gen(function*() {
      for (let i = 0; i < size.nodes; i++) {
        yield* patch(`${leasesPath}/node-${i}`, { spec: { renewTime: iso().replace("Z", "000Z") } })
      }
      sinceReport += size.step
      if (sinceReport >= size.report) {
        sinceReport = 0
        yield* reports
      }
      owedRollouts += size.rollouts * size.step / 86_400
      for (; owedRollouts >= 1; owedRollouts--) {
        yield* rollout(rolled % deployments, `registry.example.com/app:${rolled}`)
        rolled++
      }
      yield* expireEvents
    })

    return {
      setup,
      step,
      list: request("GET", podsPath),
      /** How long writes took since the last call, and how many there were in all. */
      takeLatencies: (): Latencies & { readonly writes: number } => {
        const taken = { durable: durable.sort(ascending), heartbeats: heartbeats.sort(ascending), writes }
        durable = []
        heartbeats = []
        return taken
      }
    }
  })
