import { assert, describe, it } from "@effect/vitest"
import { type CoordinationV1, type CoreV1, type Kind, Kinds, type KubeObject, Tables } from "../src/index.js"
import { now, podWith, withStatus } from "./pods.js"

const created = "2026-11-20T21:55:00Z"
const meta = (name: string, rest: object = {}) => ({ apiVersion: "v1", kind: "", metadata: { name, namespace: "default", creationTimestamp: created, ...rest } })

/** Cells by column name. */
const table = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, object: A): Readonly<Record<string, Kind.Cell>> => {
  const { cells } = Tables.row(kind, object, now)
  assert.lengthOf(cells, kind.columns.length)
  return Object.fromEntries(kind.columns.map(({ name }, index) => [name, cells[index] ?? null]))
}

type Status = Partial<CoreV1.ContainerStatus>
const container = (name: string, status: Status): CoreV1.ContainerStatus => ({ name, ready: false, restartCount: 0, image: "", imageID: "", ...status })
const running: Status = { ready: true, started: true, state: { running: { startedAt: created } } }
const waiting = (reason: string): Status => ({ state: { waiting: { reason } } })
const terminated = (exitCode: number, rest: object = {}): Status => ({ state: { terminated: { exitCode, ...rest } } })

const columns = (status: CoreV1.PodStatus, spec: object = {}, metadata: object = {}) => {
  const { Ready, Restarts, Status: word } = table(Kinds.pod, withStatus(podWith(spec, {}, metadata), status))
  return [Ready, word, Restarts]
}

