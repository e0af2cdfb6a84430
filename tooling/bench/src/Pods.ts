/** The objects that the cases work on: pods of about 1.85 KB that nobody schedules. */
import type { Answer } from "./RawClient.ts"
import { RawConnection } from "./RawClient.ts"
import type { Server } from "./Server.ts"

/** Where the pods of most cases are. */
export const NAMESPACE = "bench"
/** Where the requests of the warm-up go that must not change what is measured. */
export const WARM_UP = "bench-warm-up"
/** Where the 5,000 pods are that are listed and deleted together. */
export const COLLECTION = "bench-collection"

/** The pods of a namespace. */
export const podsOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`
export const PODS = podsOf(NAMESPACE)

/** Fails the run unless the server answered what the case needs. */
export const expect = (answer: Answer, wanted: number, what: string): void => {
  if (answer.status === wanted) return
  throw new Error(`${what}: the server answered ${String(answer.status)}, not ${String(wanted)}: ${answer.body.toString("utf8", 0, 500)}`)
}

const NAME = "@name@"

const template = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: NAME,
    labels: { app: "bench", tier: "backend", "app.kubernetes.io/name": "bench", "app.kubernetes.io/instance": NAME },
    annotations: { "example.com/description": "x".repeat(590) }
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
}

// Requests are joined from pieces: encoding each would be most of what the generator does.
const pieces = JSON.stringify(template).split(NAME)

/** A pod of about 1.85 KB as a client posts it. */
export const pod = (name: string): string => pieces.join(name)

const WHEN = "2026-01-01T00:00:00Z"
const conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({ type, status: "True", lastTransitionTime: WHEN }))
const statusTail = JSON.stringify({ phase: "Running", conditions }).slice(1)

/** The same pod as its node reports on it. */
export const podWithStatus = (name: string, address: string): string => `${pod(name).slice(0, -1)},"status":{"podIP":"${address}",${statusTail}}`

const createNamespace = async (connection: RawConnection, name: string): Promise<void> => {
  const answer = await connection.request("POST", "/api/v1/namespaces", JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } }))
  if (answer.status !== 409) expect(answer, 201, `create namespace ${name}`)
  // The namespace's ServiceAccount comes from a controller; other servers refuse pods until it is there.
  for (let i = 0; i < 500; i++) {
    if ((await connection.request("GET", `/api/v1/namespaces/${name}/serviceaccounts/default`)).status === 200) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const namespaces = [NAMESPACE, WARM_UP, COLLECTION]

/** Makes the namespaces that all cases work in. */
export const prepare = async (server: Server): Promise<void> => {
  const connection = await RawConnection.open(server.target)
  for (const name of namespaces) await createNamespace(connection, name)
  connection.close()
}

/** Deletes the pods of this run, or those that an earlier one left behind. */
export const tidy = async (server: Server): Promise<void> => {
  for (const name of namespaces) await clear(server, name)
}

const madePods = new WeakMap<Server, Map<string, number>>()

/** How many pods `pod-0`, `pod-1`, ... of a namespace this run has made. */
export const made = (server: Server, namespace: string): number => madePods.get(server)?.get(namespace) ?? 0

/** Takes note of the pods of a namespace after a case made or deleted some of them. */
export const note = (server: Server, namespace: string, count: number): void => {
  const counts = madePods.get(server) ?? new Map<string, number>()
  madePods.set(server, counts.set(namespace, count))
}

/** Makes what is missing of `count` pods, unmeasured. */
export const ensure = async (server: Server, namespace: string, count: number): Promise<void> => {
  let next = made(server, namespace)
  if (next >= count) return
  const connections = await Promise.all(Array.from({ length: 64 }, () => RawConnection.open(server.target)))
  await Promise.all(connections.map(async (connection) => {
    while (next < count) {
      const name = `pod-${String(next++)}`
      const answer = await connection.request("POST", podsOf(namespace), pod(name))
      expect(answer, 201, `create pod ${name}`)
    }
    connection.close()
  }))
  note(server, namespace, count)
}

/** Deletes all pods of a namespace at once. */
export const clear = async (server: Server, namespace: string): Promise<Answer> => {
  const connection = await RawConnection.open(server.target)
  const answer = await connection.request("DELETE", podsOf(namespace), JSON.stringify({ gracePeriodSeconds: 0 }))
  connection.close()
  expect(answer, 200, `delete the pods of ${namespace}`)
  note(server, namespace, 0)
  return answer
}
