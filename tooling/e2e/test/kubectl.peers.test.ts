import { readFileSync } from "node:fs"
import { get } from "node:http"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Cluster, repository, startCluster } from "../src/Cluster.js"
import { hostContents, processesWith } from "../src/leaks.js"
import { type Kubectl, kubectl, peer } from "../src/Peers.js"
import { waitFor } from "../src/waitFor.js"

const hello = join(repository, "examples/hello.yaml")

const httpGet = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get(url, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (text: string) => { body += text }).on("end", () => resolve(body))
    }).on("error", reject)
  })

const shellPod = (name: string, script: string, extra = ""): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { suite: shell } }
spec:
  terminationGracePeriodSeconds: 3
${extra}
  containers:
    - name: main
      image: reddwarf.io/shell:1
      command: ["/bin/sh", "-c", ${JSON.stringify(script)}]
`

for (const [index, version] of ["1.32", "1.36"].entries()) {
  const program = peer(`kubectl-${version}`)
  describe.skipIf(program === undefined)(`kubectl ${version}`, () => {
    let cluster: Cluster
    let k: Kubectl

    const podColumns = async (name: string): Promise<ReadonlyArray<string>> => {
      const finished = await k.run("get", "pod", name, "--no-headers")
      return finished.stdout.trim().replace(/ \([^)]*\)/, "").split(/\s+/)
    }
    const running = (name: string, ready = "1/1") =>
      waitFor(`pod ${name} to be ${ready} Running`, async () => {
        const columns = await podColumns(name)
        return columns[1] === ready && columns[2] === "Running" ? columns : undefined
      })
    const gone = (name: string) =>
      waitFor(`pod ${name} to be gone`, async () => (await k.run("get", "pod", name)).stderr.includes("NotFound") ? true : undefined)

    beforeAll(async () => {
      cluster = await startCluster({ port: 17443 + index })
      k = kubectl(program ?? "", cluster)
    })
    afterAll(async () => {
      const finished = await cluster.stop()
      expect(finished.code).toBe(0)
      expect(processesWith(cluster.directory)).toEqual([])
      cluster.dispose()
    })

    it("shows a Ready node", async () => {
      const table = await k.ok("get", "nodes", "-o", "wide")
      expect(table).toMatch(/^NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME/)
      expect(table).toMatch(/^node-0 +Ready +<none> +\S+ +v1\.36\./m)
    })

    it("runs examples/hello.yaml: apply, get in every form, describe, logs, HTTP", async () => {
      // The demo applied it already; applying it again must be accepted by every kubectl.
      expect(await k.ok("apply", "-f", hello)).toMatch(/pod\/hello (configured|unchanged|created)/)
      await running("hello", "2/2")
      const wide = await k.ok("get", "pods", "-o", "wide", "--no-headers")
      const columns = wide.trim().split(/\s+/)
      expect(columns.slice(0, 4)).toEqual(["hello", "2/2", "Running", "0"])
      expect(columns[6]).toBe("node-0")
      const address = columns[5] ?? ""
      expect(await httpGet(`http://${address}:8080/`)).toMatch(/^Hello from hello in .*\/srv\/hello\n$/)

      expect(await k.ok("get", "pod", "hello", "-o", "yaml")).toContain("phase: Running")
      expect(await k.ok("get", "pods", "-l", "app=hello", "-o", "name")).toBe("pod/hello\n")
      expect(await k.ok("get", "pods", "-l", "app!=hello", "-o", "name")).toBe("")
      expect(await k.ok("get", "pods", "--field-selector", "spec.nodeName=node-0,status.phase=Running", "-o", "name")).toBe("pod/hello\n")
      expect(await k.ok("get", "pods", "-A")).toMatch(/^default +hello +2\/2 +Running/m)

      const described = await k.ok("describe", "pod", "hello")
      expect(described).toMatch(/Normal +Scheduled .*Successfully assigned default\/hello to node-0/)
      expect(described).toMatch(/Normal +Started /)
      expect(described).toContain(`IP:               ${address}`)

      expect(await k.ok("logs", "hello", "-c", "web")).toContain(`listening on ${address}`)
      const follow = k.start("logs", "-f", "hello", "-c", "clock", "--tail=1")
      await waitFor("three followed lines", () => follow.stdout().split("\n").length > 3 ? true : undefined)
      follow.kill("SIGINT")
      await follow.done
    })

    it("follows changes with get -w", async () => {
      const watch = k.start("get", "pods", "-w")
      await waitFor("the first row", () => watch.stdout().includes("hello") ? true : undefined)
      await k.input(shellPod("watched", "sleep 1000"), "apply", "-f", "-")
      await waitFor("the watched pod to run", () => /^watched +1\/1 +Running/m.test(watch.stdout()) ? true : undefined, { seen: watch.stdout })
      expect(watch.stdout()).toMatch(/^watched +0\/1 +(Pending|ContainerCreating)/m)
      await k.ok("delete", "pod", "watched", "--wait=false")
      await waitFor("the watched pod to terminate", () => /^watched +\S+ +Terminating/m.test(watch.stdout()) ? true : undefined, { seen: watch.stdout })
      watch.kill("SIGINT")
      await watch.done
      await gone("watched")
    })

    it("restarts a crashing container with back-off and keeps its previous log", async () => {
      await k.input(shellPod("crash", "echo attempt; exit 3"), "apply", "-f", "-")
      await waitFor("CrashLoopBackOff", async () => {
        const columns = await podColumns("crash")
        return columns[2] === "CrashLoopBackOff" && Number(columns[3]) >= 1 ? true : undefined
      })
      expect(await k.ok("logs", "crash", "--previous")).toBe("attempt\n")
      const state = await k.ok("get", "pod", "crash", "-o", "jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode} {.status.containerStatuses[0].lastState.terminated.reason}")
      expect(state).toBe("3 Error")
      expect(await k.ok("describe", "pod", "crash")).toMatch(/Warning +BackOff /)
      await k.ok("delete", "pod", "crash")
    })

    it("ends a Job-like pod as Completed", async () => {
      await k.input(shellPod("once", "echo done", "  restartPolicy: Never"), "apply", "-f", "-")
      await waitFor("Completed", async () => (await podColumns("once"))[2] === "Completed" ? true : undefined)
      expect(await k.ok("logs", "once")).toBe("done\n")
      await k.ok("delete", "pod", "once")
    })

    it("leaves a pod that asks for too much Pending, with the reason", async () => {
      await k.input(shellPod("huge", "true").replace("image:", "resources: { requests: { cpu: 4000 } }\n      image:"), "apply", "-f", "-")
      await waitFor("the FailedScheduling event", async () => /FailedScheduling.*0\/1 nodes are available: 1 Insufficient cpu\./.test(await k.ok("describe", "pod", "huge")) ? true : undefined)
      expect((await podColumns("huge"))[2]).toBe("Pending")
      await k.ok("delete", "pod", "huge")
    })

    it.skipIf(version !== "1.36")("lets an urgent pod take the place of another, and tells both why", async () => {
      const [, millis = ""] = /^(\d+)m$/.exec(await k.ok("get", "node", "node-0", "-o", "jsonpath={.status.allocatable.cpu}")) ?? []
      const asking = (name: string, priorityClass: string) =>
        shellPod(name, "trap 'exit 0' TERM; while true; do sleep 1; done", `  priorityClassName: ${priorityClass}`)
          .replace("image:", `resources: { requests: { cpu: ${Math.floor(Number(millis) * 0.6)}m } }\n      image:`)
      for (const [name, value] of [["modest", "10"], ["urgent", "1000"]] as const) await k.ok("create", "priorityclass", name, `--value=${value}`)
      await k.input(asking("modest", "modest"), "apply", "-f", "-")
      await running("modest")
      await k.input(asking("urgent", "urgent"), "apply", "-f", "-")
      await running("urgent")
      await gone("modest")
      const uid = await k.ok("get", "pod", "urgent", "-o", "jsonpath={.metadata.uid}")
      const events = async (object: string) => k.ok("get", "events", "--field-selector", `involvedObject.name=${object}`, "-o", "jsonpath={range .items[*]}{.reason}: {.message}{'\\n'}{end}")
      expect(await events("modest")).toContain(`Preempted: Preempted by pod ${uid} on node node-0\n`)
      expect(await events("urgent")).toContain("FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.\n")
      await k.ok("delete", "pod", "urgent")
    })

    it.skipIf(version !== "1.36")("gives variables from a file and trust anchors, and starts all containers anew when a rule says so", async () => {
      const authority = Buffer.from(await k.ok("config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.certificate-authority-data}"), "base64").toString("utf8")
      const bundle = (name: string, trustBundle: string) =>
        JSON.stringify({ apiVersion: "certificates.k8s.io/v1beta1", kind: "ClusterTrustBundle", metadata: { name, labels: { live: "yes" } }, spec: { signerName: "ex.com/ca", trustBundle } })
      expect((await k.input(bundle("ex.com:ca:wrong", "text"), "create", "-f", "-")).stderr).toContain("spec.trustBundle: Invalid value: \"<value omitted>\": at least one trust anchor must be provided")
      await k.input(bundle("ex.com:ca:v1", authority), "create", "-f", "-")
      expect(await k.ok("get", "clustertrustbundles", "--no-headers")).toMatch(/^ex\.com:ca:v1 +ex\.com\/ca\n$/)
      const writes = `echo "COUNT='$(cat out/count 2>/dev/null)x'" > out/of.env; printf x >> out/count`
      const reads = "echo got $COUNT; head -1 roots/ca.pem; [ $COUNT = x ] && exit 42; sleep 1000"
      const manifest = (rule: string) => `
apiVersion: v1
kind: Pod
metadata: { name: gang }
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 3
  initContainers:
    - name: writes
      image: reddwarf.io/shell:1
      command: ["/bin/sh", "-c", ${JSON.stringify(writes)}]
      volumeMounts: [{ name: out, mountPath: /out }]
  containers:
    - name: reads
      image: reddwarf.io/shell:1
      command: ["/bin/sh", "-c", ${JSON.stringify(reads)}]
      env: [{ name: COUNT, valueFrom: { fileKeyRef: { volumeName: out, path: of.env, key: COUNT } } }]
      restartPolicy: Never
      restartPolicyRules: [{ action: ${rule}, exitCodes: { operator: In, values: [42] } }]
      volumeMounts: [{ name: roots, mountPath: /roots }]
    - name: other
      image: reddwarf.io/shell:1
      command: ["/bin/sh", "-c", "sleep 1000"]
  volumes:
    - { name: out, emptyDir: {} }
    - { name: roots, projected: { sources: [{ clusterTrustBundle: { signerName: ex.com/ca, labelSelector: {}, path: ca.pem } }] } }
`
      expect((await k.input(manifest("RestartPod"), "create", "-f", "-")).stderr).toContain('supported values: "Restart", "RestartAllContainers"')
      await k.input(manifest("RestartAllContainers"), "create", "-f", "-")
      await waitFor("all containers to run again", async () => {
        const counts = await k.ok("get", "pod", "gang", "-o", "jsonpath={.status.initContainerStatuses[0].restartCount}{range .status.containerStatuses[*]} {.restartCount} {.ready}{end}")
        return counts === "1 1 true 1 true" ? true : undefined
      })
      await waitFor("the words of the second attempt", async () => (await k.ok("logs", "gang", "-c", "reads")) === "got xx\n-----BEGIN CERTIFICATE-----\n" ? true : undefined)
      expect(await k.ok("logs", "gang", "-c", "reads", "--previous")).toContain("got x\n")
      expect(await k.ok("exec", "gang", "-c", "reads", "--", "/bin/sh", "-c", "echo $COUNT")).toBe("xx\n")
      const last = await k.ok("get", "pod", "gang", "-o", "jsonpath={range .status.containerStatuses[*]}{.name} {.lastState.terminated.reason} {.lastState.terminated.exitCode}{'\\n'}{end}")
      expect(last).toBe("reads Error 42\nother RestartingAllContainers 137\n")
      expect(await k.ok("get", "pod", "gang", "-o", "jsonpath={.status.phase} {.status.conditions[?(@.type=='AllContainersRestarting')].status}")).toBe("Running False")
      await k.ok("delete", "pod", "gang", "--grace-period=1")
      await k.ok("delete", "clustertrustbundle", "ex.com:ca:v1")
    })

    it("updates objects: label, annotate, patch, cordon, apply of a changed manifest", async () => {
      await k.ok("label", "pod", "hello", "tier=front")
      expect(await k.ok("get", "pods", "-l", "tier=front", "-o", "name")).toBe("pod/hello\n")
      await k.ok("annotate", "pod", "hello", "example.com/note=x")
      await k.ok("patch", "pod", "hello", "-p", "{\"metadata\":{\"labels\":{\"tier\":null}}}")
      expect(await k.ok("get", "pods", "-l", "tier", "-o", "name")).toBe("")
      await k.ok("cordon", "node-0")
      expect(await k.ok("get", "nodes")).toMatch(/Ready,SchedulingDisabled/)
      await k.ok("uncordon", "node-0")
      const config = (value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { key: ${value} }\n`
      expect((await k.input(config("one"), "apply", "-f", "-")).stdout).toBe("configmap/settings created\n")
      expect((await k.input(config("two"), "apply", "-f", "-")).stdout).toBe("configmap/settings configured\n")
      expect((await k.input(config("two"), "apply", "-f", "-")).stdout).toBe("configmap/settings unchanged\n")
      expect(await k.ok("get", "configmap", "settings", "-o", "jsonpath={.data.key}")).toBe("two")
      await k.ok("create", "namespace", "team")
      await k.ok("create", "configmap", "made", "-n", "team", "--from-literal=a=b")
      await k.ok("delete", "namespace", "team")
      expect((await k.run("get", "namespace", "team")).stderr).toContain("NotFound")
    })

    it("answers bad input as Kubernetes does", async () => {
      const rejected = async (manifest: string, text: RegExp, ...args: ReadonlyArray<string>) => {
        const finished = await k.input(manifest, "create", "-f", "-", ...args)
        expect(finished.code).toBe(1)
        expect(finished.stderr).toMatch(text)
      }
      await rejected("apiVersion: v1\nkind: Nonsense\nmetadata: { name: x }\n", /no matches for kind "Nonsense" in version "v1"/, "--validate=false")
      await rejected("a: [unclosed\n", /error (parsing|converting)/)
      await rejected(shellPod("Bad_Name", "true"), /metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of/)
      await rejected("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\ndata: { key: 5 }\n", /cannot unmarshal number into Go struct field ConfigMap\.data of type string/)
      await rejected("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\nbogus: 1\n", /strict decoding error: unknown field "bogus"/)
      await rejected("apiVersion: v1\nkind: Pod\nmetadata: { name: x }\nspec: { containers: [] }\n", /spec.containers: Required value/)
      await rejected(readFileSync(hello, "utf8"), /Error from server \(AlreadyExists\).*pods "hello" already exists/)
      const big = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "big" }, data: { a: "x".repeat(1_100_000) } })
      await rejected(big, /Too long: may not be more than 1048576 bytes/)
      const huge = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "huge" }, data: { a: "x".repeat(3_500_000) } })
      await rejected(huge, /Request entity too large: limit is 3145728/)
      await k.ok("create", "configmap", "stale", "--from-literal=a=1")
      const stale = (await k.ok("get", "configmap", "stale", "-o", "yaml"))
      await k.ok("label", "configmap", "stale", "x=y")
      const replaced = await k.input(stale, "replace", "-f", "-")
      expect(replaced.stderr).toContain("the object has been modified; please apply your changes to the latest version and try again")
      expect((await k.run("get", "pod", "nope")).stderr).toContain("Error from server (NotFound): pods \"nope\" not found")
    })

    it("deletes a pod within its grace period and leaves nothing on the host", async () => {
      const uid = await k.ok("get", "pod", "hello", "-o", "jsonpath={.metadata.uid}")
      const address = await k.ok("get", "pod", "hello", "-o", "jsonpath={.status.podIP}")
      expect((await hostContents(cluster)).zones.length).toBe(1)
      const began = performance.now()
      await k.ok("delete", "pod", "hello")
      expect(performance.now() - began).toBeLessThan(20_000)
      expect((await k.run("get", "pod", "hello")).stderr).toContain("NotFound")
      let contents = await hostContents(cluster)
      await waitFor("an empty host", async () => {
        contents = await hostContents(cluster)
        return contents.zones.length + contents.vnics.length + contents.datasets.length === 0 ? true : undefined
      }, { seen: () => JSON.stringify(contents) })
      await expect(httpGet(`http://${address}:8080/`)).rejects.toThrow()
      expect(processesWith(uid)).toEqual([])
    })
  })
}