describe("Pod", () => {
  const two = { containers: [{ name: "a", image: "x" }, { name: "b", image: "x" }] }
  const init = { initContainers: [{ name: "i", image: "x" }, { name: "j", image: "x" }] }
  const sidecar = { initContainers: [{ name: "s", image: "x", restartPolicy: "Always" }, { name: "i", image: "x" }] }
  const ready = { conditions: [{ type: "Ready", status: "True" }] }

  it.each<readonly [string, CoreV1.PodStatus, object, readonly [string, string, string]]>([
    ["pending", { phase: "Pending" }, {}, ["0/1", "Pending", "0"]],
    ["creating", { phase: "Pending", containerStatuses: [container("c", waiting("ContainerCreating"))] }, {}, ["0/1", "ContainerCreating", "0"]],
    ["running", { phase: "Running", ...ready, containerStatuses: [container("c", running)] }, {}, ["1/1", "Running", "0"]],
    ["one of two crashes", { phase: "Running", containerStatuses: [container("a", running), container("b", { ...waiting("CrashLoopBackOff"), restartCount: 3 })] }, two, ["1/2", "CrashLoopBackOff", "3"]],
    ["completed", { phase: "Succeeded", containerStatuses: [container("c", terminated(0, { reason: "Completed" }))] }, {}, ["0/1", "Completed", "0"]],
    ["failed", { phase: "Failed", containerStatuses: [container("c", terminated(1, { reason: "Error" }))] }, {}, ["0/1", "Error", "0"]],
    ["killed by a signal", { phase: "Failed", containerStatuses: [container("c", terminated(137, { signal: 9 }))] }, {}, ["0/1", "Signal:9", "0"]],
    ["exited without a reason", { phase: "Failed", containerStatuses: [container("c", terminated(3))] }, {}, ["0/1", "ExitCode:3", "0"]],
    ["one done, one running and ready", { phase: "Running", ...ready, containerStatuses: [container("a", terminated(0, { reason: "Completed" })), container("b", running)] }, two, ["1/2", "Running", "0"]],
    ["one done, one running, not ready", { phase: "Running", containerStatuses: [container("a", terminated(0, { reason: "Completed" })), container("b", running)] }, two, ["1/2", "NotReady", "0"]],
    ["one done, one failed", { phase: "Running", containerStatuses: [container("a", terminated(0, { reason: "Completed" })), container("b", terminated(2, { reason: "Error" }))] }, two, ["0/2", "Error", "0"]],
    ["evicted", { phase: "Failed", reason: "Evicted" }, {}, ["0/1", "Evicted", "0"]],
    ["gated", { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] }, {}, ["0/1", "SchedulingGated", "0"]],
    ["first init container runs", { phase: "Pending", initContainerStatuses: [container("i", { state: { running: {} } }), container("j", waiting("PodInitializing"))] }, init, ["0/1", "Init:0/2", "0"]],
    ["second init container waits", { phase: "Pending", initContainerStatuses: [container("i", terminated(0)), container("j", waiting("PodInitializing"))] }, init, ["0/1", "Init:1/2", "0"]],
    ["init container crashes", { phase: "Pending", initContainerStatuses: [container("i", { ...waiting("CrashLoopBackOff"), restartCount: 2 })] }, init, ["0/1", "Init:CrashLoopBackOff", "2"]],
    ["init container failed", { phase: "Failed", initContainerStatuses: [container("i", terminated(1))] }, init, ["0/1", "Init:ExitCode:1", "0"]],
    ["init container was killed", { phase: "Failed", initContainerStatuses: [container("i", terminated(137, { signal: 9 }))] }, init, ["0/1", "Init:Signal:9", "0"]],
    ["restarts of init containers no longer count", { phase: "Running", ...ready, initContainerStatuses: [container("i", { ...terminated(0), restartCount: 4 }), container("j", terminated(0))], containerStatuses: [container("c", running)] }, init, ["1/1", "Running", "0"]],
    ["a sidecar counts as a container", { phase: "Running", ...ready, initContainerStatuses: [container("s", { ...running, restartCount: 1 }), container("i", terminated(0))], containerStatuses: [container("c", running)] }, sidecar, ["2/2", "Running", "1"]],
    ["a sidecar that has not started", { phase: "Pending", initContainerStatuses: [container("s", { state: { running: {} } })] }, sidecar, ["0/2", "Init:0/2", "0"]]
  ])("%s", (_, status, spec, expected) => {
    assert.deepStrictEqual(columns(status, spec), [...expected])
  })

  it("says when the last restart was", () => {
    const last = { lastState: { terminated: { exitCode: 1, finishedAt: "2026-11-20T21:52:48Z" } }, restartCount: 3 }
    assert.deepStrictEqual(columns({ phase: "Running", containerStatuses: [container("c", { ...running, ...last })] }), ["1/1", "Running", "3 (7m12s ago)"])
  })

  it("is terminating, lost or still its final phase while it is deleted", () => {
    const deleted = { deletionTimestamp: "2026-11-20T22:00:00Z" }
    assert.strictEqual(columns({ phase: "Running" }, {}, deleted)[1], "Terminating")
    assert.strictEqual(columns({ phase: "Running", reason: "NodeLost" }, {}, deleted)[1], "Unknown")
    assert.strictEqual(columns({ phase: "Succeeded" }, {}, deleted)[1], "Succeeded")
  })

  it("shows addresses, nodes and gates in wide listings", () => {
    const pod = withStatus(podWith({ nodeName: "n1", readinessGates: [{ conditionType: "x/a" }, { conditionType: "x/b" }] }), {
      phase: "Running",
      podIP: "10.0.0.1",
      podIPs: [{ ip: "10.0.0.2" }],
      conditions: [{ type: "x/a", status: "True" }]
    })
    const { IP, Node, "Nominated Node": nominated, "Readiness Gates": gates } = table(Kinds.pod, pod)
    assert.deepStrictEqual([IP, Node, nominated, gates], ["10.0.0.2", "n1", "<none>", "1/2"])
    assert.strictEqual(table(Kinds.pod, podWith())["IP"], "<none>")
  })

  it("marks finished pods", () => {
    const conditions = (phase: string) => Tables.row(Kinds.pod, withStatus(podWith(), { phase }), now).conditions
    assert.deepStrictEqual(conditions("Succeeded"), [
      { type: "Completed", status: "True", reason: "Succeeded", message: "The pod has completed successfully." }
    ])
    assert.deepStrictEqual(conditions("Failed"), [{ type: "Completed", status: "True", reason: "Failed", message: "The pod failed." }])
    assert.deepStrictEqual(conditions("Running"), [])
  })
})

