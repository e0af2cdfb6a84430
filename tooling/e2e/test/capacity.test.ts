import { KubeConfig, CoreV1Api } from "@kubernetes/client-node"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Cluster, startCluster } from "../src/Cluster.js"
import { hostContents, processesWith } from "../src/leaks.js"
import { waitFor } from "../src/waitFor.js"

const PODS = 30

describe("many pods, a killed server, a restarted demo (@kubernetes/client-node)", () => {
  let cluster: Cluster
  let api: CoreV1Api
  const connect = () => {
    const config = new KubeConfig()
    config.loadFromFile(cluster.kubeconfig)
    api = config.makeApiClient(CoreV1Api)
  }
  const phases = async () => {
    const { items } = await api.listNamespacedPod({ namespace: "default", labelSelector: "suite=capacity" })
    return items.map((pod) => pod.status?.phase === "Running" && pod.status.containerStatuses?.every((status) => status.ready) === true)
  }

  beforeAll(async () => {
    cluster = await startCluster({ port: 17453 })
    connect()
  })
  afterAll(async () => {
    expect((await cluster.stop()).code).toBe(0)
    expect(processesWith(cluster.directory)).toEqual([])
    cluster.dispose()
  })

  it("brings 30 pods up at once and takes them away without a leak", async () => {
    await waitFor("hello to run", async () => {
      const pod = await api.readNamespacedPod({ name: "hello", namespace: "default" })
      return pod.status?.containerStatuses?.every((status) => status.ready) === true ? true : undefined
    })
    const before = await hostContents(cluster)
    expect(before.zones.length).toBe(1)
    const names = Array.from({ length: PODS }, (_, i) => `many-${String(i)}`)
    await Promise.all(names.map((name) =>
      api.createNamespacedPod({
        namespace: "default",
        body: {
          metadata: { name, labels: { suite: "capacity" } },
          spec: {
            terminationGracePeriodSeconds: 2,
            containers: [{ name: "main", image: "reddwarf.io/shell:1", command: ["/bin/sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.2; done"] }]
          }
        }
      })
    ))
    await waitFor("30 running pods", async () => {
      const running = await phases()
      return running.length === PODS && running.every(Boolean) ? true : undefined
    }, { seconds: 100 })
    const { items } = await api.listNamespacedPod({ namespace: "default", labelSelector: "suite=capacity" })
    expect(new Set(items.map((pod) => pod.status?.podIP)).size).toBe(PODS)
    await Promise.all(names.map((name) => api.deleteNamespacedPod({ name, namespace: "default" })))
    await waitFor("no pods", async () => (await phases()).length === 0 ? true : undefined, { seconds: 100 })
    let contents = before
    await waitFor("the host as it was before", async () => {
      contents = await hostContents(cluster)
      return JSON.stringify(contents) === JSON.stringify(before) ? true : undefined
    }, { seen: () => JSON.stringify(contents) })
  })

  it("loses nothing that was acknowledged when the server is killed, and clients go on", async () => {
    const acknowledged: Array<string> = []
    let stop = false
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; !stop; n++) {
        const name = `kept-${String(writer)}-${String(n)}`
        try {
          await api.createNamespacedConfigMap({ namespace: "default", body: { metadata: { name }, data: { name } } })
          acknowledged.push(name)
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
    })
    const before = await api.readNamespacedPod({ name: "hello", namespace: "default" })
    for (let kill = 0; kill < 3; kill++) {
      const seen = acknowledged.length
      await waitFor("acknowledged writes", () => acknowledged.length > seen + 50 ? true : undefined)
      const pid = cluster.pid("server")
      process.kill(pid, "SIGKILL")
      await waitFor("a new server process", () => cluster.pid("server") === pid ? undefined : true)
    }
    const seen = acknowledged.length
    await waitFor("writes after the last restart", () => acknowledged.length > seen + 20 ? true : undefined)
    stop = true
    await Promise.all(writers)
    const { items } = await api.listNamespacedConfigMap({ namespace: "default" })
    const stored = new Map(items.map((item) => [item.metadata?.name, item.data?.["name"]]))
    expect(acknowledged.filter((name) => stored.get(name) !== name)).toEqual([])
    const after = await api.readNamespacedPod({ name: "hello", namespace: "default" })
    expect(after.metadata?.uid).toBe(before.metadata?.uid)
    expect(after.status?.containerStatuses?.map((status) => status.restartCount)).toEqual([0, 0])
    process.stdout.write(`${String(acknowledged.length)} acknowledged writes over 3 kills, none lost\n`)
  })

  it("survives kill -9 of the agent without touching the workload", async () => {
    const pods = await api.readNamespacedPod({ name: "hello", namespace: "default" })
    const ids = pods.status?.containerStatuses?.map((status) => status.containerID)
    const processes = processesWith("trap 'exit 0' TERM; while true; do date; sleep 1; done")
    const pid = cluster.pid("agent-0")
    process.kill(pid, "SIGKILL")
    await waitFor("a new agent process", () => cluster.pid("agent-0") === pid ? undefined : true)
    const lease = async () => (await api.readNode({ name: "node-0" })).status?.conditions?.find((condition) => condition.type === "Ready")?.status
    await waitFor("a Ready node", async () => (await lease()) === "True" ? true : undefined)
    const after = await api.readNamespacedPod({ name: "hello", namespace: "default" })
    expect(after.status?.containerStatuses?.map((status) => status.containerID)).toEqual(ids)
    expect(after.status?.containerStatuses?.map((status) => status.restartCount)).toEqual([0, 0])
    expect(processesWith("trap 'exit 0' TERM; while true; do date; sleep 1; done")).toEqual(processes)
  })

  it("continues with the same objects when the demo is started again", async () => {
    const before = await api.readNamespacedPod({ name: "hello", namespace: "default" })
    expect((await cluster.stop()).code).toBe(0)
    cluster = await startCluster({ port: 17453, directory: cluster.directory })
    connect()
    await waitFor("hello to run again", async () => {
      const pod = await api.readNamespacedPod({ name: "hello", namespace: "default" })
      return pod.metadata?.uid === before.metadata?.uid && pod.status?.containerStatuses?.every((status) => status.ready) === true ? true : undefined
    })
  })
})
