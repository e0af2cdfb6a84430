import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Cluster, startCluster } from "../src/Cluster.js"
import { processesWith } from "../src/leaks.js"
import { type Kubectl, kubectl, peer } from "../src/Peers.js"
import { waitFor } from "../src/waitFor.js"

const program = peer("kubectl-1.36")

/** A web server on the pod's address whose answers are files in its folder: `/NAME` is 200 while the file is there, else 503. */
const serve = `
const { existsSync } = require("node:fs")
require("node:http").createServer((request, response) => {
  response.statusCode = existsSync("." + request.url) ? 200 : 503
  response.end()
}).listen(8080, process.env.POD_IP)
process.on("SIGTERM", () => process.exit(0))`

const pod = (name: string, probes: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  terminationGracePeriodSeconds: 3
  containers:
    - name: web
      image: reddwarf.io/probed:1
      workingDir: /srv/${name}
      command: ["node", "-e", ${JSON.stringify(serve)}]
      env: [{ name: POD_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }]
      ports: [{ name: http, containerPort: 8080 }]
${probes}
`

describe.skipIf(program === undefined)("probes", () => {
  let cluster: Cluster
  let k: Kubectl

  const value = (name: string, path: string) => k.ok("get", "pod", name, "-o", `jsonpath={${path}}`)
  const until = (name: string, path: string, wanted: string) => {
    let last = ""
    return waitFor(`${path} of ${name} to be ${wanted}`, async () => {
      last = await value(name, path)
      return last === wanted ? true : undefined
    }, { seen: () => last })
  }
  const status = ".status.containerStatuses[0]"
  const inPod = (name: string, command: string) => k.ok("exec", name, "--", "/bin/sh", "-c", command)
  const described = (name: string, text: RegExp) => {
    let last = ""
    return waitFor(`${text.source} in the events of ${name}`, async () => {
      last = await k.ok("describe", "pod", name)
      return text.test(last) ? true : undefined
    }, { seen: () => last })
  }

  beforeAll(async () => {
    cluster = await startCluster({ port: 17743 })
    k = kubectl(program ?? "", cluster)
  })
  afterAll(async () => {
    expect((await cluster.stop()).code).toBe(0)
    expect(processesWith(cluster.directory)).toEqual([])
    cluster.dispose()
  })

  it("readiness takes a pod out of its Service and back", async () => {
    const probe = "      readinessProbe: { httpGet: { path: /ready, port: http }, periodSeconds: 1, failureThreshold: 1 }"
    await k.input(pod("ready", probe), "apply", "-f", "-")
    await k.ok("expose", "pod", "ready", "--port=80", "--target-port=8080")
    await until("ready", `${status}.started`, "true")
    await described("ready", /Warning +Unhealthy .*Readiness probe failed: HTTP probe failed with statuscode: 503/)
    expect(await value("ready", `${status}.ready`)).toBe("false")
    const endpoints = () =>
      k.ok("get", "endpointslices", "-l", "kubernetes.io/service-name=ready", "-o", "jsonpath={range .items[*].endpoints[*]}{.addresses[0]} {.conditions.ready}{end}")
    const address = await value("ready", ".status.podIP")
    await waitFor("an endpoint that is not ready", async () => await endpoints() === `${address} false` ? true : undefined)
    await inPod("ready", "touch ready")
    await waitFor("the endpoint to be ready", async () => await endpoints() === `${address} true` ? true : undefined)
    expect(await k.ok("get", "pod", "ready", "--no-headers")).toMatch(/^ready +1\/1 +Running +0 /)
    await inPod("ready", "rm ready")
    await waitFor("the endpoint not to be ready", async () => await endpoints() === `${address} false` ? true : undefined)
    expect(await k.ok("get", "pod", "ready", "--no-headers")).toMatch(/^ready +0\/1 +Running +0 /)
    await k.ok("delete", "pod,service", "ready")
  })

  it("liveness restarts a container, and says so", async () => {
    const probe = "      livenessProbe: { exec: { command: [/bin/sh, -c, 'test ! -e sick'] }, periodSeconds: 1, failureThreshold: 2 }"
    await k.input(pod("alive", probe), "apply", "-f", "-")
    await until("alive", `${status}.ready`, "true")
    // The folder outlives the container: what made it sick goes with the restart.
    await inPod("alive", "touch sick")
    await until("alive", `${status}.restartCount`, "1")
    await k.run("exec", "alive", "--", "/bin/rm", "-f", "sick")
    expect(await k.ok("get", "pod", "alive", "--no-headers")).toMatch(/^alive +\d\/1 +\S+ +1 /)
    await described("alive", /Warning +Unhealthy .*Liveness probe failed:/)
    await described("alive", /Normal +Killing .*Container web failed liveness probe, will be restarted/)
    await k.ok("delete", "pod", "alive")
  })

  it("a startup probe keeps the others waiting", async () => {
    const probes = `      startupProbe: { httpGet: { path: /started, port: http }, periodSeconds: 1, failureThreshold: 60 }
      readinessProbe: { tcpSocket: { port: http }, periodSeconds: 1 }
      livenessProbe: { exec: { command: [/bin/false] }, periodSeconds: 1, failureThreshold: 2 }`
    await k.input(pod("starting", probes), "apply", "-f", "-")
    await described("starting", /Warning +Unhealthy .*\(x[3-9] over .*Startup probe failed: HTTP probe failed with statuscode: 503/)
    expect(await value("starting", `${status}.started`)).toBe("false")
    expect(await value("starting", `${status}.ready`)).toBe("false")
    expect(await k.ok("describe", "pod", "starting")).not.toMatch(/Liveness probe failed/)
    await inPod("starting", "touch started")
    await until("starting", `${status}.ready`, "true")
    await until("starting", `${status}.restartCount`, "1")
    await k.ok("delete", "pod", "starting")
  })

  it("kill -9 of the agent one failure below the threshold neither restarts nor forgets", async () => {
    const probes = `      livenessProbe: { exec: { command: [/bin/sh, -c, 'test ! -e sick'] }, periodSeconds: 4, failureThreshold: 3 }
      readinessProbe: { tcpSocket: { port: http }, periodSeconds: 1 }`
    await k.input(pod("killed", probes), "apply", "-f", "-")
    await until("killed", `${status}.ready`, "true")
    const uid = await value("killed", ".metadata.uid")
    const since = await value("killed", ".status.conditions[?(@.type==\"Ready\")].lastTransitionTime")
    const record = join(cluster.directory, "agent-0/supervisor/pods", uid, "probes.json")
    expect(existsSync(record)).toBe(true)
    await inPod("killed", "touch sick")
    await waitFor("two failures on disk", () => (JSON.parse(readFileSync(record, "utf8")) as { containers: { web: { liveness?: { run: number; last?: string } } } }).containers.web.liveness?.run === 2 ? true : undefined, { everyMillis: 20 })
    const agent = cluster.pid("agent-0")
    process.kill(agent, "SIGKILL")
    expect(await value("killed", `${status}.restartCount`)).toBe("0")
    // Well now: had the count begun anew, or the kill itself restarted, one of the two below would not hold.
    await waitFor("a new agent process", () => cluster.pid("agent-0") === agent ? undefined : true)
    expect(await value("killed", ".status.conditions[?(@.type==\"Ready\")].lastTransitionTime")).toBe(since)
    await until("killed", `${status}.restartCount`, "1")
    const told = /Warning +Unhealthy +\S+ \(x(\d+) over .*Liveness probe failed/.exec(await k.ok("describe", "pod", "killed"))
    expect(Number(told?.[1] ?? "1")).toBeLessThanOrEqual(3)
    await k.ok("delete", "pod", "killed")
  })

  it("shows what the probes came to at /metrics/probes", async () => {
    await k.input(pod("counted", "      readinessProbe: { tcpSocket: { port: http }, periodSeconds: 1 }"), "apply", "-f", "-")
    await until("counted", `${status}.ready`, "true")
    const text = await k.ok("get", "--raw", "/api/v1/nodes/node-0/proxy/metrics/probes")
    expect(text).toMatch(/^prober_probe_total\{container="web",namespace="default",pod="counted",pod_uid="[0-9a-f-]+",probe_type="Readiness",result="successful"\} \d+$/m)
    expect(text).toMatch(/^prober_probe_duration_seconds_bucket\{container="web",namespace="default",pod="counted",probe_type="Readiness",le="\+Inf"\} \d+$/m)
    await k.ok("delete", "pod", "counted")
  })
})