describe("other kinds", () => {
  it("Node", () => {
    const node: CoreV1.Node = {
      ...meta("n1", { labels: { "node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/admin": "", "kubernetes.io/role": "edge" } }),
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: "Ready", status: "True" }],
        addresses: [{ type: "InternalIP", address: "10.0.0.5" }],
        nodeInfo: {
          machineID: "", systemUUID: "", bootID: "", kernelVersion: "5.11", osImage: "OmniOS", containerRuntimeVersion: "", kubeletVersion: "v1.36.2",
          kubeProxyVersion: "", operatingSystem: "illumos", architecture: "amd64"
        }
      }
    }
    assert.deepStrictEqual(Object.values(table(Kinds.node, node)), [
      "n1", "Ready,SchedulingDisabled", "admin,edge,worker", "5m", "v1.36.2", "10.0.0.5", "<none>", "OmniOS", "5.11 (amd64)", "<unknown>"
    ])
    assert.deepStrictEqual(Object.values(table(Kinds.node, meta("n2"))).slice(0, 5), ["n2", "Unknown", "<none>", "5m", ""])
    assert.strictEqual(table(Kinds.node, { ...meta("n"), status: { conditions: [{ type: "Ready", status: "Unknown" }] } })["Status"], "NotReady")
  })

  it("Service", () => {
    const service = (spec: CoreV1.ServiceSpec, status: CoreV1.ServiceStatus = {}) => Object.values(table(Kinds.service, { ...meta("s"), spec, status }))
    assert.deepStrictEqual(
      service({ type: "ClusterIP", clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], ports: [{ port: 80, protocol: "TCP" }, { port: 53, protocol: "UDP" }], selector: { b: "2", a: "1" } }),
      ["s", "ClusterIP", "10.96.0.1", "<none>", "80/TCP,53/UDP", "5m", "a=1,b=2"]
    )
    assert.deepStrictEqual(service({ type: "NodePort", ports: [{ port: 80, nodePort: 30080 }], externalIPs: ["1.2.3.4"] }), [
      "s", "NodePort", "<none>", "1.2.3.4", "80:30080/TCP", "5m", "<none>"
    ])
    assert.strictEqual(service({ type: "LoadBalancer" })[3], "<pending>")
    assert.strictEqual(service({ type: "LoadBalancer" }, { loadBalancer: { ingress: [{ hostname: "a-very-long-name.example" }] } })[3], "a-very-long-n...")
    assert.strictEqual(service({ type: "ExternalName", externalName: "example.com" })[3], "example.com")
    assert.strictEqual(service({ type: "ClusterIP", clusterIPs: ["None"], clusterIP: "None" })[2], "None")
  })

  it("Event", () => {
    const event: CoreV1.Event = {
      ...meta("p.1"),
      involvedObject: { kind: "Pod", name: "p", fieldPath: "spec.containers{c}" },
      reason: "Started",
      message: " text \n",
      type: "Normal",
      source: { component: "agent", host: "n1" },
      firstTimestamp: "2026-11-20T21:50:00Z",
      lastTimestamp: "2026-11-20T21:59:00Z",
      count: 3
    }
    assert.deepStrictEqual(Object.values(table(Kinds.event, event)), [
      "60s", "Normal", "Started", "pod/p", "spec.containers{c}", "agent, n1", "text", "10m", 3, "p.1"
    ])
    const series: CoreV1.Event = {
      ...meta("p.2"),
      involvedObject: { kind: "Pod", name: "p" },
      eventTime: "2026-11-20T21:50:00.000000Z",
      series: { count: 7, lastObservedTime: "2026-11-20T21:59:30.000000Z" },
      reportingComponent: "default-scheduler",
      reportingInstance: "h"
    }
    const { Count, "First Seen": first, "Last Seen": last, Source } = table(Kinds.event, series)
    assert.deepStrictEqual([last, first, Count, Source], ["30s", "10m", 7, "default-scheduler, h"])
  })

  it("the rest", () => {
    const lease: CoordinationV1.Lease = { ...meta("l"), spec: { holderIdentity: "me" } }
    assert.deepStrictEqual(Object.values(table(Kinds.lease, lease)), ["l", "me", "5m"])
    assert.deepStrictEqual(Object.values(table(Kinds.namespace, { ...meta("n"), status: { phase: "Active" } })), ["n", "Active", "5m"])
    assert.deepStrictEqual(Object.values(table(Kinds.configMap, { ...meta("c"), data: { a: "1" }, binaryData: { b: "AA==" } })), ["c", 2, "5m"])
    assert.deepStrictEqual(Object.values(table(Kinds.secret, { ...meta("s"), type: "Opaque", data: { a: "AA==" } })), ["s", "Opaque", 1, "5m"])
    assert.deepStrictEqual(Object.values(table(Kinds.serviceAccount, meta("a"))), ["a", "5m"])
    const { apiVersion, kind, metadata } = meta("b")
    assert.deepStrictEqual(Object.values(table(Kinds.binding, { apiVersion, kind, metadata, target: {} })), ["b", created])
  })

  it("definitions have every property of the wire", () => {
    assert.deepStrictEqual(Tables.columnDefinitions(Kinds.lease).map(({ format, name, priority, type }) => [name, type, format, priority]), [
      ["Name", "string", "name", 0],
      ["Holder", "string", "", 0],
      ["Age", "string", "", 0]
    ])
    assert.deepStrictEqual(Tables.rows(Kinds.lease, [], now), [])
  })
})
